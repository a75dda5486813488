/** What a node could leave on this machine. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Namespaces } from '../tools/nodeNamespaces.ts';

const sysctls = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops', 'net/ipv4/ip_forward'];
const folders = [
  '/run/containerd',
  '/run/netns',
  '/run/runc',
  '/var/lib/cni',
  '/var/lib/kubelet',
  '/var/log/containers',
];

/** What every node would change alike: settings of the kernel, folders with fixed names. */
export async function readSharedTraces(): Promise<Record<string, string>> {
  const traces: Record<string, string> = {};
  for (const name of sysctls) traces[name] = await readFile(join('/proc/sys', name), 'utf8');
  for (const folder of folders) {
    const names = readdir(folder).then(
      (found) => found.sort().join(' '),
      (error) => error.code,
    );
    traces[folder] = await names;
  }
  return traces;
}

/** How many there are of what is this node's alone. `network`: its namespace, from `networkOf`. */
export async function countOwnTraces(
  { link, cgroup, state }: Namespaces,
  network: string,
): Promise<{ interfaces: number; cgroups: number; mounts: number; processes: number }> {
  const hierarchies = await readdir('/sys/fs/cgroup');
  const groups = await Promise.all(
    hierarchies.map((name) => readdir(join('/sys/fs/cgroup', name)).catch(() => [])),
  );
  const mounts = await readFile('/proc/self/mounts', 'utf8');
  const processes = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const networks = await Promise.all(processes.map((pid) => networkOf(pid).catch(() => '')));
  return {
    interfaces: (await readdir('/sys/class/net')).filter((name) => name === link.interface).length,
    cgroups: [...hierarchies, ...groups.flat()].filter((name) => name === cgroup).length,
    mounts: mounts.split('\n').filter((line) => line.includes(state)).length,
    processes: networks.filter((one) => one === network).length,
  };
}

export function networkOf(pid: number | string): Promise<string> {
  return readlink(`/proc/${pid}/ns/net`);
}
