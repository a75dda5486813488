import { expect, it } from 'vitest';
import { fields, findField } from './fields.ts';
import { allFieldPaths } from './problems/schemaWalk.ts';
import { specSchema } from './schema.ts';

it('has a row for each field of the schema, in the same order, and no other', () => {
  const paths = allFieldPaths(specSchema).map((path) => path.join('.'));
  const rows = new Set<string>(fields.map(({ path }) => path));
  // A map of fields has none of its own, and a reference to a Secret is one field.
  const leaves = paths.filter((path) => !/SecretRef\./.test(path) && !['filter', 'tls'].includes(path));
  expect([...rows]).toEqual(leaves);
});

it('takes defaults, limits and choices from the schema', () => {
  expect(findField('maxBatchSize')).toMatchObject({ input: 'number', min: 1, max: 1000, defaultValue: 1000 });
  expect(findField('compression')).toMatchObject({ input: 'choice', options: ['gzip', 'zstd', 'none'] });
  expect(findField('endpoint')).toMatchObject({ input: 'text', isOptional: false, maxLength: 2048 });
  expect(findField('tls.serverName')).toMatchObject({ input: 'text', isOptional: true });
  expect(findField('tls.caSecretRef')).toMatchObject({ input: 'secret', recordedAs: 'tls.ca' });
});
