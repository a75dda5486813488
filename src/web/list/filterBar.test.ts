import { expect, it } from 'vitest';
import { makeChips } from './filterBar.ts';
import { noFilters } from './filters.ts';

const uid = '3f0c2f4e-2b61-4a61-9c5c-1f6f0a3c9d11';

it.each([
  ['the name of a destination of a cluster', uid, [{ key: uid, name: 'acme-siem' }], 'acme-siem'],
  ['the name in the key of a file', 'directory/flows/siem', [], 'siem'],
  ['what is known where there is no name', uid, [], 'a destination'],
])('the chip of "not delivered" says %s', (_what, key, destinations, name) => {
  const chips = makeChips({ ...noFilters, undelivered: [key] }, 'acme', destinations);
  expect(chips.map(({ label }) => label)).toContain(`Not delivered to ${name}`);
});
