/** Runs the collector as its users do: as a separate process, configured by its environment. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { killWithParent } from '../../tools/killWithParent.ts';

export interface CollectorOptions {
  /** Environment variables such as `DATABASE_URL`. Others come from our own environment. */
  readonly settings: Readonly<Record<string, string>>;
  /** Receives all of its output; an existing file is overwritten. */
  readonly logFile: string;
  /** Called with what a person watching should see: one line for each stream that begins to fail or delivers again. */
  readonly onNews: (line: string) => void;
  /** Called with one sentence if it ends without having been stopped. */
  readonly onUnexpectedEnd: (sentence: string) => void;
}

export interface Collector {
  /** Sends SIGTERM, and SIGKILL if that takes too long. */
  stop(): Promise<void>;
  kill(): void;
}

/** Longer than the collector's own limit: SHUTDOWN_GRACE_MS here, plus 4 s. */
const stopTimeoutMs = 10_000;
export const shutdownGraceMs = 3_000;

/** Resolves when it has read its manifests. @throws Error one sentence if it ends before. */
export async function startCollector(options: CollectorOptions): Promise<Collector> {
  const program = fileURLToPath(new URL('../collector.ts', import.meta.url));
  const child = spawn(process.execPath, [program], {
    env: makeEnvironment(options.settings),
    stdio: ['ignore', 'pipe', 'pipe'],
    // A separate session: the demo handles Ctrl-C in the terminal, and stops the collector after the product.
    detached: true,
  });
  const ended = once(child, 'close').catch(() => {});
  const unwatch = killWithParent(child.pid ?? 0, 'TERM');
  child.once('exit', unwatch);

  const logFile = createWriteStream(options.logFile);
  logFile.on('error', (error) => options.onNews(`The collector's log cannot be written: ${error.message}`));
  const started = Promise.withResolvers<void>();
  let lastWords = '';
  let isStopping = false;
  for (const stream of [child.stdout, child.stderr]) {
    createInterface({ input: stream }).on('line', (line) => {
      logFile.write(`${line}\n`);
      const entry = parseLine(line);
      if (entry === null) lastWords = line;
      else if ('operationsPort' in entry) started.resolve();
      else if (!isStopping) tellNews(entry, options.onNews);
    });
  }
  let isStarted = false;
  void ended.then(() => {
    logFile.end();
    const problem = `The collector ended unexpectedly (${describeEnd(child)}): ${lastWords || `see ${options.logFile}.`}`;
    if (!isStarted) started.reject(new Error(problem));
    else if (!isStopping) options.onUnexpectedEnd(problem);
  });
  await started.promise;
  isStarted = true;
  return {
    async stop() {
      isStopping = true;
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const late = setTimeout(() => child.kill('SIGKILL'), stopTimeoutMs);
      await ended;
      clearTimeout(late);
    },
    kill() {
      isStopping = true;
      child.kill('SIGKILL');
    },
  };
}

/** Our environment with `settings` on top, and without any NAME_FILE that would contradict one of them. */
function makeEnvironment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const own = Object.entries(process.env).filter(([name]) => {
    return !Object.hasOwn(settings, name.replace(/_FILE$/, ''));
  });
  return { ...Object.fromEntries(own), ...settings };
}

function parseLine(line: string): Record<string, unknown> | null {
  if (!line.startsWith('{')) return null;
  try {
    return JSON.parse(line) as Record<string, unknown>;
  } catch {
    return null;
  }
}

/** Warnings, and the end of a failure, whose line has its reason. */
function tellNews(entry: Record<string, unknown>, onNews: (line: string) => void): void {
  const { level, config, organization, reason, msg, problems } = entry;
  const isWarning = level === 'warn' || level === 'error' || level === 'fatal';
  if (!isWarning && reason === undefined) return;
  const name = config ?? organization;
  const subject = name === undefined ? '' : `${name}: `;
  const details = Array.isArray(problems) ? `: ${problems.join(' ')}` : '';
  onNews(`${subject}${msg}${details}`);
}

function describeEnd(child: ChildProcess): string {
  return child.signalCode ?? `exit code ${child.exitCode}`;
}
