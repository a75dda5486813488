import { expect, it } from 'vitest';
import { Secret } from '../../../model/secret.ts';
import { followSecret, makeSeals } from './seal.ts';

it('opens what a former secret sealed, and seals with a new one only after every replica has seen it', () => {
  let [value, now] = ['one', 0];
  const here = makeSeals(
    followSecret(new Secret(() => value), () => now),
    'test',
  );
  const sealed = here.seal('text', 'place');
  value = 'two';
  expect(here.open(sealed, 'place')).toBe('text');
  const old = makeSeals(new Secret('one'), 'test');
  const young = makeSeals(new Secret('two'), 'test');
  expect(old.open(here.seal('text', 'place'), 'place')).toBe('text');
  expect(here.open(young.seal('text', 'place'), 'place')).toBe('text');
  now = 130_000;
  expect(young.open(here.seal('text', 'place'), 'place')).toBe('text');
  expect(here.open(sealed, 'place')).toBe('text');
  expect(here.open(sealed, 'elsewhere')).toBeNull();
});
