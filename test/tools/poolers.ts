/** Real poolers in front of Postgres: pgbouncer in transaction mode, and pgpool-II, which spreads reads over a pair. */
import { execFile } from 'node:child_process';
import { chown, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { findFreePort } from '../../tools/freePort.ts';
import { type Service, startService } from '../../tools/service.ts';
import { findDebianProgram } from './debianPackages.ts';

/** Programs and the packages they are in, for `arePackagesMissing`. */
export const poolerPackages = { pgbouncer: 'pgbouncer', pgpool: 'pgpool2' };

export interface Pooler {
  readonly port: number;
  /** What it printed last. */
  output(): string;
  /** Stops it and deletes its files. */
  stop(): Promise<void>;
}

/** Neither runs as root. `nobody`, as Postgres itself in these tests. */
const nobody = 65534;

interface Folder {
  readonly path: string;
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}

async function makeFolder(name: string): Promise<Folder> {
  const path = await mkdtemp(join(tmpdir(), `audit-export-${name}-`));
  const giveAway = async (file: string): Promise<void> => {
    if (process.getuid?.() === 0) await chown(file, nobody, nobody);
  };
  await giveAway(path);
  return {
    path,
    async write(file, text) {
      const full = join(path, file);
      await writeFile(full, text, { mode: 0o600 });
      await giveAway(full);
      return full;
    },
    remove: () => rm(path, { recursive: true, force: true, maxRetries: 3 }),
  };
}

/** `command` as a user that is not root. */
function unprivileged(
  command: string,
  args: readonly string[],
): { command: string; args: readonly string[] } {
  if (process.getuid?.() !== 0) return { command, args };
  return {
    command: 'setpriv',
    args: [`--reuid=${nobody}`, `--regid=${nobody}`, '--clear-groups', '--', command, ...args],
  };
}

interface PoolerOptions {
  /** Superuser `postgres` of every server behind it. */
  readonly password: string;
}

interface PgbouncerOptions extends PoolerOptions {
  readonly serverPort: number;
  /** Others who may come in: name → password. */
  readonly users?: Readonly<Record<string, string>>;
}

/** Transaction mode, no prepared statements, nothing forgiven at the start of a connection: the strictest one there is. */
export async function startPgbouncer(options: PgbouncerOptions): Promise<Pooler> {
  const program = findDebianProgram('pgbouncer') ?? 'pgbouncer';
  const [folder, port] = await Promise.all([makeFolder('pgbouncer'), findFreePort()]);
  const users = Object.entries({ postgres: options.password, ...options.users });
  const userFile = await folder.write(
    'users.txt',
    users.map(([name, password]) => `"${name}" "${password}"\n`).join(''),
  );
  const { stdout: version } = await promisify(execFile)(program, ['--version']);
  const [, major = '1', minor = '0'] = /PgBouncer (\d+)\.(\d+)/.exec(version) ?? [];
  const knowsPrepared = Number(major) > 1 || Number(minor) >= 21;
  const config = await folder.write(
    'pgbouncer.ini',
    `[databases]
* = host=127.0.0.1 port=${options.serverPort}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = ${userFile}
pool_mode = transaction
default_pool_size = 10
server_connect_timeout = 2
server_login_retry = 0.5
${knowsPrepared ? 'max_prepared_statements = 0' : ''}
`,
  );
  return startPooler('pgbouncer', program, ['-q', config], folder, { port, password: options.password });
}

/**
 * Streaming replication mode with its defaults, and statement_level_load_balance: each read may go to another server
 * than the one before. `attach` is what an operator does with a standby that was made again.
 */
export async function startPgpool(
  options: PoolerOptions & { readonly serverPorts: readonly number[] },
): Promise<Pooler & { attach(node: number): Promise<void> }> {
  const program = findDebianProgram('pgpool') ?? 'pgpool';
  const [folder, port] = await Promise.all([makeFolder('pgpool'), findFreePort()]);
  const pcpPort = await findFreePort();
  const { password } = options;
  const [passwords, rules, pcpUsers, pcpPassword] = await Promise.all([
    folder.write('pool_passwd', `postgres:TEXT${password}\n`),
    folder.write('pool_hba.conf', 'host all all 127.0.0.1/32 trust\n'),
    // md5 of "pcp".
    folder.write('pcp.conf', 'pcp:3d27c2e24377377bdd907962a53e13eb\n'),
    folder.write('pcppass', '*:*:pcp:pcp\n'),
  ]);
  const backends = options.serverPorts.map(
    (serverPort, n) => `
backend_hostname${n} = '127.0.0.1'
backend_port${n} = ${serverPort}
backend_weight${n} = 1
backend_flag${n} = 'ALLOW_TO_FAILOVER'`,
  );
  const config = await folder.write(
    'pgpool.conf',
    `backend_clustering_mode = 'streaming_replication'
listen_addresses = '127.0.0.1'
port = ${port}
unix_socket_directories = '${folder.path}'
socket_dir = '${folder.path}'
pcp_listen_addresses = '127.0.0.1'
pcp_port = ${pcpPort}
pcp_socket_dir = '${folder.path}'
wd_ipc_socket_dir = '${folder.path}'
pid_file_name = '${folder.path}/pgpool.pid'
logdir = '${folder.path}'
num_init_children = 24
enable_pool_hba = on
pool_passwd = '${passwords}'
load_balance_mode = on
statement_level_load_balance = on
sr_check_period = 1
sr_check_user = 'postgres'
sr_check_password = '${password}'
${backends.join('\n')}
`,
  );
  const args = ['-n', '-D', '-f', config, '-a', rules, '-F', pcpUsers];
  const pooler = await startPooler('pgpool', program, args, folder, { port, password });
  return {
    ...pooler,
    attach: async (node) => {
      const pcp = findDebianProgram('pcp_attach_node') ?? 'pcp_attach_node';
      await promisify(execFile)(
        pcp,
        ['-h', '127.0.0.1', '-p', String(pcpPort), '-U', 'pcp', '-w', '-n', String(node)],
        { env: { ...process.env, PCPPASSFILE: pcpPassword } },
      );
    },
  };
}

async function startPooler(
  name: string,
  program: string,
  args: readonly string[],
  folder: Folder,
  { port, password }: { readonly port: number; readonly password: string },
): Promise<Pooler> {
  let service: Service;
  try {
    service = await startService({
      name,
      ...unprivileged(program, args),
      cwd: folder.path,
      isReady: () => answers(port, password),
      // At once: whatever else waits for clients to go, or leaves children behind.
      stopSignal: 'SIGQUIT',
    });
  } catch (error) {
    await folder.remove();
    throw error;
  }
  return {
    port,
    output: service.output,
    async stop() {
      await service.stop();
      await folder.remove();
    },
  };
}

/** Whether a statement comes through: a pooler listens before it knows its servers. */
async function answers(port: number, password: string): Promise<boolean> {
  const client = new pg.Client({
    connectionString: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    connectionTimeoutMillis: 2_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    await client.query('select 1');
    return true;
  } finally {
    await client.end().catch(() => {});
  }
}
