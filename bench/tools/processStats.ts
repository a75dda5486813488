/** What the operating system knows about a process. Linux only: elsewhere every reader returns null. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** USER_HZ, 100 on every platform Node runs on. */
const ticksPerSecond = 100;

/** Resident memory in MiB. */
export async function readResidentMiB(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(text)?.[1];
  return kib === undefined ? null : Number(kib) / 1024;
}

interface Stat {
  readonly parent: number;
  /** Seconds of processor time, user and system. */
  readonly own: number;
  /** The same for its children that have ended. */
  readonly ended: number;
}

async function readStat(pid: number): Promise<Stat | null> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // proc(5): the name in parentheses may hold anything; field 3 comes after it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const field = (number: number) => Number(fields[number - 3]);
  if (fields.length < 15) return null;
  return {
    parent: field(4),
    own: (field(14) + field(15)) / ticksPerSecond,
    ended: (field(16) + field(17)) / ticksPerSecond,
  };
}

/** Seconds of processor time that a process has used, including its threads. */
export async function readCpuSeconds(pid: number): Promise<number | null> {
  return (await readStat(pid))?.own ?? null;
}

/** The same for a Postgres server with all of its backends, including those that have ended. */
export async function readPostgresCpuSeconds(dataDirectory: string): Promise<number | null> {
  const pidFile = await readFile(join(dataDirectory, 'postmaster.pid'), 'utf8');
  const postmaster = Number(pidFile.split('\n')[0]);
  const main = await readStat(postmaster);
  if (!main) return null;
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const stats = await Promise.all(pids.map(readStat));
  const backends = stats.filter((stat) => stat?.parent === postmaster);
  return backends.reduce((sum, stat) => sum + (stat?.own ?? 0), main.own + main.ended);
}
