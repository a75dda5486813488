/** The image that a real builder makes of the Dockerfile: what it says of itself, and every file that it adds to its base. */
import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, test } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };
import { toolTimeoutMs } from '../tools/build.ts';
import { isImageBuilderMissing, provideImages } from '../tools/image.ts';

interface Configuration {
  readonly User: string;
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Labels: Readonly<Record<string, string>>;
  readonly Healthcheck?: unknown;
}

/** Of CycloneDX. */
interface BillOfMaterials {
  readonly metadata: { readonly component: object };
  readonly components: ReadonlyArray<{
    readonly name: string;
    readonly version: string;
    readonly hashes: ReadonlyArray<{ readonly alg: string }>;
  }>;
}

interface Entry {
  readonly path: string;
  /** As `ls -l` writes it: `-rw-r--r--`. */
  readonly mode: string;
  readonly owner: string;
  readonly bytes: number;
}

const run = promisify(execFile);
/** Of what is added to the base image. A jump is worth a look at what came in. */
const mostBytes = 55_000_000;

describe.skipIf(isImageBuilderMissing())('the image that is built', () => {
  let configuration: Configuration;
  let entries: Entry[];
  let billOfMaterials: BillOfMaterials;
  beforeAll(async () => {
    ({ configuration, entries, billOfMaterials } = await readImage((await provideImages()).product));
  }, toolTimeoutMs);

  test('says what it is, of which revision, and what it runs as whom', () => {
    expect(configuration).toMatchObject({
      User: '65532:65532',
      Entrypoint: ['node', '--disable-sigusr1'],
      Cmd: ['cmd/collector.ts'],
      Labels: {
        'org.opencontainers.image.title': packageJson.name,
        'org.opencontainers.image.version': packageJson.version,
        'org.opencontainers.image.revision': 'tested',
        'org.opencontainers.image.licenses': packageJson.license,
      },
      ExposedPorts: { '8080/tcp': {}, '9090/tcp': {} },
    });
    // A format that does not keep one would drop it without a word.
    expect(configuration.Healthcheck).toBeUndefined();
  });

  test('is small, and holds the program, its dependencies and nothing else', async () => {
    const bytes = entries.reduce((sum, entry) => sum + entry.bytes, 0);
    process.stderr.write(
      `built image: ${(bytes / 1e6).toFixed(1)} MB, ${entries.length} files and folders\n`,
    );
    expect(bytes).toBeGreaterThan(mostBytes / 3);
    expect(bytes).toBeLessThan(mostBytes);
    const packages = await readLock('package-lock.json');
    const development = packages.filter(([, { dev }]) => dev === true).map(([path]) => `app/${path}/`);
    expect(development.length).toBeGreaterThan(20);
    const outside =
      /^app\/((src|views|cmd|node_modules|compile-cache)\/.*|LICENSE|package\.json|sbom\.cdx\.json)?$/;
    const unwanted = [
      /\.test\.ts$/,
      /\.node$/,
      /\.map$/,
      /node_modules\/.*\.[cm]?ts$/,
      /^app\/node_modules\/bare-/,
    ];
    const found = entries
      .map(({ path }) => path)
      .filter(
        (path) => !outside.test(path) || unwanted.some((one) => one.test(path)) || development.includes(path),
      );
    expect(found).toEqual([]);
    for (const name of Object.keys(packageJson.dependencies))
      expect(
        entries.some(({ path }) => path === `app/node_modules/${name}/package.json`),
        name,
      ).toBe(true);
  });

  test('brings a bill of materials with every production dependency, its version and its hash', async () => {
    const locked = (await readLock('package-lock.json'))
      .filter(([path, { dev }]) => path !== '' && dev !== true)
      .map(([path, { version }]) => `${path.slice(path.lastIndexOf('node_modules/') + 13)}@${version}`);
    const { name, version } = packageJson;
    expect(billOfMaterials.metadata.component).toMatchObject({ purl: `pkg:npm/${name}@${version}` });
    const listed = billOfMaterials.components.filter(({ hashes }) => hashes[0]?.alg === 'SHA-512');
    expect(listed.map(({ name, version }) => `${name}@${version}`).sort()).toEqual(
      [...new Set(locked)].sort(),
    );
  });

  test('belongs to root, and nobody else may write to it', () => {
    expect(entries.filter(({ owner }) => owner !== '0/0')).toEqual([]);
    const writable = entries.filter(({ mode }) => mode[0] !== 'l' && (mode[5] === 'w' || mode[8] === 'w'));
    expect(writable).toEqual([]);
    // Whatever user the cluster chooses, it reads every file.
    expect(entries.filter(({ mode }) => mode[7] !== 'r')).toEqual([]);
  });
});

/** The layers above the base, which is the first. */
async function readImage(
  archive: string,
): Promise<{ configuration: Configuration; entries: Entry[]; billOfMaterials: BillOfMaterials }> {
  const folder = await mkdtemp(join(tmpdir(), 'audit-export-archive-'));
  try {
    await run('tar', ['-xf', archive, '-C', folder]);
    const [manifest] = JSON.parse(await readFile(join(folder, 'manifest.json'), 'utf8'));
    const { config } = JSON.parse(await readFile(join(folder, manifest.Config), 'utf8'));
    const lists = await Promise.all(
      manifest.Layers.slice(1).map((layer: string) =>
        run('tar', ['--numeric-owner', '-tvf', join(folder, layer)], { maxBuffer: 64 * 1024 * 1024 }),
      ),
    );
    const layers = lists.map(({ stdout }) => parseList(stdout));
    const sbom = 'app/sbom.cdx.json';
    const at = 1 + layers.findIndex((layer) => layer.some(({ path }) => path === sbom));
    const { stdout } = await run('tar', ['-xOf', join(folder, manifest.Layers[at]), sbom], {
      maxBuffer: 8 * 1024 * 1024,
    });
    return { configuration: config, entries: layers.flat(), billOfMaterials: JSON.parse(stdout) };
  } finally {
    await rm(folder, { recursive: true });
  }
}

function parseList(text: string): Entry[] {
  return text
    .split('\n')
    .filter(Boolean)
    .map((line) => {
      const [, mode = '', owner = '', bytes = '', path = ''] =
        /^(\S+) +(\S+) +(\d+) \S+ \S+ (.*?)(?: -> .*)?$/.exec(line) ?? [];
      return { mode, owner, bytes: Number(bytes), path };
    });
}

async function readLock(
  path: string,
): Promise<Array<[string, { readonly dev?: boolean; readonly version?: string }]>> {
  return Object.entries(JSON.parse(await readFile(path, 'utf8')).packages);
}
