/**
 * Finds or builds the real programs that tests run against: an OpenTelemetry Collector, VictoriaLogs, the API server of
 * Kubernetes with its etcd, what makes a node of it, and what charts, alerts and ledgers are judged with.
 *
 * In this order: the path in an environment variable, a program on the PATH, an earlier build in the cache, a build with
 * the Go of this machine. The cache lies outside the repository ($AUDIT_EXPORT_TOOLS, else ~/.cache/audit-export-tools)
 * under a key of everything that goes into the build.
 */
import { type SpawnOptions, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { findOnPath } from './findOnPath.ts';
import { withFolderLock } from './folderLock.ts';

export type ToolName =
  | 'otelcol'
  | 'otelcol-bench'
  | 'victoria-logs'
  | 'kube-apiserver'
  | 'etcd'
  | 'kube-node'
  | 'kube-router'
  | 'helm'
  | 'helm3'
  | 'kubectl'
  | 'kubeconform'
  | 'promtool'
  | 'ledger-check';

/** `missing`: `why` is one sentence with the way out. */
export type ToolPlan =
  | { readonly kind: 'ready'; readonly path: string }
  | { readonly kind: 'build'; readonly path: string }
  | { readonly kind: 'missing'; readonly why: string };

interface Tool {
  readonly variable: string;
  /** The version matters: whatever else the PATH has is not used. */
  readonly isExact?: boolean;
  /** Everything that decides what comes out. */
  readonly key: () => string;
  /** Arguments of `go`; the program is to appear in `folder`, alone. */
  readonly build: (folder: string) => { args: readonly string[]; options: SpawnOptions };
}

/** Without it the server says it is v0.0.0 and refuses its own feature gates. */
const kubernetesVersion = '-X k8s.io/component-base/version.gitVersion=v1.36.3';

const tools: Readonly<Record<ToolName, Tool>> = {
  otelcol: moduleTool({ name: 'otelcol', folder: 'collector', variable: 'OTELCOL_BIN' }),
  'otelcol-bench': moduleTool({
    name: 'otelcol-bench',
    folder: '../../bench/otelCollector',
    variable: 'OTELCOL_BENCH_BIN',
  }),
  'victoria-logs': packageTool(
    'VICTORIA_LOGS_BIN',
    'github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1',
  ),
  'kube-apiserver': moduleTool({
    name: 'kube-apiserver',
    folder: 'kubeApiserver',
    variable: 'KUBE_APISERVER_BIN',
    linkerFlags: kubernetesVersion,
  }),
  etcd: moduleTool({ name: 'etcd', folder: 'etcd', variable: 'ETCD_BIN' }),
  'kube-node': moduleTool({
    name: 'kube-node',
    folder: 'kubeNode',
    variable: 'KUBE_NODE_BIN',
    linkerFlags: kubernetesVersion,
  }),
  // For its network policies. kube-network-policies would be smaller, but needs a kernel with CONFIG_NFT_QUEUE.
  'kube-router': packageTool(
    'KUBE_ROUTER_BIN',
    'github.com/cloudnativelabs/kube-router/v2/cmd/kube-router@v2.1.0',
  ),
  helm: packageTool('HELM_BIN', 'helm.sh/helm/v4/cmd/helm@v4.3.1'),
  helm3: packageTool('HELM3_BIN', 'helm.sh/helm/v3/cmd/helm@v3.22.0'),
  // Of the server's version.
  kubectl: {
    ...moduleTool({
      name: 'kubectl',
      folder: 'kubectl',
      variable: 'KUBECTL_BIN',
      linkerFlags: `${kubernetesVersion} -X k8s.io/client-go/pkg/version.gitVersion=v1.36.3`,
    }),
    isExact: true,
  },
  'ledger-check': moduleTool({
    name: 'ledger-check',
    folder: 'ledgerCheck',
    variable: 'LEDGER_CHECK_BIN',
  }),
  kubeconform: packageTool('KUBECONFORM_BIN', 'github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0'),
  // Rules are tested without the service discoveries, which are most of it.
  promtool: packageTool('PROMTOOL_BIN', 'github.com/prometheus/prometheus/cmd/promtool@v0.316.0', [
    '-tags',
    'remove_all_sd',
  ]),
};

/** A program that Go installs by name. */
function packageTool(variable: string, name: string, flags: readonly string[] = []): Tool {
  return {
    variable,
    key: () => [name, ...flags].join(' '),
    build: (folder) => ({
      args: ['install', ...goFlags(), ...flags, name],
      options: { cwd: folder, env: { ...process.env, GOBIN: folder } },
    }),
  };
}

/** A program whose Go module lies in `folder` beside this file. */
function moduleTool(options: {
  readonly name: ToolName;
  readonly folder: string;
  readonly variable: string;
  readonly linkerFlags?: string;
}): Tool {
  const { name, folder, variable, linkerFlags = '' } = options;
  const source = join(import.meta.dirname, folder);
  return {
    variable,
    key: () =>
      ['go.mod', 'go.sum', 'main.go'].map((file) => readFileSync(join(source, file))).join('\n') +
      linkerFlags,
    build: (target) => ({
      args: ['build', '-buildvcs=false', ...goFlags(linkerFlags), '-o', join(target, name), '.'],
      options: { cwd: source },
    }),
  };
}

/** No symbol tables; two compilers at a time leave the machine usable. */
function goFlags(linkerFlags = ''): string[] {
  return ['-p', '2', '-trimpath', '-ldflags', `-s -w ${linkerFlags}`.trim()];
}

/** Says at once where the program is or will be; builds nothing. */
function planTool(name: ToolName): ToolPlan {
  const tool = tools[name];
  const named = process.env[tool.variable];
  if (named) {
    if (existsSync(named)) return { kind: 'ready', path: resolve(named) };
    return { kind: 'missing', why: `${tool.variable} names ${named}, which does not exist.` };
  }
  const onPath = tool.isExact ? undefined : findOnPath(name);
  if (onPath !== undefined) return { kind: 'ready', path: onPath };
  const path = join(
    cacheFolder(),
    `${name}-${hash(`${process.platform} ${process.arch} ${tool.key()}`)}`,
    name,
  );
  if (existsSync(path)) return { kind: 'ready', path };
  if (findOnPath('go') !== undefined) return { kind: 'build', path };
  return {
    kind: 'missing',
    why: `${name} needs Go 1.26 to be built: install Go, or name a ready program in ${tool.variable}.`,
  };
}

/** For the `beforeAll` that starts a tool: a cold build takes one to five minutes beside the others, and another worker may build before. */
export const toolTimeoutMs = 20 * 60_000;

/**
 * Whether a suite must be skipped for want of a tool, for `describe.skipIf`; says so on the console.
 *
 * @throws Error the plan's sentence when the variable CI is set: there, a suite that is skipped is a failure.
 */
export function isToolMissing(name: ToolName): boolean {
  const plan = planTool(name);
  if (plan.kind !== 'missing') return false;
  if (process.env['CI']) throw new Error(plan.why);
  say(`SKIPPED: the tests that need ${name}. ${plan.why}`);
  return true;
}

/**
 * The path of the program, built first when need be (one to four minutes, once). Workers that ask at the same time share one build.
 *
 * @throws Error the plan's sentence, or what Go said.
 */
export async function provideTool(name: ToolName): Promise<string> {
  const plan = planTool(name);
  if (plan.kind === 'missing') throw new Error(plan.why);
  if (plan.kind === 'ready') return plan.path;
  const finished = dirname(plan.path);
  await mkdir(dirname(finished), { recursive: true });
  await withFolderLock(`${finished}.lock`, async () => {
    if (existsSync(plan.path)) return;
    const folder = `${finished}.${process.pid}.tmp`;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder);
    const startedAt = Date.now();
    say(`building ${name} into ${finished} (once, some minutes)`);
    try {
      const { args, options } = tools[name].build(folder);
      await runGo(args, options);
      const [program = name] = await readdir(folder);
      if (program !== name) await rename(join(folder, program), join(folder, name));
      await rename(folder, finished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    say(`built ${name} in ${Math.round((Date.now() - startedAt) / 1000)} s`);
  });
  return plan.path;
}

export function cacheFolder(): string {
  const { AUDIT_EXPORT_TOOLS: own, XDG_CACHE_HOME: xdg } = process.env;
  return resolve(own || join(xdg || join(homedir(), '.cache'), 'audit-export-tools'));
}

function hash(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}

/** Past the test runner's own capture, so that a long build is seen while it runs. */
function say(line: string): void {
  process.stderr.write(`tools: ${line}\n`);
}

async function runGo(args: readonly string[], options: SpawnOptions): Promise<void> {
  const nice = findOnPath('nice');
  const [command = '', ...rest] = [...(nice === undefined ? [] : [nice, '-n', '19']), 'go', ...args];
  const child = spawn(command, rest, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '';
  child.stderr?.on('data', (chunk) => {
    output = (output + chunk).slice(-4_000);
  });
  const code = await new Promise((settle, reject) => child.on('error', reject).on('close', settle));
  if (code !== 0) throw new Error(`go ${args[0]} failed (${code}): ${output.trim()}`);
}
