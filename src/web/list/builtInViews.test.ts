import { expect, it } from 'vitest';
import { listBuiltInViews } from './builtInViews.ts';

const viewsOf = (eventTypes: string[]) =>
  listBuiltInViews(eventTypes, { preset: '30d' }, 'acme').map(({ words, url }) => [
    words,
    [...new URLSearchParams(url.split('?')[1]).values()].join(' '),
  ]);

it('offers what the organization’s event types fit, and nothing else', () => {
  expect(viewsOf(['flow.created', 'page.viewed'])).toEqual([['Machine sessions', 'user']]);
  expect(
    viewsOf([
      ...[
        'flow.deleted',
        'iam.DeleteUser',
        'undeleted.one',
        'role.granted',
        'api_key.revoked',
        'iam.PutRolePolicy',
      ],
      ...['iam.ListRolePolicies', 'login.failed', 'login.succeeded', 'signin.locked', 'flow.run_failed'],
      ...['audit_export.created', 'audit_export.settings_viewed', 'audit_export.config_changed'],
    ]),
  ).toEqual([
    ['Deletions', 'flow.deleted iam.DeleteUser'],
    ['Access changes', 'api_key.revoked iam.PutRolePolicy role.granted'],
    ['Failed logins', 'login.failed signin.locked'],
    ['Machine sessions', 'user'],
    ['Changes of the export', 'audit_export.config_changed audit_export.created'],
  ]);
});
