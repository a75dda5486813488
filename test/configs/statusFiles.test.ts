/** Status files: where they lie, what is in them, when they are written and when they go. */
import { existsSync, mkdirSync, readdirSync, statSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { waitFor } from '../../tools/waitFor.ts';
import { follow, makeConfigDirectory, makeStatus, manifest } from './configDirectory.ts';

const configKey = 'directory/default/acme';

describe('writeStatus', () => {
  it('writes beside the manifest what kubectl would show', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme', {}, { namespace: 'flows' }) });
    const { source } = await follow(directory.path);
    await source.writeStatus('directory/flows/acme', makeStatus());
    expect(
      directory.read('acme.status.yaml'),
    ).toBe(`# Written by Audit Export beside acme.yaml; changes here are overwritten.
apiVersion: auditexport.dev/v1
kind: AuditExportConfig
metadata:
  name: acme
  namespace: flows
status:
  observedGeneration: 1
  resolvedEndpoint: https://otel.example.com/v1/logs
  conditions:
    - type: Ready
      status: "True"
      reason: Delivering
      message: "Entries are delivered: yes."
      lastTransitionTime: "2026-01-01T00:00:00Z"
      observedGeneration: 1
`);
    expect(statSync(join(directory.path, 'acme.status.yaml')).mode & 0o777).toBe(0o644);
    expect(readdirSync(directory.path).sort()).toEqual(['acme.status.yaml', 'acme.yaml']);
  });

  it('gives back every text as it was', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const { source } = await follow(directory.path);
    const message = 'yes\n# no: "quoted" \u2028 & *x \u0000 \u{1F600}  ';
    const lastError = { time: '2026-01-01T00:00:00Z', reason: 'Timeout', message };
    await source.writeStatus(configKey, makeStatus({ lastError }));
    expect(parse(directory.read('acme.status.yaml') ?? '').status.lastError).toEqual(lastError);
  });

  it('leaves a file alone that says the same already, also after a restart', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const path = join(directory.path, 'acme.status.yaml');
    const first = await follow(directory.path);
    await first.source.writeStatus(configKey, makeStatus());
    // A number of its own is not enough: that of a file just replaced can come again.
    const identity = () => `${statSync(path).ino} ${statSync(path, { bigint: true }).ctimeNs}`;
    const before = identity();
    await first.source.writeStatus(configKey, makeStatus());
    const second = await follow(directory.path);
    await second.source.writeStatus(configKey, makeStatus());
    expect(identity()).toBe(before);
    await second.source.writeStatus(configKey, makeStatus({ pendingEntries: 1 }));
    expect(identity()).not.toBe(before);
  });

  it('sees what a file says of its ledger now, whoever changed it, also when its time was set back', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const { source } = await follow(directory.path);
    const sizeInFile = async () => (await source.readLedger(configKey))?.size ?? null;
    const ledger = { origin: 'a/b', size: 1, root: 'AAAA', time: '2026-01-01T00:00:00Z' };
    expect(await sizeInFile()).toBeNull();
    await source.writeStatus(configKey, makeStatus({ ledger }));
    expect(await sizeInFile()).toBe(1);
    const path = join(directory.path, 'acme.status.yaml');
    const hourAgo = Date.now() / 1_000 - 3_600;
    // Old enough for its time to be relied on.
    utimesSync(path, hourAgo, hourAgo);
    expect(await sizeInFile()).toBe(1);
    const text = directory.read('acme.status.yaml') ?? '';
    for (const size of [2, 3]) {
      directory.write('acme.status.yaml', text.replace('size: 1', `size: ${size}`));
      utimesSync(path, hourAgo, hourAgo);
      expect(await sizeInFile()).toBe(size);
      expect(await sizeInFile()).toBe(size);
    }
    directory.remove('acme.status.yaml');
    // What was last written stands in for a file that is gone.
    expect(await sizeInFile()).toBe(1);
  });

  it('mends a file that somebody has changed', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const { source } = await follow(directory.path);
    await source.writeStatus(configKey, makeStatus());
    directory.write('acme.status.yaml', '');
    await source.writeStatus(configKey, makeStatus());
    expect(directory.read('acme.status.yaml')).toContain('Delivering');
  });

  it('ends with the last of many at once', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const { source } = await follow(directory.path);
    const writes = Array.from({ length: 50 }, (_, i) =>
      source.writeStatus(configKey, makeStatus({ deliveredEntries: i })),
    );
    await Promise.all(writes);
    expect(parse(directory.read('acme.status.yaml') ?? '').status.deliveredEntries).toBe(49);
    expect(readdirSync(directory.path)).toHaveLength(2);
  });

  it('writes the status of what is wrong: a bad spec, a name given twice, a file that cannot be read', async () => {
    const directory = makeConfigDirectory({
      'a.yaml': manifest('acme', { maxBatchSize: 0 }),
      'b.yaml': manifest('acme'),
      'c.yaml': '{',
    });
    const { source, states } = await follow(directory.path);
    expect([...states().keys()]).toEqual([configKey, `${configKey}/b.yaml`, 'directory/default/c/c.yaml']);
    for (const key of states().keys()) await source.writeStatus(key, makeStatus());
    expect(parse(directory.read('acme.status.yaml') ?? '').metadata.name).toBe('acme');
    expect(parse(directory.read('b.status.yaml') ?? '').metadata.name).toBe('acme');
    expect(parse(directory.read('c.status.yaml') ?? '').metadata.name).toBe('c');
  });

  it('keeps equal names of two namespaces apart', async () => {
    const directory = makeConfigDirectory({
      'one.yaml': manifest('acme', {}, { namespace: 'one' }),
      'two.yaml': manifest('acme', {}, { namespace: 'two' }),
    });
    const { source } = await follow(directory.path);
    await source.writeStatus('directory/one/acme', makeStatus());
    await source.writeStatus('directory/two/acme', makeStatus());
    expect(parse(directory.read('acme.status.yaml') ?? '').metadata.namespace).toBe('one');
    expect(parse(directory.read('two.status.yaml') ?? '').metadata.namespace).toBe('two');
  });

  it('does nothing for a key that is not there, and nothing after stop', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const { source } = await follow(directory.path);
    await source.writeStatus('directory/default/other', makeStatus());
    await source.stop();
    await source.writeStatus(configKey, makeStatus());
    expect(readdirSync(directory.path)).toEqual(['acme.yaml']);
  });

  it('tries again with the next status after a failure, and says it once', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    // A directory in the way of the file.
    mkdirSync(join(directory.path, 'acme.status.yaml'));
    const { source, logged } = await follow(directory.path);
    await source.writeStatus(configKey, makeStatus());
    await source.writeStatus(configKey, makeStatus());
    expect(logged('error')).toHaveLength(1);
    directory.remove('acme.status.yaml');
    await source.writeStatus(configKey, makeStatus());
    expect(directory.read('acme.status.yaml')).toContain('Delivering');
  });

  it('does not take its own writes for changes', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path);
    await following.source.writeStatus(configKey, makeStatus());
    directory.write('beta.yaml', manifest('beta'));
    await waitFor(() => following.states().size === 2);
    expect(following.changes()).toBe(2);
  });
});

describe('a status file', () => {
  it('goes with its manifest', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const following = await follow(directory.path);
    await following.source.writeStatus(configKey, makeStatus());
    directory.remove('acme.yaml');
    await waitFor(() => following.states().size === 0);
    await waitFor(() => !existsSync(join(directory.path, 'acme.status.yaml')));
  });

  it('goes at start when its manifest went while nobody looked', async () => {
    const directory = makeConfigDirectory({ 'acme.yaml': manifest('acme') });
    const first = await follow(directory.path);
    await first.source.writeStatus(configKey, makeStatus());
    await first.source.stop();
    directory.remove('acme.yaml');
    await follow(directory.path);
    expect(readdirSync(directory.path)).toEqual([]);
  });

  it('stays when it is not ours', async () => {
    const directory = makeConfigDirectory({ 'notes.status.yaml': 'mine: true\n' });
    await follow(directory.path);
    expect(directory.read('notes.status.yaml')).toBe('mine: true\n');
  });

  it('moves when metadata.name changes', async () => {
    const directory = makeConfigDirectory({ 'x.yaml': manifest('acme') });
    const following = await follow(directory.path);
    await following.source.writeStatus(configKey, makeStatus());
    directory.write('x.yaml', manifest('beta'));
    await waitFor(() => following.states().has('directory/default/beta'));
    await following.source.writeStatus('directory/default/beta', makeStatus());
    await waitFor(() => readdirSync(directory.path).join() === 'beta.status.yaml,x.yaml');
  });
});
