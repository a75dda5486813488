import { describe, expect, it } from 'vitest';
import { assignKeys } from './assignKeys.ts';
import type { FileIdentity, ManifestFile } from './parseFile.ts';
import { assignStatusNames } from './statusFiles.ts';

function fileNamed(file: string, identity: FileIdentity | null): ManifestFile {
  return { file, identity, parsed: { ok: false, problems: ['x'] }, version: 1 };
}

const acmeDocument = { namespace: 'default', name: 'acme' };

function keysOf(files: ManifestFile[], last: Record<string, FileIdentity> = {}): string[] {
  return assignKeys(files, new Map(Object.entries(last))).map(({ key }) => key);
}

function statusNamesOf(files: ManifestFile[]): string[] {
  return [...assignStatusNames(assignKeys(files, new Map())).values()].sort();
}

describe('assignKeys', () => {
  it('gives the first of two files the name, and the other a key of its own', () => {
    const files = [fileNamed('a.yaml', acmeDocument), fileNamed('b.yaml', acmeDocument)];
    expect(keysOf(files)).toEqual(['directory/default/acme', 'directory/default/acme/b.yaml']);
  });

  it('leaves a file its name while it cannot be read', () => {
    expect(keysOf([fileNamed('a.yaml', null)], { 'a.yaml': acmeDocument })).toEqual([
      'directory/default/acme',
    ]);
  });

  it('gives the name to a readable file, though one that cannot be read had it before', () => {
    const files = [fileNamed('a.yaml', null), fileNamed('b.yaml', acmeDocument)];
    expect(keysOf(files, { 'a.yaml': acmeDocument })).toEqual([
      'directory/default/a/a.yaml',
      'directory/default/acme',
    ]);
  });

  it('never gives one key twice', () => {
    const files = ['a.yaml', 'a.yml', 'acme.yaml', 'acme.yml'].flatMap((file) => [
      fileNamed(file, null),
      fileNamed(`${file}.yaml`, acmeDocument),
    ]);
    const keys = keysOf(files, { 'acme.yaml': acmeDocument, 'a.yml': acmeDocument });
    expect(new Set(keys).size).toBe(files.length);
  });
});

describe('assignStatusNames', () => {
  it('goes by metadata.name, and by the file where that is taken or not known', () => {
    expect(
      statusNamesOf([
        fileNamed('a.yaml', acmeDocument),
        fileNamed('b.yaml', acmeDocument),
        fileNamed('c.yaml', { namespace: 'other', name: 'acme' }),
        fileNamed('d.yaml', null),
        fileNamed('d.yml', null),
      ]),
    ).toEqual(['acme.status.yaml', 'b.status.yaml', 'c.status.yaml', 'd.status.yaml', 'd.yml.status.yaml']);
  });

  it('does not let a broken file take the place of the one that is named so', () => {
    const assigned = assignKeys([fileNamed('acme.yaml', null), fileNamed('b.yaml', acmeDocument)], new Map());
    expect(assignStatusNames(assigned)).toEqual(
      new Map([
        ['directory/default/acme', 'acme.status.yaml'],
        ['directory/default/acme/acme.yaml', 'acme.yaml.status.yaml'],
      ]),
    );
  });
});
