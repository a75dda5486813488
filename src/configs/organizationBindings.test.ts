import { expect, test } from 'vitest';
import { findBindingProblem } from './organizationBindings.ts';

const bindings = { flows: ['acme', 'team-*', '*-x*y'], platform: ['*'], none: [] };

test.each([
  ['flows', 'acme', true],
  ['flows', 'Acme', false],
  ['flows', 'acme2', false],
  ['flows', 'team-', true],
  ['flows', 'team-a/b', true],
  ['flows', 'a-x-y', true],
  ['flows', '-xy', true],
  ['flows', '-x', false],
  ['platform', 'anything', true],
  ['none', 'acme', false],
  ['other', 'acme', false],
  ['constructor', 'acme', false],
])('namespace %s may name %s: %s', (namespace, organization, isAllowed) => {
  expect(findBindingProblem(bindings, namespace, organization) === null).toBe(isAllowed);
});

test('a star among the namespaces is for those that are not listed, and only for those', () => {
  const withDefault = { ...bindings, '*': ['shared'] };
  expect(findBindingProblem(withDefault, 'other', 'shared')).toBeNull();
  expect(findBindingProblem(withDefault, 'flows', 'shared')).not.toBeNull();
});

test('without bindings any namespace may name any organization', () => {
  expect(findBindingProblem({}, 'other', 'acme')).toBeNull();
});

test('a part of a pattern is not found twice in the same place', () => {
  expect(findBindingProblem({ a: ['ab*ba'] }, 'a', 'aba')).not.toBeNull();
  expect(findBindingProblem({ a: ['a*b*b'] }, 'a', 'ab')).not.toBeNull();
  expect(findBindingProblem({ a: ['a*b*b'] }, 'a', 'abb')).toBeNull();
});

test('the problem is one sentence with organization, namespace and the way out', () => {
  expect(findBindingProblem(bindings, 'flows', 'globex')).toBe(
    'spec.organization is "globex", which namespace flows may not export: use a namespace that may, or have the organization added to NAMESPACE_ORGANIZATIONS of the collector.',
  );
});
