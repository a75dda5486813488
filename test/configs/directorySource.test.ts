/** The directory source against a real file system: every way a file can come, change and go. */
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { DirectorySource } from '../../src/configs/directory/directorySource.ts';
import { makeLogger } from '../../src/telemetry/logger.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { follow, makeConfigDirectory, manifest, validConfig } from './configDirectory.ts';

const configKey = 'directory/default/acme';
/** Nothing is seen by the timer: what these tests see came from a watch. */
const watchOnly = { rereadIntervalMs: 600_000 };
const timerOnly = { rereadIntervalMs: 20, isWatched: false };

describe('start', () => {
  it('reports an empty directory', async () => {
    const following = await follow(makeConfigDirectory().path);
    expect(following.changes()).toBe(1);
    expect(following.states()).toEqual(new Map());
  });

  it('reports every manifest before it resolves, and no other file', async () => {
    const directory = makeConfigDirectory({
      'acme.yaml': manifest('acme'),
      'beta.yml': manifest('beta', {}, { namespace: 'flows' }),
      'gamma.status.yaml': manifest('gamma'),
      '.acme.yaml.swp': 'x',
      '.hidden.yaml': manifest('hidden'),
      '#acme.yaml#': 'x',
      'acme.yaml~': manifest('backup'),
      'notes.txt': 'x',
      'folder.yaml/inner.yaml': manifest('inner'),
    });
    const following = await follow(directory.path);
    expect([...following.states().keys()]).toEqual([
      configKey,
      'directory/flows/beta',
      'directory/default/folder/folder.yaml',
    ]);
    expect(validConfig(following.states(), 'directory/flows/beta')).toMatchObject({
      namespace: 'flows',
      name: 'beta',
      generation: 1,
      spec: { organization: 'acme', startFrom: { kind: 'now' }, maxBatchSize: 1000 },
      destination: {
        url: new URL('https://otel.example.com/v1/logs'),
        timeoutMs: 10_000,
        compression: 'gzip',
      },
    });
    expect(following.states().get('directory/default/folder/folder.yaml')).toMatchObject({
      kind: 'invalid',
      problems: ['folder.yaml is not a file.'],
    });
  });

  it('rejects when the directory does not exist', async () => {
    await expect(follow('/nonexistent/configs')).rejects.toThrow(
      'CONFIG_DIRECTORY is /nonexistent/configs: it does not exist; create it or correct the setting.',
    );
  });

  it('rejects when the directory is a file', async () => {
    const { path } = makeConfigDirectory({ file: '' });
    await expect(follow(join(path, 'file'))).rejects.toThrow('it is not a directory');
  });
});

describe.each([
  ['by a watch', watchOnly],
  ['by reading again', timerOnly],
])('a change seen %s', (_, options) => {
  it('is a new file', async () => {
    const directory = makeConfigDirectory();
    const following = await follow(directory.path, options);
    directory.write('acme.yaml', manifest('acme'));
    await waitFor(() => following.states().get(configKey)?.kind === 'valid');
  });

  it('is an edit in place, which raises the generation', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme', { maxBatchSize: 10 }) });
    const following = await follow(directory.path, options);
    directory.write('acme.yaml', manifest('acme', { maxBatchSize: 20 }));
    await waitFor(() => validConfig(following.states(), configKey).spec.maxBatchSize === 20);
    expect(validConfig(following.states(), configKey).generation).toBe(2);
  });

  it('is an edit that keeps the size of the file', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme', { maxBatchSize: 100 }) });
    const following = await follow(directory.path, options);
    for (const maxBatchSize of [200, 300, 400]) {
      directory.write('acme.yaml', manifest('acme', { maxBatchSize }));
      await waitFor(() => validConfig(following.states(), configKey).spec.maxBatchSize === maxBatchSize);
    }
  });

  it('is a file renamed over the manifest', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path, options);
    directory.write('.acme.yaml.tmp', manifest('acme', { suspend: true }));
    renameSync(join(directory.path, '.acme.yaml.tmp'), join(directory.path, 'acme.yaml'));
    await waitFor(() => validConfig(following.states(), configKey).spec.suspend);
  });

  it('is a manifest renamed, which changes nothing of the configuration', async () => {
    const directory = makeConfigDirectory({
      'acme.yaml': manifest('acme'),
      'beta.yaml': manifest('beta', {}, { namespace: 'b' }),
    });
    const following = await follow(directory.path, options);
    const before = following.states().get(configKey);
    renameSync(join(directory.path, 'acme.yaml'), join(directory.path, 'zulu.yaml'));
    directory.remove('beta.yaml');
    await waitFor(() => following.states().size === 1);
    expect(following.states().get(configKey)).toBe(before);
  });

  it('is a deleted file', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path, options);
    directory.remove('acme.yaml');
    await waitFor(() => following.states().size === 0);
  });

  it('is a half-written file, whose last good configuration runs on', async () => {
    const whole = manifest('acme', { maxBatchSize: 7 });
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path, options);
    directory.write('acme.yaml', whole.slice(0, 60));
    await waitFor(() => following.states().get(configKey)?.kind === 'invalid');
    expect(following.states().get(configKey)).toMatchObject({
      reason: 'InvalidSpec',
      generation: 2,
      problems: [expect.stringContaining('acme.yaml, line 1, column ')],
      lastGood: { generation: 1, spec: { maxBatchSize: 1000 } },
    });
    appendFileSync(join(directory.path, 'acme.yaml'), whole.slice(60));
    await waitFor(() => following.states().get(configKey)?.kind === 'valid');
    expect(validConfig(following.states(), configKey)).toMatchObject({
      generation: 3,
      spec: { maxBatchSize: 7 },
    });
  });

  it('is a Secret that comes, changes and goes', async () => {
    const headers = [
      { name: 'Authorization', valueFrom: { secretKeyRef: { name: 'acme-siem', key: 'authorization' } } },
    ];
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme', { headers }) });
    const following = await follow(directory.path, options);
    expect(following.states().get(configKey)).toMatchObject({ reason: 'SecretNotFound', lastGood: null });

    mkdirSync(join(directory.path, 'secrets/acme-siem'), { recursive: true });
    await waitFor(() => {
      const state = following.states().get(configKey);
      return state?.kind === 'invalid' && state.reason === 'SecretKeyNotFound';
    });

    const valueNow = () => {
      const state = following.states().get(configKey);
      return state?.kind === 'valid' && state.config.destination.headers[0]?.value.reveal();
    };
    directory.write('secrets/acme-siem/authorization', 'Bearer one\n');
    await waitFor(() => valueNow() === 'Bearer one');
    const { fingerprint } = validConfig(following.states(), configKey).destination;

    directory.write('secrets/acme-siem/authorization', 'Bearer two\n');
    await waitFor(() => valueNow() === 'Bearer two');
    const rotated = validConfig(following.states(), configKey);
    expect(rotated.generation).toBe(1);
    expect(rotated.destination.fingerprint).not.toBe(fingerprint);

    rmSync(join(directory.path, 'secrets'), { recursive: true });
    await waitFor(() => following.states().get(configKey)?.kind === 'invalid');
    const gone = following.states().get(configKey);
    expect(gone).toMatchObject({
      reason: 'SecretNotFound',
      problems: [
        'Secret default/acme-siem (spec.headers[0]) does not exist: create it with the key authorization, or correct the reference.',
      ],
    });
    expect(gone?.kind === 'invalid' && gone.lastGood?.destination.fingerprint).toBe(
      rotated.destination.fingerprint,
    );
    expect(JSON.stringify(following.logged('info').concat(following.logged('warn')))).not.toContain('Bearer');
  });

  it('is a wish to try again', async () => {
    const asked = (at: string) =>
      manifest('acme', {}, { annotations: { 'auditexport.dev/reconcile-at': at } });
    const directory = makeConfigDirectory({ 'acme.yaml': asked('1') });
    const following = await follow(directory.path, options);
    directory.write('acme.yaml', asked('2'));
    await waitFor(() => validConfig(following.states(), configKey).reconcileAt === '2');
    expect(validConfig(following.states(), configKey).generation).toBe(1);
  });
});

describe('what is not a change', () => {
  it('is a touched, reformatted or relabelled file', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path);
    directory.write('acme.yaml', manifest('acme'));
    directory.write('acme.yaml', JSON.stringify(JSON.parse(manifest('acme')), null, 2));
    directory.write('acme.yaml', manifest('acme', { maxBatchSize: 1000 }, { labels: { team: 'a' } }));
    // A change behind it in time, to know that the others have been read.
    directory.write('beta.yaml', manifest('beta'));
    const before = following.states().get(configKey);
    await waitFor(() => following.states().size === 2);
    expect(following.states().get(configKey)).toBe(before);
    expect(following.changes()).toBe(2);
  });
});

describe('two files with one name', () => {
  it('use the one that sorts first, and say so of the other', async () => {
    const directory = makeConfigDirectory({ 'b.yaml': manifest('acme', { maxBatchSize: 2 }) });
    const following = await follow(directory.path);
    directory.write('a.yaml', manifest('acme', { maxBatchSize: 1 }));
    await waitFor(() => following.states().size === 2);
    expect(validConfig(following.states(), configKey)).toMatchObject({
      generation: 2,
      spec: { maxBatchSize: 1 },
    });
    expect(following.states().get(`${configKey}/b.yaml`)).toMatchObject({
      kind: 'invalid',
      reason: 'InvalidSpec',
      name: 'acme',
      lastGood: null,
      problems: [
        'a.yaml and b.yaml are both named default/acme: a.yaml is used, so rename or delete the one in b.yaml.',
      ],
    });
    directory.remove('a.yaml');
    await waitFor(() => following.states().size === 1);
    expect(validConfig(following.states(), configKey)).toMatchObject({
      generation: 3,
      spec: { maxBatchSize: 2 },
    });
  });
});

describe('trouble', () => {
  it('a directory that is gone for a while ends no export, and is followed again', async () => {
    const directory = makeConfigDirectory({ 'configs/acme.yaml': manifest('acme') });
    const path = join(directory.path, 'configs');
    const following = await follow(path, { rereadIntervalMs: 20 });
    renameSync(path, `${path}.away`);
    await waitFor(() => following.logged('error').length > 0);
    expect(following.states().get(configKey)?.kind).toBe('valid');
    mkdirSync(path);
    writeFileSync(join(path, 'beta.yaml'), manifest('beta'));
    await waitFor(
      () => following.states().has('directory/default/beta') && !following.states().has(configKey),
    );
    expect(following.logged('error')).toHaveLength(1);
  });

  it('a directory replaced by another one is watched anew', async () => {
    const directory = makeConfigDirectory({ 'configs/acme.yaml': manifest('acme') });
    const path = join(directory.path, 'configs');
    const following = await follow(path, { rereadIntervalMs: 400 });
    renameSync(path, `${path}.away`);
    mkdirSync(path);
    writeFileSync(join(path, 'beta.yaml'), manifest('beta'));
    await waitFor(() => following.states().has('directory/default/beta'));
  });

  it('a change that could not be taken over is offered again', async () => {
    const directory = makeConfigDirectory();
    let calls = 0;
    const following = await follow(directory.path, {
      rereadIntervalMs: 20,
      onChange: () => {
        calls++;
        if (calls === 2 || calls === 3) throw new Error('not now');
      },
    });
    directory.write('acme.yaml', manifest('acme'));
    await waitFor(() => calls === 4);
    expect(following.states().get(configKey)?.kind).toBe('valid');
    expect(following.logged('error')).toHaveLength(2);
  });
});

describe('stop', () => {
  it('leaves no timer and no watch', async () => {
    const watched = () => process.getActiveResourcesInfo().filter((name) => name === 'FSEventWrap').length;
    // Those of the tests before close in their own time.
    await waitFor(() => watched() === 0);
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path);
    expect(watched()).toBe(1);
    const timers = countTimers();
    expect(timers).toBeGreaterThan(0);
    await following.source.stop();
    expect(countTimers()).toBeLessThan(timers);
    await waitFor(() => watched() === 0);
    directory.write('beta.yaml', manifest('beta'));
    expect(following.changes()).toBe(1);
  });

  it('may come while start is still reading', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const log = makeLogger({ level: 'silent' });
    const source = new DirectorySource({ directory: directory.path, log });
    let changes = 0;
    const starting = source.start(() => changes++);
    await Promise.all([source.stop(), source.stop()]);
    await starting;
    expect(changes).toBe(0);
  });
});

function countTimers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
}
