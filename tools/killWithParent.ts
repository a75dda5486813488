import { spawn } from 'node:child_process';

/**
 * Makes the process `pid` end with this one, however this one ends: a shell holds the reading end of a pipe, and
 * when the pipe closes (even by SIGKILL) it sends `signal`.
 *
 * @returns a function that ends the watch; call it as soon as the process has ended, before its number can be reused.
 */
export function killWithParent(pid: number, signal: 'INT' | 'TERM'): () => void {
  const watcher = spawn('sh', ['-c', 'read -r _; kill -s "$1" "$2"', 'sh', signal, String(pid)], {
    cwd: '/',
    // A separate session: Ctrl-C in the terminal must not end the watcher before its parent.
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  // Without sh only the watch is lost.
  watcher.on('error', () => {});
  watcher.unref();
  const pipe = watcher.stdin as typeof watcher.stdin & { unref?(): void };
  pipe.unref?.();
  return () => watcher.kill('SIGKILL');
}
