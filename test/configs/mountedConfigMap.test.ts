/** The directory as a kubelet mounts ConfigMaps and Secrets: links into a hidden directory that is swapped as a whole. */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { waitFor } from '../../tools/waitFor.ts';
import { follow, makeConfigDirectory, makeStatus, manifest, validConfig } from './configDirectory.ts';

/** What the kubelet's AtomicWriter does: a new directory, a new `..data` renamed over the old, links for new names. */
function makeVolume(path: string): (files: Record<string, string>) => void {
  let version = 0;
  let linked: string[] = [];
  return (files) => {
    const directory = `..2026_01_01_${version++}`;
    mkdirSync(join(path, directory), { recursive: true });
    for (const [name, text] of Object.entries(files)) writeFileSync(join(path, directory, name), text);
    symlinkSync(directory, join(path, '..data_tmp'));
    renameSync(join(path, '..data_tmp'), join(path, '..data'));
    for (const name of Object.keys(files)) {
      if (!linked.includes(name)) symlinkSync(join('..data', name), join(path, name));
    }
    for (const name of linked) if (!(name in files)) rmSync(join(path, name));
    linked = Object.keys(files);
    if (version > 1) rmSync(join(path, `..2026_01_01_${version - 2}`), { recursive: true });
  };
}

const headers = [
  { name: 'Authorization', valueFrom: { secretKeyRef: { name: 'acme-siem', key: 'authorization' } } },
];

it.each([
  ['by a watch', { rereadIntervalMs: 600_000 }],
  ['by reading again', { rereadIntervalMs: 20, isWatched: false }],
])('follows swapped ConfigMaps and Secrets %s', async (_, options) => {
  const { path } = makeConfigDirectory();
  const writeConfigMap = makeVolume(path);
  const writeSecret = makeVolume(join(path, 'secrets/acme-siem'));
  writeConfigMap({ 'acme.yaml': manifest('acme', { headers: headers }) });
  writeSecret({ authorization: 'Bearer one' });
  const following = await follow(path, options);
  const config = () => validConfig(following.states(), 'directory/default/acme');
  expect([...following.states().keys()]).toEqual(['directory/default/acme']);
  expect(config().destination.headers[0]?.value.reveal()).toBe('Bearer one');

  writeSecret({ authorization: 'Bearer two' });
  await waitFor(() => config().destination.headers[0]?.value.reveal() === 'Bearer two');

  writeConfigMap({
    'acme.yaml': manifest('acme', { headers: headers, maxBatchSize: 5 }),
    'beta.yaml': manifest('beta'),
  });
  await waitFor(() => config().spec.maxBatchSize === 5 && following.states().has('directory/default/beta'));
  expect(config().generation).toBe(2);

  writeConfigMap({ 'beta.yaml': manifest('beta') });
  await waitFor(() => !following.states().has('directory/default/acme'));
});

/** As root every directory can be written to: be somebody else for a while. */
async function asOrdinaryUser<T>(work: () => Promise<T>): Promise<T> {
  if (process.geteuid?.() !== 0) return work();
  process.seteuid?.(65534);
  try {
    return await work();
  } finally {
    process.seteuid?.(0);
  }
}

it('runs in a directory that cannot be written to, and says once that there is no status', async () => {
  const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme'), 'beta.yaml': manifest('beta') });
  chmodSync(directory.path, 0o555);
  await asOrdinaryUser(async () => {
    const following = await follow(directory.path);
    for (const name of ['acme', 'beta', 'acme']) {
      await following.source.writeStatus(`directory/default/${name}`, makeStatus());
    }
    expect(following.states().size).toBe(2);
    expect(following.logged('warn')).toHaveLength(1);
    expect(following.logged('warn')[0]).toMatchObject({ directory: directory.path, code: 'EACCES' });
    expect(following.logged('error')).toEqual([]);
    expect(directory.read('acme.status.yaml')).toBeNull();
  });

  chmodSync(directory.path, 0o777);
  await asOrdinaryUser(async () => {
    const following = await follow(directory.path);
    await following.source.writeStatus('directory/default/acme', makeStatus());
    await following.source.stop();
  });
  expect(directory.read('acme.status.yaml')).toContain('Delivering');
});

it('says of a manifest that cannot be read what to do', async () => {
  const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
  chmodSync(directory.path, 0o755);
  chmodSync(join(directory.path, 'acme.yaml'), 0o000);
  await asOrdinaryUser(async () => {
    const following = await follow(directory.path);
    expect([...following.states().values()]).toMatchObject([
      { kind: 'invalid', problems: ['acme.yaml cannot be read by this user: correct its permissions.'] },
    ]);
    await following.source.stop();
  });
});
