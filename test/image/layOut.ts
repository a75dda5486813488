/**
 * Makes the files of the image as the Dockerfile says, without a container engine: each stage is a folder, copied and
 * installed into as its steps say. The base image is left out: Node and npm are those of this machine.
 */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, relative } from 'node:path';
import { promisify } from 'node:util';
import { parseDockerfile, type Stage, type Step } from './dockerfile.ts';
import { makeContextFilter } from './dockerignore.ts';

export interface Image {
  /** Its working directory on this machine; nobody may write to it or anything in it. */
  readonly folder: string;
  /** Of the whole stage, relative to the working directory, with slashes. */
  readonly files: readonly string[];
  readonly bytes: number;
  readonly base: string;
  readonly user: { readonly uid: number; readonly gid: number };
  readonly env: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
  readonly ports: readonly number[];
  remove(): Promise<void>;
}

const run = promisify(execFile);
const repository = join(import.meta.dirname, '..', '..');

/** @throws Error when a step cannot be understood or done. */
export async function layOutImage(args: Readonly<Record<string, string>> = {}): Promise<Image> {
  const stages = parseDockerfile(await readFile(join(repository, 'Dockerfile'), 'utf8'), args);
  const isSent = makeContextFilter(await readFile(join(repository, '.dockerignore'), 'utf8'));
  const root = await mkdtemp(join(tmpdir(), 'audit-export-image-'));
  // mkdtemp closes it to others, among them the user of the image.
  await chmod(root, 0o755);
  const remove = async () => {
    await run('chmod', ['-R', 'u+w', root]);
    await rm(root, { recursive: true, force: true });
  };
  try {
    for (const [index, stage] of stages.entries()) await buildStage(root, stages, index, stage, isSent);
    const last = stages.at(-1);
    if (last === undefined) throw new Error('The Dockerfile has no stage.');
    const folder = inStage(root, stages.length - 1, workdirOf(last));
    await run('chmod', ['-R', 'a-w', root]);
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries
      .filter((entry) => !entry.isDirectory())
      .map((entry) => join(entry.parentPath, entry.name));
    const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
    return {
      folder,
      files: files.map((file) => relative(folder, file)),
      bytes: sizes.reduce((sum, size) => sum + size, 0),
      base: last.base,
      user: only(last, 'user'),
      env: Object.assign({}, ...all(last, 'env').map((step) => step.values)),
      labels: Object.assign({}, ...all(last, 'label').map((step) => step.values)),
      entrypoint: only(last, 'entrypoint').command,
      command: only(last, 'cmd').command,
      ports: all(last, 'expose').flatMap((step) => step.ports),
      remove,
    };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function buildStage(
  root: string,
  stages: readonly Stage[],
  index: number,
  stage: Stage,
  isSent: (path: string) => boolean,
): Promise<void> {
  let workdir = '/';
  await mkdir(inStage(root, index, '/'), { recursive: true });
  for (const step of stage.steps) {
    switch (step.kind) {
      case 'workdir':
        workdir = step.path;
        await mkdir(inStage(root, index, workdir), { recursive: true });
        break;
      case 'copy': {
        const target = step.target.startsWith('/') ? step.target : join(workdir, step.target);
        const to = inStage(root, index, target);
        if (step.from === null) {
          for (const source of step.sources) await copyFromContext(source, to, step.target, isSent);
        } else {
          const from = stages.findIndex((one, at) => one.name === step.from && at < index);
          if (from < 0) throw new Error(`COPY --from=${step.from}: there is no such stage before.`);
          for (const source of step.sources) await copyInto(inStage(root, from, source), to, step.target);
        }
        break;
      }
      case 'run': {
        const [command = '', ...args] = step.command;
        await run(command, args, { cwd: inStage(root, index, workdir), maxBuffer: 16 * 1024 * 1024 });
        break;
      }
      // What a running container has of these is in Image.
      case 'env':
      case 'label':
      case 'user':
      case 'expose':
      case 'entrypoint':
      case 'cmd':
        break;
    }
  }
}

async function copyFromContext(
  source: string,
  to: string,
  target: string,
  isSent: (path: string) => boolean,
): Promise<void> {
  const from = join(repository, source);
  const isFolder = (await stat(from)).isDirectory();
  if (!isFolder && !isSent(source)) throw new Error(`COPY ${source}: .dockerignore leaves it out.`);
  await copyInto(from, to, target, (path) => isSent(relative(repository, path)));
}

/** A folder's content goes into the target; a file too where the target ends in a slash. */
async function copyInto(
  from: string,
  to: string,
  target: string,
  isWanted?: (path: string) => boolean,
): Promise<void> {
  const isFolder = (await stat(from)).isDirectory();
  const destination = !isFolder && target.endsWith('/') ? join(to, basename(from)) : to;
  await mkdir(dirname(destination), { recursive: true });
  const filter = async (path: string) =>
    isWanted === undefined || (await stat(path)).isDirectory() || isWanted(path);
  await cp(from, destination, { recursive: true, verbatimSymlinks: true, filter });
}

function inStage(root: string, index: number, path: string): string {
  return join(root, String(index), path);
}

function workdirOf(stage: Stage): string {
  return all(stage, 'workdir').at(-1)?.path ?? '/';
}

function all<K extends Step['kind']>(stage: Stage, kind: K): Array<Extract<Step, { kind: K }>> {
  return stage.steps.filter((step): step is Extract<Step, { kind: K }> => step.kind === kind);
}

function only<K extends Step['kind']>(stage: Stage, kind: K): Extract<Step, { kind: K }> {
  const [step, ...more] = all(stage, kind);
  if (step === undefined || more.length > 0) {
    throw new Error(`The last stage of the Dockerfile must have ${kind.toUpperCase()} exactly once.`);
  }
  return step;
}
