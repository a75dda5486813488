/**
 * Starts a real Postgres from given binaries (even as root) and stops it.
 *
 * Promises: it listens on 127.0.0.1 only; its superuser has a random password, kept in the data directory; an existing
 * data directory is used as it is; the server ends with this process, even if this process is killed.
 */
import { mkdir, realpath } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../freePort.ts';
import { type PostgresBinaries, readMajorVersion } from './binaries.ts';
import { prepareDataDirectory } from './dataDirectory.ts';
import { type ServerProcess, type StopMode, startServerProcess } from './process.ts';
import { chooseUser } from './runAs.ts';

export { findEmbeddedBinaries, type PostgresBinaries } from './binaries.ts';

export interface PostgresServer {
  /** URL of the superuser and the database `postgres`; contains the password. */
  readonly url: string;
  readonly port: number;
  readonly dataDirectory: string;
  readonly majorVersion: number;
  /** `fast` (the default) ends sessions and writes everything to disk; `immediate` is like a crash. Safe to repeat. */
  stop(mode?: StopMode): Promise<void>;
  /** Stops the server if it runs, and starts it on the same port. */
  restart(mode?: StopMode): Promise<void>;
}

export interface PostgresOptions {
  readonly binaries: PostgresBinaries;
  /** Created if missing; reused if a Postgres of the same major version created it. */
  readonly dataDirectory: string;
  /** Default: a free one. */
  readonly port?: number;
  /** Settings of postgresql.conf; they override ours. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Called with each line that the server logs. */
  readonly onLog?: (line: string) => void;
  /** Called with one sentence if the server ends without having been stopped. */
  readonly onUnexpectedEnd?: (sentence: string) => void;
}

/** How long the server of a killed predecessor may take to release the data directory. */
const handoverTimeoutMs = 5_000;
const handoverPollMs = 100;

/**
 * Resolves once the server accepts connections.
 *
 * @throws Error one sentence: port or data directory in use, another major version, or binaries that do not run here.
 */
export async function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  const { binaries, settings = {}, onLog } = options;
  const majorVersion = await readMajorVersion(binaries.postgres);
  await mkdir(options.dataDirectory, { recursive: true });
  const dataDirectory = await realpath(options.dataDirectory);
  const runAs = await chooseUser(binaries.initdb, dataDirectory);
  const password = await prepareDataDirectory(dataDirectory, {
    initdb: binaries.initdb,
    majorVersion,
    runAs,
    sync: settings['fsync'] !== 'off',
  });

  async function launch(port: number): Promise<ServerProcess> {
    const all = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: '',
      port: String(port),
      ...settings,
    };
    const args = Object.entries(all).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const deadline = Date.now() + handoverTimeoutMs;
    for (;;) {
      const result = await startServerProcess(binaries.postgres, args, { dataDirectory, runAs, onLog });
      if (result.kind === 'ready') return watch(result.server);
      const problem = explainFailure(result.log.join('\n'), port, dataDirectory);
      if (!problem.passes || Date.now() > deadline) throw new Error(problem.sentence);
      await delay(handoverPollMs);
    }
  }

  /** Reports an end that no one asked for. */
  function watch(started: ServerProcess): ServerProcess {
    let isStopping = false;
    void started.ended.then((log) => {
      if (!isStopping)
        options.onUnexpectedEnd?.(`Postgres ended unexpectedly: ${lastReason(log.join('\n'))}`);
    });
    return {
      ...started,
      stop(mode) {
        isStopping = true;
        return started.stop(mode);
      },
    };
  }

  const port = options.port ?? (await findFreePort());
  let server = await launch(port);
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    port,
    dataDirectory,
    majorVersion,
    stop: (mode = 'fast') => server.stop(mode),
    async restart(mode = 'fast') {
      await server.stop(mode);
      server = await launch(port);
    },
  };
}

function explainFailure(
  log: string,
  port: number,
  dataDirectory: string,
): { sentence: string; passes: boolean } {
  const holder = /\(PID (\d+)\) running in data directory/.exec(log)?.[1];
  if (holder !== undefined) {
    const sentence = `The data directory ${dataDirectory} is in use by another Postgres (process ${holder}): stop that one first.`;
    return { sentence, passes: true };
  }
  if (log.includes('Address already in use')) {
    const sentence = `Port ${port} on 127.0.0.1 is in use: stop what listens there, or choose another port.`;
    return { sentence, passes: false };
  }
  return { sentence: `Postgres did not start: ${lastReason(log)}`, passes: false };
}

function lastReason(log: string): string {
  const reason = /(?:FATAL|PANIC): +(.*)/.exec(log)?.[1] ?? log.trim().split('\n').at(-1);
  return reason || 'it said nothing.';
}
