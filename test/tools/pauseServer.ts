import { readdirSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Stops every process of a Postgres server where it is, as a machine that swaps or a frozen disk does: connections stay,
 * nothing answers. Linux only.
 *
 * @returns lets it go on; call it always, or the server cannot be ended.
 */
export async function pauseServer(dataDirectory: string): Promise<() => void> {
  const text = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  const postmaster = Number(text.split('\n')[0]);
  // First the one that starts others.
  process.kill(postmaster, 'SIGSTOP');
  const children = childrenOf(postmaster);
  signal(children, 'SIGSTOP');
  return () => signal([...children, postmaster], 'SIGCONT');
}

function signal(pids: readonly number[], name: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It has ended.
    }
  }
}

function childrenOf(parent: number): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        // After the name, which may hold anything: state, parent.
        const [, ppid] = readFileSync(`/proc/${pid}/stat`, 'utf8')
          .replace(/^.*\) /s, '')
          .split(' ');
        return Number(ppid) === parent;
      } catch {
        return false;
      }
    });
}
