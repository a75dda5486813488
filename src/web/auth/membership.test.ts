import { expect, it } from 'vitest';
import { administersOf } from './membership.ts';

const rules = (templates: [prefix: string, suffix: string][], superAdminGroup: string | null = null) => ({
  templates: templates.map(([prefix, suffix]) => ({ prefix, suffix })),
  superAdminGroup,
});

it('takes what stands between prefix and suffix of each template', () => {
  const groups = ['audit-admin:acme', 'globex:admin', 'initech', 'audit-admin:a:b'];
  expect(
    administersOf(
      groups,
      rules([
        ['audit-admin:', ''],
        ['', ':admin'],
      ]),
    ),
  ).toEqual(new Set(['acme', 'globex', 'a:b']));
});

it('takes no group for an organization without a name', () => {
  expect(administersOf(['audit-admin:'], rules([['audit-admin:', '']]))).toEqual(new Set());
  // The end of the prefix is not the suffix as well.
  expect(administersOf(['team-admin'], rules([['team-', '-admin']]))).toEqual(new Set());
  expect(administersOf(['', 'x'], rules([['', '']]))).toEqual(new Set(['x']));
});

it('compares exactly', () => {
  const groups = ['Audit-Admin:acme', ' audit-admin:acme', 'x-audit-admin:acme', 'audit-admin:acme:x'];
  expect(administersOf(groups, rules([['audit-admin:', ':y']]))).toEqual(new Set());
});

it('lets members of the super admin group administer everything, and nobody while there is none', () => {
  expect(administersOf(['platform'], rules([], 'platform'))).toBe('all');
  expect(administersOf(['platforms', ''], rules([], 'platform'))).toEqual(new Set());
  expect(administersOf(['null', ''], rules([]))).toEqual(new Set());
});
