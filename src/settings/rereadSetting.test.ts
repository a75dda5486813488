import { expect, test } from 'vitest';
import { readSettings } from './readSettings.ts';
import { rereadSetting } from './rereadSetting.ts';

function setUp(files: Record<string, string>) {
  const env = { AUTH_MODE: 'local', DATABASE_URL_FILE: '/run/url', SERVICE_NAME: 'flows' };
  const result = readSettings(env, (path) => {
    const content = files[path];
    if (content === undefined) throw new Error('ENOENT');
    return content;
  });
  if (!result.ok) throw new Error(result.problems.join('\n'));
  const { settings } = result;
  return { settings, url: () => rereadSetting(settings, 'databaseUrl').reveal() };
}

test('a file is read again; while it is missing, empty or wrong the last good value holds', () => {
  const files: Record<string, string> = { '/run/url': 'postgres://a:old@db/flows\n' };
  const { settings, url } = setUp(files);
  expect(url()).toBe('postgres://a:old@db/flows');
  files['/run/url'] = 'postgres://a:new@db/flows\n';
  expect(url()).toBe('postgres://a:new@db/flows');
  expect(settings.databaseUrl.reveal()).toBe('postgres://a:old@db/flows');
  for (const broken of ['', 'postg', undefined]) {
    if (broken === undefined) delete files['/run/url'];
    else files['/run/url'] = broken;
    expect(url()).toBe('postgres://a:new@db/flows');
  }
  expect(rereadSetting(settings, 'serviceName')).toBe('flows');
});

test('of settings that came from elsewhere it is the value that they have', () => {
  const { settings } = setUp({ '/run/url': 'postgres://a:old@db/flows' });
  expect(rereadSetting({ ...settings }, 'databaseUrl').reveal()).toBe('postgres://a:old@db/flows');
});
