/** The collector as its users run it: a process of its own, manifests as files, status read from beside them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { parse, stringify } from 'yaml';
import type { ExportStatus } from '../../src/model/streamStatus.ts';
import { findFreePort } from '../../tools/freePort.ts';
import { killWithParent } from '../../tools/killWithParent.ts';
import { waitFor } from '../../tools/waitFor.ts';

export interface CollectorProcess {
  readonly directory: string;
  /** http://127.0.0.1:PORT of the operations server. */
  readonly operations: string;
  /** Both streams of every start so far. */
  readonly output: () => string;
  readonly pid: number;
  /** False before `start`, and after an end that nobody asked for too. */
  readonly isRunning: boolean;
  writeConfig(name: string, spec: Record<string, unknown>): Promise<void>;
  /** undefined while there is none. */
  readStatus(name: string): Promise<ExportStatus | undefined>;
  waitForStatus(
    name: string,
    condition: (status: ExportStatus) => boolean,
    timeoutMs?: number,
  ): Promise<ExportStatus>;
  /** Starts the process, again after `kill`. Resolves at once: wait for a condition. */
  start(): void;
  /** Resolves with the exit code, null after a signal. */
  kill(signal: NodeJS.Signals): Promise<number | null>;
}

/**
 * Ended and removed with the test. Not started yet. `program`: the folder of another version than this one. `prefix` stands
 * before the command, and hands over to it.
 */
export async function makeCollectorProcess(
  databaseUrl: string,
  settings: Readonly<Record<string, string>> = {},
  program?: string,
  prefix: readonly string[] = [],
): Promise<CollectorProcess> {
  const directory = await mkdtemp(join(tmpdir(), 'audit-export-configs-'));
  const port = await findFreePort();
  let output = '';
  let child: ChildProcess | null = null;
  let exited: Promise<unknown> = Promise.resolve();

  const collector: CollectorProcess = {
    directory,
    operations: `http://127.0.0.1:${port}`,
    output: () => output,
    get pid() {
      return child?.pid ?? 0;
    },
    get isRunning() {
      return child !== null && child.exitCode === null && child.signalCode === null;
    },
    async writeConfig(name, spec) {
      const manifest = {
        apiVersion: 'auditexport.dev/v1',
        kind: 'AuditExportConfig',
        metadata: { name },
        spec,
      };
      const temporary = join(directory, `.${name}.tmp`);
      await writeFile(temporary, stringify(manifest));
      await rename(temporary, join(directory, `${name}.yaml`));
    },
    async readStatus(name) {
      const text = await readFile(join(directory, `${name}.status.yaml`), 'utf8').catch(() => undefined);
      return text === undefined ? undefined : (parse(text) as { status: ExportStatus }).status;
    },
    waitForStatus: (name, condition, timeoutMs = 30_000) => {
      let last: ExportStatus | undefined;
      return waitFor(
        async () => {
          last = await collector.readStatus(name);
          return last !== undefined && condition(last) ? last : undefined;
        },
        {
          timeoutMs,
          pollMs: 30,
          describe: () => `${JSON.stringify(last, null, 1)}\n${output.slice(-2_000)}`,
        },
      );
    },
    start() {
      const [command = '', ...args] = [...prefix, 'node', 'cmd/collector.ts'];
      const started = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        ...(program === undefined ? {} : { cwd: program }),
        env: {
          ...process.env,
          DATABASE_URL: databaseUrl,
          CONFIG_SOURCE: 'directory',
          CONFIG_DIRECTORY: directory,
          OPERATIONS_ADDRESS: `127.0.0.1:${port}`,
          PAGE_ADDRESS: 'off',
          STATUS_INTERVAL_MS: '200',
          // Most tests count entries.
          CONFIG_CHANGE_ENTRIES: 'omit',
          RETRY_INITIAL_MS: '50',
          RETRY_MAX_MS: '500',
          HOLD_INITIAL_MS: '100',
          HOLD_MAX_MS: '500',
          ...settings,
        },
      });
      const unwatch = killWithParent(started.pid ?? 0, 'TERM');
      exited = once(started, 'exit').finally(unwatch);
      for (const stream of [started.stdout, started.stderr]) {
        stream.on('data', (chunk) => {
          output += chunk;
        });
      }
      child = started;
    },
    async kill(signal) {
      const ending = child;
      if (!ending || ending.exitCode !== null || ending.signalCode !== null) return ending?.exitCode ?? null;
      ending.kill(signal);
      await exited;
      return ending.exitCode;
    },
  };
  onTestFinished(async () => {
    await collector.kill('SIGKILL');
    await rm(directory, { recursive: true, force: true });
  });
  return collector;
}
