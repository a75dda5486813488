/**
 * Runs commands of the built image in containers of runc, as `docker run --read-only --cap-drop ALL --security-opt
 * no-new-privileges --network host` does.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { inject, onTestFinished } from 'vitest';
import { killWithParent } from '../../tools/killWithParent.ts';
import { findDebianProgram } from '../tools/debianPackages.ts';

export interface Image {
  readonly user: { readonly uid: number; readonly gid: number };
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** On this machine; belongs to the image's files, which nobody may change. */
  readonly root: string;
  remove(): Promise<void>;
}

export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Folders of this machine, by where the container has them. */
  readonly volumes?: Readonly<Record<string, string>>;
}

export interface ContainerProcess {
  /** Both streams. */
  readonly output: () => string;
  kill(signal: NodeJS.Signals): void;
  /** The exit code, null after a signal. */
  readonly exited: Promise<number | null>;
}

const run = promisify(execFile);
const runc = findDebianProgram('runc') ?? 'runc';

/** @param archive in Docker's format. */
export async function unpackImage(archive: string): Promise<Image> {
  const folder = await mkdtemp(join(inject('runFolder'), 'image-'));
  const root = join(folder, 'root');
  await mkdir(root);
  await run('tar', ['-xf', archive, '-C', folder]);
  const [manifest] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
  const { config } = JSON.parse(await readFile(join(folder, manifest.Config), 'utf8'));
  for (const layer of manifest.Layers) await run('tar', ['-xf', join(folder, layer), '-C', root]);
  const [uid = 0, gid = 0] = config.User.split(':').map(Number);
  return {
    user: { uid, gid },
    env: Object.fromEntries(config.Env.map((line: string) => line.split(/=(.*)/s).slice(0, 2))),
    folder: config.WorkingDir,
    entrypoint: config.Entrypoint,
    command: config.Cmd,
    labels: config.Labels,
    root,
    remove: () => rm(folder, { recursive: true, force: true }),
  };
}

/** Killed with the test. */
export async function startInImage(
  image: Image,
  command: readonly string[],
  { env = {}, volumes = {} }: ContainerOptions = {},
): Promise<ContainerProcess> {
  const bundle = await mkdtemp(join(inject('runFolder'), 'container-'));
  const name = `audit-image-${bundle.split('-').at(-1)}-${process.pid}`;
  await writeFile(join(bundle, 'config.json'), JSON.stringify(makeSpec(image, command, name, env, volumes)));
  const state = ['--root', join(bundle, 'state')];
  const child: ChildProcess = spawn(runc, [...state, 'run', '--bundle', bundle, name], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.on('data', (chunk) => {
      output += chunk;
    });
  }
  const unwatch = child.pid === undefined ? () => {} : killWithParent(child.pid, 'TERM');
  const exited = once(child, 'close')
    .then(() => child.exitCode)
    .finally(unwatch);
  onTestFinished(async () => {
    if (child.exitCode === null) await run(runc, [...state, 'kill', name, 'KILL']).catch(() => {});
    await exited;
    await rm(bundle, { recursive: true, force: true });
  });
  // runc hands signals on.
  return { output: () => output, kill: (signal) => void child.kill(signal), exited };
}

export async function runInImage(
  image: Image,
  command: readonly string[],
  options: ContainerOptions = {},
): Promise<{ readonly code: number | null; readonly output: string }> {
  const started = await startInImage(image, command, options);
  return { code: await started.exited, output: started.output() };
}

/** By the OCI runtime specification. */
function makeSpec(
  image: Image,
  args: readonly string[],
  name: string,
  env: Readonly<Record<string, string>>,
  volumes: Readonly<Record<string, string>>,
): object {
  const none = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
  const binds = Object.entries(volumes).map(([destination, source]) => ({
    destination,
    source,
    type: 'bind',
    options: ['rbind', 'rw'],
  }));
  return {
    ociVersion: '1.0.2',
    process: {
      user: image.user,
      args,
      env: Object.entries({ ...image.env, ...env }).map((pair) => pair.join('=')),
      cwd: image.folder,
      capabilities: none,
      noNewPrivileges: true,
    },
    root: { path: image.root, readonly: true },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755'] },
      ...binds,
    ],
    // The network is this machine's, where the database and the receiver are.
    linux: {
      namespaces: ['mount', 'pid', 'ipc', 'uts'].map((type) => ({ type })),
      cgroupsPath: `/${name}`,
      resources: { memory: { limit: 512 * 1024 * 1024 } },
    },
  };
}
