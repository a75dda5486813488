/** Runs kubectl as a person would, against a test cluster and nothing else. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { provideTool } from './build.ts';

export interface KubectlResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

export type Kubectl = (
  args: readonly string[],
  options?: { readonly input?: string },
) => Promise<KubectlResult>;

/** `home` takes its caches. Resolves whatever the exit code. Of the server's version. */
export function makeKubectl(kubeconfigPath: string, home: string): Kubectl {
  return async (args, { input = '' } = {}) => {
    const child = spawn(await provideTool('kubectl'), args, {
      // Nothing of the person's own environment: their KUBECONFIG, their plugins, their proxy.
      env: {
        PATH: process.env['PATH'],
        HOME: home,
        KUBECONFIG: kubeconfigPath,
        KUBECACHEDIR: `${home}/cache`,
      },
      cwd: home,
      timeout: 180_000,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk) => {
      stderr += chunk;
    });
    // It may end without having read its input.
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [exitCode] = await once(child, 'close');
    return { exitCode: exitCode ?? -1, stdout, stderr };
  };
}
