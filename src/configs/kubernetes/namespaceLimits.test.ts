import { expect, test } from 'vitest';
import type { ClusterLimits } from './clusterRules.ts';
import { readObject } from './kubeObject.ts';
import { NamespaceLimits } from './namespaceLimits.ts';

function make(name: string, age: number, namespace = 'a') {
  const creationTimestamp = new Date(age * 1_000).toISOString();
  const object = readObject({
    metadata: { name, namespace, uid: name, resourceVersion: '1', generation: 1, creationTimestamp },
  });
  if (object === null) throw new Error('no object');
  return object;
}

function start(limits: ClusterLimits) {
  const changed: string[] = [];
  return Object.assign(new NamespaceLimits(limits, (uid) => void changed.push(uid)), { changed });
}
const wide = { configsPerNamespace: 100, secretsPerNamespace: 100, secretsPerConfig: 100 };

test('the oldest configs of a namespace are used, in whatever order they come', () => {
  const limits = start({ ...wide, configsPerNamespace: 2 });
  const [one, two, three] = [make('one', 1), make('two', 2), make('three', 3)];
  for (const config of [three, one, two, make('other', 9, 'b')]) limits.add(config);
  expect(limits.changed).toEqual(['three']);
  expect([one, two, three].map((config) => limits.checkPlace(config)?.reason)).toEqual([
    undefined,
    undefined,
    'TooManyConfigs',
  ]);
});

test('the next one is told when a place becomes free', () => {
  const limits = start({ ...wide, configsPerNamespace: 1 });
  const [one, two, three] = [make('one', 1), make('two', 2), make('three', 3)];
  for (const config of [one, two, three]) limits.add(config);
  limits.remove(three);
  expect(limits.changed).toEqual([]);
  limits.remove(one);
  expect(limits.changed).toEqual(['two']);
  expect(limits.checkPlace(two)).toBeNull();
});

test('a config that refers to too many Secrets is refused, and counts for none', () => {
  const limits = start({ ...wide, secretsPerConfig: 2, secretsPerNamespace: 2 });
  const [one, two] = [make('one', 1), make('two', 2)];
  for (const config of [one, two]) limits.add(config);
  expect(limits.check(one, ['a', 'b', 'c'])?.problem).toBe(
    'a/one refers to 3 Secrets, and 2 are allowed: put the values into fewer Secrets, as several keys of one.',
  );
  expect(limits.check(two, ['a', 'b'])).toBeNull();
});

test('the Secrets of the oldest configs are used; younger ones may share them', () => {
  const limits = start({ ...wide, secretsPerNamespace: 2 });
  const configs = [make('one', 1), make('two', 2), make('three', 3)] as const;
  for (const config of configs) limits.add(config);
  const [one, two, three] = configs;
  expect(limits.check(three, ['x', 'y'])).toBeNull();
  expect(limits.check(two, ['a'])).toBeNull();
  expect(limits.changed).toEqual(['three']);
  expect(limits.check(three, ['x', 'y'])?.reason).toBe('TooManySecrets');
  expect(limits.check(three, ['a', 'x'])).toBeNull();
  expect(limits.check(one, ['a', 'b'])).toBeNull();
  expect(limits.changed).toEqual(['three', 'three']);
  limits.remove(one);
  expect(limits.changed).toEqual(['three', 'three', 'three']);
  expect(limits.check(three, ['a', 'x'])).toBeNull();
});
