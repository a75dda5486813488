/** Runs what Helm's hooks make, and tells the API server how it ended: the part of a node and of the Job controller. */
import { setTimeout as delay } from 'node:timers/promises';
import { type NodeOptions, startContainer } from './kubelet.ts';
import type { ManifestObject } from './manifest.ts';

export interface HookRun {
  readonly name: string;
  readonly exitCode: number | null;
  readonly output: string;
}

/** Does `work`, and meanwhile runs each Job and Pod that appears in the namespace once; returns those. */
export async function whileHooksRun<T>(
  options: NodeOptions,
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly runs: readonly HookRun[] }> {
  const runs: HookRun[] = [];
  const seen = new Set<string>();
  const done = new AbortController();
  const serve = async () => {
    while (!done.signal.aborted) {
      for (const object of [...(await list(options, 'jobs')), ...(await list(options, 'pods'))]) {
        const { uid } = object.metadata as unknown as { uid: string };
        if (seen.has(uid)) continue;
        seen.add(uid);
        runs.push(await runToEnd(options, object));
      }
      await delay(50);
    }
  };
  const serving = serve();
  try {
    return { result: await work(), runs };
  } finally {
    done.abort();
    await serving;
  }
}

const groups = { jobs: ['apis/batch/v1', 'Job'], pods: ['api/v1', 'Pod'] } as const;

async function list({ cluster, namespace }: NodeOptions, resource: keyof typeof groups) {
  const [group, kind] = groups[resource];
  const { body } = await cluster.request({ path: `/${group}/namespaces/${namespace}/${resource}` });
  return (body['items'] as ManifestObject[]).map((item) => ({ ...item, kind }));
}

async function runToEnd(options: NodeOptions, object: ManifestObject): Promise<HookRun> {
  const resource = object.kind === 'Job' ? 'jobs' : 'pods';
  const process = await startContainer(options, object, resource === 'jobs' ? 'migrate' : 'test');
  const exitCode = await process.ended;
  const now = new Date().toISOString();
  const job = {
    startTime: now,
    ...(exitCode === 0
      ? { completionTime: now, succeeded: 1, conditions: conditions(now, 'SuccessCriteriaMet', 'Complete') }
      : { failed: 1, conditions: conditions(now, 'FailureTarget', 'Failed') }),
  };
  const status = resource === 'jobs' ? job : { phase: exitCode === 0 ? 'Succeeded' : 'Failed' };
  const { name } = object.metadata;
  const answer = await options.cluster.request({
    method: 'PATCH',
    path: `/${groups[resource][0]}/namespaces/${options.namespace}/${resource}/${name}/status`,
    contentType: 'application/merge-patch+json',
    body: { status },
  });
  if (answer.status !== 200) throw new Error(JSON.stringify(answer.body));
  return { name, exitCode, output: process.output() };
}

function conditions(time: string, ...types: readonly string[]) {
  return types.map((type) => ({
    type,
    status: 'True',
    lastProbeTime: time,
    lastTransitionTime: time,
    reason: 'Ended',
    message: '',
  }));
}
