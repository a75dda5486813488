/**
 * The image as its users build it: buildah runs the Dockerfile as it is, on a base made of this machine (`imageBase.ts`).
 * What comes out is kept beside the other tools, under a key of everything that goes in.
 */
import { type ExecFileOptions, execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import packageJson from '../../package.json' with { type: 'json' };
import { makeContextFilter } from '../image/dockerignore.ts';
import { cacheFolder } from './build.ts';
import { arePackagesMissing, isRootMissing } from './debianPackages.ts';
import { withFolderLock } from './folderLock.ts';
import { addBusybox, layOutBase } from './imageBase.ts';

export interface BuiltImages {
  /** A docker archive of the product's image. */
  readonly product: string;
  /** One of what holds the namespaces of a pod. */
  readonly pause: string;
}

/** As the chart asks for it. */
const productImage = `docker.io/library/${packageJson.name}:${packageJson.version}`;
export const pauseImage = 'localhost/pause:1';
const baseImage = `docker.io/library/node:${packageJson.devDependencies.node}-alpine`;

const run = promisify(execFile);
const repository = join(import.meta.dirname, '../..');
/** Built from sources that nobody has any more. */
const keptMs = 24 * 3_600_000;
const stepTimeoutMs = 5 * 60_000;

/** For `describe.skipIf`: says so when the suite has to be skipped. @throws Error when CI is set. */
export function isImageBuilderMissing(): boolean {
  const suite = 'The image that is built';
  return isRootMissing(suite) || arePackagesMissing(suite, { buildah: 'buildah', busybox: 'busybox-static' });
}

/** Builds them unless they are there. @throws Error with what the builder said. */
export async function provideImages(): Promise<BuiltImages> {
  const finished = join(cacheFolder(), `image-${await keyOfInputs()}`);
  const images = { product: join(finished, 'product.tar'), pause: join(finished, 'pause.tar') };
  if (existsSync(finished)) return images;
  await mkdir(cacheFolder(), { recursive: true });
  await withFolderLock(`${finished}.lock`, async () => {
    if (existsSync(finished)) return;
    await removeOldImages();
    const folder = `${finished}.${process.pid}.tmp`;
    const startedAt = Date.now();
    try {
      await build(folder);
      await rm(join(folder, 'work'), { recursive: true });
      await rename(folder, finished);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
    process.stderr.write(`tools: built the image in ${Math.round((Date.now() - startedAt) / 1000)} s\n`);
  });
  return images;
}

async function build(folder: string): Promise<void> {
  const work = join(folder, 'work');
  const [base, pause] = [join(work, 'base'), join(work, 'pause')];
  for (const path of [base, pause, join(work, 'storage')]) await mkdir(path, { recursive: true });
  await layOutBase(base);
  await addBusybox(pause);
  const configuration = join(work, 'storage.conf');
  await writeFile(
    configuration,
    `[storage]\ndriver = "overlay"\ngraphroot = "${work}/storage/graph"\nrunroot = "${work}/storage/run"\n`,
  );
  await writeFile(join(work, 'policy.json'), '{"default": [{"type": "insecureAcceptAnything"}]}');
  await writeFile(join(base, 'Containerfile'), 'FROM scratch\nCOPY . /\nCMD ["node"]\n');
  await writeFile(
    join(pause, 'Containerfile'),
    `FROM scratch\nCOPY . /\nENTRYPOINT ["sh", "-c", "trap 'exit 0' TERM INT; while :; do sleep 3600 & wait; done"]\n`,
  );
  const options: ExecFileOptions = {
    timeout: stepTimeoutMs,
    maxBuffer: 64 * 1024 * 1024,
    env: { ...process.env, CONTAINERS_STORAGE_CONF: configuration, TMPDIR: work },
  };
  const buildah = (...args: readonly string[]) => run('buildah', args, options);
  const policy = ['--signature-policy', join(work, 'policy.json')];
  const bud = (image: string, ...args: readonly string[]) =>
    buildah(
      'bud',
      '--format',
      'docker',
      '--isolation',
      'chroot',
      '--pull-never',
      ...policy,
      '--tag',
      image,
      ...args,
    );
  await bud(baseImage, '--file', join(base, 'Containerfile'), base);
  await bud(pauseImage, '--file', join(pause, 'Containerfile'), pause);
  await bud(productImage, '--build-arg', 'REVISION=tested', repository);
  const push = (image: string, file: string) =>
    buildah('push', ...policy, image, `docker-archive:${join(folder, file)}:${image}`);
  await push(productImage, 'product.tar');
  await push(pauseImage, 'pause.tar');
}

/** The Dockerfile, every file that it is sent, and what the base is made of. */
async function keyOfInputs(): Promise<string> {
  const isSent = makeContextFilter(readFileSync(join(repository, '.dockerignore'), 'utf8'));
  const sent = ['src', 'views', 'cmd'].map(async (folder) => {
    const entries = await readdir(join(repository, folder), { recursive: true, withFileTypes: true });
    return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  });
  const files = (await Promise.all(sent))
    .flat()
    .map((path) => path.slice(repository.length + 1))
    .filter(isSent);
  const others = ['Dockerfile', '.dockerignore', 'package.json', 'package-lock.json', 'LICENSE'];
  const own = ['test/tools/image.ts', 'test/tools/imageBase.ts'];
  const hash = createHash('sha256').update(`${process.version} ${process.arch} `);
  for (const path of [...files.sort(), ...others, ...own]) {
    const content = readFileSync(join(repository, path));
    hash.update(`${path} ${content.length}\n`).update(content);
  }
  return hash.digest('hex').slice(0, 16);
}

async function removeOldImages(): Promise<void> {
  for (const name of await readdir(cacheFolder())) {
    const path = join(cacheFolder(), name);
    if (/^image-[0-9a-f]{16}$/.test(name) && Date.now() - (await stat(path)).mtimeMs > keptMs)
      await rm(path, { recursive: true, force: true });
  }
}
