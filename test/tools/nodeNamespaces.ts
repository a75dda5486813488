/**
 * The namespaces in which a node of Kubernetes runs: its own network, mounts and processes, so that nothing that a
 * kubelet and a container runtime do reaches this machine. One kill of `pid`, or the end of this process, ends all of it.
 */
import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { killWithParent } from '../../tools/killWithParent.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { skip } from './debianPackages.ts';
import { isAlive } from './folderLock.ts';

export type Family = 'IPv4' | 'IPv6';

export interface Link {
  /** Of this machine, and of the node, on the cable between them. */
  readonly host: string;
  readonly node: string;
  readonly prefix: number;
  readonly interface: string;
}

export interface Namespaces {
  /** The first process in them, as this machine numbers it. */
  readonly pid: number;
  readonly link: Link;
  /** Below each hierarchy of /sys/fs/cgroup; of this run only. */
  readonly cgroup: string;
  /** In memory, and seen from inside only. */
  readonly state: string;
  /** What to put before a command that runs in them. */
  readonly enter: readonly string[];
  /** Runs a shell script in them, with `$state` and `$cgroup`; resolves with its output. @throws Error with its words. */
  run(script: string): Promise<string>;
  /** Ends everything in them; resolves when nothing is left. Safe to repeat. */
  stop(): Promise<void>;
}

const run = promisify(execFile);
const scriptTimeoutMs = 60_000;

/** Stays outside, and removes what a kernel keeps after the last process. */
const holder = `
unshare --net --mount --pid --fork --mount-proc --kill-child --propagation private \\
  tini -- sh -c 'echo ready; exec sleep infinity' &
echo "$!"
wait
for try in $(seq 100); do
  left=$(find /sys/fs/cgroup -maxdepth 2 -type d -name "$1")
  [ -z "$left" ] && break
  find $left -depth -type d -exec rmdir {} + 2>/dev/null
  sleep 0.1
done`;

/** A kubelet sets these for the whole machine: files over them take what it writes. */
const sysctls = [
  'vm/overcommit_memory',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** What a runtime writes to /run, /var and the cgroups is the node's own; `folder` must exist. */
const setUp = `
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p "$state"
mount -t tmpfs tmpfs "$state"
mkdir "$state/var" "$state/work"
mount -t overlay overlay -o "lowerdir=/var,upperdir=$state/var,workdir=$state/work" /var
for name in ${sysctls.join(' ')}; do
  file="$state/$(echo "$name" | tr / -)"
  cat "/proc/sys/$name" >"$file"
  mount --bind "$file" "/proc/sys/$name"
done
for group in /sys/fs/cgroup /sys/fs/cgroup/*; do
  if [ -e "$group/tasks" ] || [ -e "$group/cgroup.subtree_control" ]; then mkdir -p "$group/$cgroup"; fi
done
ip link set lo up`;

/** For `describe.skipIf`: says so where even root gets no namespaces, as in most containers. @throws Error when CI is set. */
export function areNamespacesMissing(suite: string): boolean {
  const options = ['--net', '--mount', '--pid', '--fork', '--mount-proc', 'true'];
  const { status, stderr, error } = spawnSync('unshare', options, { encoding: 'utf8', timeout: 10_000 });
  if (status === 0) return false;
  const said = (error?.message ?? stderr).trim();
  return skip(
    suite,
    `It needs namespaces of its own, but ${said}: run the tests in a virtual machine or a privileged container.`,
  );
}

/** @throws Error with the sentence of the program that may not do its part. */
export async function startNamespaces(folder: string, family: Family): Promise<Namespaces> {
  const cgroup = `audit-pods-${process.pid}-${Math.random().toString(36).slice(2, 8)}`;
  const child = spawn('sh', ['-c', holder, 'sh', cgroup], {
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    // It outlives this process, to remove what is left.
    detached: true,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  let hasEnded = false;
  const ended = once(child, 'close').then(() => {
    hasEnded = true;
  });
  await waitFor(() => hasEnded || output.includes('ready\n'), { describe: () => output });
  if (hasEnded) throw new Error(`unshare: ${output.trim()}`);
  const parent = /^\d+$/m.exec(output)?.[0];
  const pid = Number(await readFile(`/proc/${parent}/task/${parent}/children`, 'utf8'));
  const unwatch = killWithParent(pid, 'TERM');
  child.once('exit', unwatch);
  const state = `${folder}/state`;
  const enter = ['nsenter', '-t', String(pid), '-n', '-m', '-p', '--'];
  const link = makeLink(pid, family);
  const namespaces: Namespaces = {
    pid,
    link,
    cgroup,
    state,
    enter,
    async run(script) {
      const [command = '', ...args] = [...enter, 'sh', '-ec', script];
      const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin`, state, cgroup };
      return (await run(command, args, { env, timeout: scriptTimeoutMs })).stdout;
    },
    async stop() {
      if (!hasEnded && isAlive(pid)) process.kill(pid, 'SIGKILL');
      await ended;
    },
  };
  try {
    await namespaces.run(setUp);
    await connect(namespaces);
    return namespaces;
  } catch (error) {
    await namespaces.stop();
    throw error;
  }
}

/** Networks for tests and of nobody (RFC 2544, RFC 4193), one for each number of a process. */
function makeLink(pid: number, family: Family): Link {
  const name = `node${pid}`;
  if (family === 'IPv6') {
    const network = `fd00:ae:${(pid >> 16).toString(16)}:${(pid & 0xffff).toString(16)}:`;
    return { host: `${network}:1`, node: `${network}:2`, prefix: 64, interface: name };
  }
  const at = (last: number) =>
    `198.${18 + ((pid >> 14) & 1)}.${(pid >> 6) & 255}.${((pid & 63) << 2) + last}`;
  return { host: at(1), node: at(2), prefix: 30, interface: name };
}

/** A cable between this machine and the node, which hides its pods behind its own address. */
async function connect({ pid, link, run: runInside }: Namespaces): Promise<void> {
  const { host, node, prefix, interface: name } = link;
  const noWait = host.includes(':') ? 'nodad' : '';
  const outside = `ip link add ${name} type veth peer name node0 netns ${pid}
ip address add ${host}/${prefix} dev ${name} ${noWait}
ip link set ${name} up`;
  const env = { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` };
  await run('sh', ['-ec', outside], { env, timeout: scriptTimeoutMs });
  await runInside(`
ip address add ${node}/${prefix} dev node0 ${noWait}
ip link set node0 up
ip route add default via ${host}
echo 1 >/proc/sys/net/ipv4/ip_forward
echo 1 >/proc/sys/net/ipv6/conf/all/forwarding
nft 'table inet node { chain out { type nat hook postrouting priority srcnat; oifname "node0" masquerade; }; }'`);
}
