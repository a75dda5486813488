/**
 * A real primary with a real standby that follows it asynchronously, and everything that goes wrong with such a pair: a
 * standby that lags, a failover, a failover that loses the last commits.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { inject } from 'vitest';
import { type PostgresServer, startPostgres } from '../../tools/postgres/postgres.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { findEmbedded } from './postgresInstallations.ts';

const run = promisify(execFile);

export interface PostgresPair {
  /** Ports of both, whatever they are at the moment; they stay. */
  readonly ports: readonly [number, number];
  /** URL of the database `postgres` on the present primary, for its superuser. */
  readonly primaryUrl: string;
  /** The same on the standby. @throws while there is none. */
  readonly standbyUrl: string;
  /** Of both; it comes with the copy. */
  readonly password: string;
  /** From now on the standby shows a commit no earlier than `lagMs` after it. */
  setLag(lagMs: number): Promise<void>;
  /** The standby takes the primary's log, and shows nothing new of it until `resumeReplay`. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  /** Resolves when the standby shows everything that is committed by now. */
  catchUp(): Promise<void>;
  /** From now on commits do not reach the standby: a failover loses them. */
  cutReplication(): Promise<void>;
  /** Kills the primary and makes the standby the new one. What did not reach the standby is lost. */
  failOver(): Promise<void>;
  /** Makes the server that was killed the standby of the present primary. */
  rebuildStandby(): Promise<void>;
  /** Stops both and deletes their data. */
  remove(): Promise<void>;
}

export interface PairOptions {
  readonly settings?: Readonly<Record<string, string>>;
  /** Fills the primary before the standby is made. */
  readonly prepare?: (url: string) => Promise<void>;
}

/** Nothing waits for the disk: what a pair loses here, it loses by failover. */
const pairSettings = {
  fsync: 'off',
  full_page_writes: 'off',
  wal_level: 'replica',
  hot_standby: 'on',
  // Enough for a standby to follow from its copy on without an archive.
  wal_keep_size: '512MB',
  max_wal_size: '1GB',
  // A standby that lags must not hold back a promotion.
  recovery_target_timeline: 'latest',
};

/** @throws Error of `startPostgres`. */
export async function startPair(options: PairOptions = {}): Promise<PostgresPair> {
  const { binaries } = await findEmbedded();
  const folder = await mkdtemp(join(inject('runFolder'), 'pair-'));
  await run('chmod', ['755', folder]);
  const settings = { ...pairSettings, ...options.settings };
  const directoryOf = (node: number): string => join(folder, `node${node}`);
  const launch = (node: number, port?: number): Promise<PostgresServer> =>
    startPostgres({
      binaries,
      dataDirectory: directoryOf(node),
      settings,
      ...(port === undefined ? {} : { port }),
    });

  let primaryNode = 0;
  let standbyNode: number | null = null;
  const first = await launch(0);
  const servers: Array<PostgresServer | null> = [first, null];
  const ports: [number, number] = [first.port, 0];
  const { password } = new URL(first.url);

  const urlOf = (node: number): string => `postgres://postgres:${password}@127.0.0.1:${ports[node]}/postgres`;
  const requireStandby = (): number => {
    if (standbyNode === null) throw new Error('There is no standby at the moment.');
    return standbyNode;
  };

  /** A copy of the running primary's files between the start and the end of a backup, as pg_basebackup makes it. */
  async function copyPrimaryTo(node: number): Promise<void> {
    const [from, to] = [directoryOf(primaryNode), directoryOf(node)];
    await rm(to, { recursive: true, force: true, maxRetries: 3 });
    await withSession(urlOf(primaryNode), async (session) => {
      await session.query(`select pg_backup_start('standby', true)`);
      // A file that goes while it is copied is in the log; cp says so by its exit code.
      await run('cp', ['-a', from, to]).catch(() => {});
      const { rows } = await session.query<{ labelfile: string }>(
        'select labelfile from pg_backup_stop(false)',
      );
      await writeOwned(join(to, 'backup_label'), rows[0]?.labelfile ?? '', to);
    });
    await Promise.all(
      ['postmaster.pid', 'postmaster.opts', 'standby.signal'].map((file) =>
        rm(join(to, file), { force: true }),
      ),
    );
    await writeOwned(join(to, 'standby.signal'), '', to);
    await writeOwned(
      join(to, 'postgresql.auto.conf'),
      `primary_conninfo = 'host=127.0.0.1 port=${ports[primaryNode]} user=postgres password=${password} application_name=standby'\n`,
      to,
    );
  }

  async function makeStandby(node: number): Promise<void> {
    await copyPrimaryTo(node);
    const server = await launch(node, ports[node] === 0 ? undefined : ports[node]);
    servers[node] = server;
    ports[node] = server.port;
    standbyNode = node;
    await waitFor(
      () =>
        withSession(urlOf(node), async (session) => {
          const { rows } = await session.query(`select from pg_stat_wal_receiver where status = 'streaming'`);
          return rows.length > 0;
        }).catch(() => false),
      { timeoutMs: 30_000 },
    );
  }

  const onStandby = async (...statements: string[]): Promise<void> => {
    await withSession(urlOf(requireStandby()), async (session) => {
      for (const statement of statements) await session.query(statement);
    });
  };

  await options.prepare?.(urlOf(0));
  await makeStandby(1);

  return {
    ports,
    password,
    get primaryUrl() {
      return urlOf(primaryNode);
    },
    get standbyUrl() {
      return urlOf(requireStandby());
    },
    setLag: (lagMs) =>
      onStandby(`alter system set recovery_min_apply_delay = '${lagMs}ms'`, 'select pg_reload_conf()'),
    pauseReplay: async () => {
      await onStandby('select pg_wal_replay_pause()');
      await waitFor(() =>
        withSession(urlOf(requireStandby()), async (session) => {
          const { rows } = await session.query(`select pg_get_wal_replay_pause_state() as state`);
          return rows[0]?.state === 'paused';
        }),
      );
    },
    resumeReplay: () => onStandby('select pg_wal_replay_resume()'),
    catchUp: async () => {
      const lsn = await withSession(urlOf(primaryNode), async (session) => {
        const { rows } = await session.query<{ lsn: string }>(
          'select pg_current_wal_insert_lsn()::text as lsn',
        );
        return rows[0]?.lsn ?? '';
      });
      await waitFor(() =>
        withSession(urlOf(requireStandby()), async (session) => {
          const { rows } = await session.query('select pg_last_wal_replay_lsn() >= $1::pg_lsn as is_there', [
            lsn,
          ]);
          return rows[0]?.is_there === true;
        }),
      );
    },
    cutReplication: async () => {
      await onStandby(`alter system set primary_conninfo = ''`, 'select pg_reload_conf()');
      await waitFor(() =>
        withSession(urlOf(requireStandby()), async (session) => {
          const { rows } = await session.query('select from pg_stat_wal_receiver');
          return rows.length === 0;
        }),
      );
    },
    failOver: async () => {
      const node = requireStandby();
      await servers[primaryNode]?.stop('immediate');
      servers[primaryNode] = null;
      // With a lag set, replay up to the end of what was received would take that long again.
      await onStandby(
        'alter system reset recovery_min_apply_delay',
        'select pg_reload_conf()',
        // It does not wait here: what is replayed meanwhile, a vacuum for one, may cancel a statement that waits.
        'select pg_promote(false)',
      );
      await waitFor(
        () =>
          withSession(urlOf(node), async (session) => {
            const { rows } = await session.query('select pg_is_in_recovery() as is_standby');
            return rows[0]?.is_standby === false;
          }),
        { timeoutMs: 60_000 },
      );
      primaryNode = node;
      standbyNode = null;
    },
    rebuildStandby: () => makeStandby(1 - primaryNode),
    remove: async () => {
      await Promise.all(servers.map((server) => server?.stop('immediate')));
      await rm(folder, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** For the owner of the data directory, who is not root. */
async function writeOwned(path: string, text: string, owner: string): Promise<void> {
  await writeFile(path, text, { mode: 0o600 });
  await run('chown', [`--reference=${owner}`, path]);
}

async function withSession<T>(url: string, work: (session: pg.Client) => Promise<T>): Promise<T> {
  const session = new pg.Client({ connectionString: url });
  session.on('error', () => {});
  await session.connect();
  try {
    return await work(session);
  } finally {
    await session.end();
  }
}
