import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Environment, readSettings } from './readSettings.ts';
import type { Settings } from './table.ts';

const databaseUrl = 'postgres://collector:s3cret-pw@db.example.com:5432/flows';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'settings-'));
});
afterAll(() => rmSync(directory, { recursive: true }));

function writeSetting(name: string, content: string): string {
  const path = join(directory, name);
  writeFileSync(path, content);
  return path;
}

function read(env: Environment) {
  return readSettings({ DATABASE_URL: databaseUrl, AUTH_MODE: 'local', ...env }, (path) =>
    readFileSync(path, 'utf8'),
  );
}

function settingsOf(env: Environment): Settings {
  const result = read(env);
  if (!result.ok) throw new Error(result.problems.join('\n'));
  return result.settings;
}

function problemsOf(env: Environment): readonly string[] {
  const result = read(env);
  return result.ok ? [] : result.problems;
}

test('fills in every default', () => {
  const settings = settingsOf({});
  expect(settings.databaseUrl.reveal()).toBe(databaseUrl);
  expect({ ...settings, databaseUrl: undefined }).toEqual({
    databaseUrl: undefined,
    configSource: 'kubernetes',
    configDirectory: null,
    watchNamespace: null,
    watchLabels: [],
    retentionDays: null,
    ledgerKey: null,
    ledgerName: 'audit-export',
    secretConsent: 'warn',
    ownSecrets: [],
    namespaceOrganizations: {},
    maxConfigsPerNamespace: 1_000,
    maxSecretsPerNamespace: 1_000,
    maxSecretsPerConfig: 16,
    metricsToken: null,
    configChangeEntries: 'write',
    pageAddress: { host: '127.0.0.1', port: 8080 },
    authMode: 'local',
    publicOrigin: null,
    pageNamespace: null,
    maxDestinations: 10,
    adminGroups: [{ prefix: 'audit-admin:', suffix: '' }],
    superAdminGroup: null,
    oidcIssuer: null,
    oidcClientId: null,
    oidcClientSecret: null,
    oidcScopes: 'openid profile email groups',
    oidcGroupsClaim: 'groups',
    sessionSecret: null,
    previousSessionSecret: null,
    sessionIdleMs: 1_800_000,
    sessionAbsoluteMs: 43_200_000,
    jwtJwksUrl: null,
    jwtIssuer: null,
    jwtAudience: null,
    jwtHeader: 'authorization',
    jwtGroupsClaim: 'groups',
    jwtAlgorithms: ['RS256', 'PS256', 'ES256', 'EdDSA'],
    trustedProxies: [],
    proxySecret: null,
    proxySecretHeader: 'x-proxy-secret',
    userHeader: 'x-forwarded-user',
    nameHeader: 'x-forwarded-preferred-username',
    groupsHeader: 'x-forwarded-groups',
    operationsAddress: { host: '0.0.0.0', port: 9090 },
    logLevel: 'info',
    serviceName: 'audit-export',
    pollIntervalMs: 250,
    leaseDurationMs: 10_000,
    replicaName: hostname(),
    statusIntervalMs: 30_000,
    maxBatchBytes: 4_194_304,
    maxRequestsInFlight: 4,
    retryInitialMs: 500,
    retryMaxMs: 30_000,
    holdInitialMs: 5_000,
    holdMaxMs: 60_000,
    refusedAddresses: [],
    allowedAddresses: [],
    databasePoolSize: 8,
    shutdownGraceMs: 25_000,
  });
});

test('takes every value from the environment', () => {
  const settings = settingsOf({
    CONFIG_SOURCE: 'directory',
    CONFIG_DIRECTORY: '/etc/audit-export',
    WATCH_NAMESPACE: 'flows',
    OPERATIONS_ADDRESS: '[::1]:9191',
    POLL_INTERVAL_MS: '1000',
    REFUSED_ADDRESSES: '10.0.0.0/8, fd00::/8,169.254.169.254,::1',
  });
  expect(settings).toMatchObject({
    configSource: 'directory',
    configDirectory: '/etc/audit-export',
    watchNamespace: 'flows',
    operationsAddress: { host: '::1', port: 9191 },
    pollIntervalMs: 1_000,
    refusedAddresses: ['10.0.0.0/8', 'fd00::/8', '169.254.169.254/32', '::1/128'],
  });
});

test('ignores variables that are in no table', () => {
  expect(problemsOf({ AUDIT_EXPORT_PORT: 'tcp://10.0.0.1:9090', AUDIT_ANYTHING: 'x', PATH: '/bin' })).toEqual(
    [],
  );
});

test('takes an empty variable for one that is not set', () => {
  expect(settingsOf({ LOG_LEVEL: '', WATCH_NAMESPACE: '', LOG_LEVEL_FILE: '' }).logLevel).toBe('info');
});

describe('values from files', () => {
  test('come without the line breaks at their end', () => {
    const path = writeSetting('url', `${databaseUrl}\r\n\n`);
    const settings = settingsOf({ DATABASE_URL: '', DATABASE_URL_FILE: path });
    expect(settings.databaseUrl.reveal()).toBe(databaseUrl);
  });

  test('are a problem when the variable is set too', () => {
    const path = writeSetting('level', 'debug');
    expect(problemsOf({ LOG_LEVEL: 'info', LOG_LEVEL_FILE: path })).toEqual([
      'LOG_LEVEL and LOG_LEVEL_FILE are both set: remove one of them.',
    ]);
  });

  test('are a problem when the file is missing or empty', () => {
    const missing = join(directory, 'missing');
    const empty = writeSetting('empty', '\n');
    expect(problemsOf({ LOG_LEVEL_FILE: missing, SERVICE_NAME_FILE: empty })).toEqual([
      `LOG_LEVEL_FILE is "${missing}", which cannot be read (ENOENT): name a readable file, or set LOG_LEVEL.`,
      `SERVICE_NAME_FILE is "${empty}", which is empty: put the value into it, or remove SERVICE_NAME_FILE.`,
    ]);
  });

  test('are named with the value that is wrong', () => {
    const path = writeSetting('interval', '5s\n');
    expect(problemsOf({ POLL_INTERVAL_MS_FILE: path })).toEqual([
      `POLL_INTERVAL_MS_FILE ("${path}") holds "5s": it must be a whole number from 200 to 60000, or leave it out for 250.`,
    ]);
  });
});

test('reports all problems at once', () => {
  const result = readSettings(
    {
      AUTH_MODE: 'local',
      CONFIG_SOURCE: 'git',
      POLL_INTERVAL_MS: '20',
      LOG_LEVEL: 'loud',
      REFUSED_ADDRESSES: '10/8,x,::1',
    },
    () => '',
  );
  expect(result).toEqual({
    ok: false,
    problems: [
      'DATABASE_URL is not set, and there is no default: set it, or name a file that holds it with DATABASE_URL_FILE.',
      'CONFIG_SOURCE is "git": it must be one of kubernetes, directory, or leave it out for kubernetes.',
      'LOG_LEVEL is "loud": it must be one of trace, debug, info, warn, error, fatal, or leave it out for info.',
      'POLL_INTERVAL_MS is "20": it must be a whole number from 200 to 60000, or leave it out for 250.',
      'REFUSED_ADDRESSES is "10/8,x,::1": "10/8" in it is not a network; it must be a comma-separated list such as 10.0.0.0/8,fd00::/8, or leave it out.',
      'REFUSED_ADDRESSES is "10/8,x,::1": "x" in it is not a network; it must be a comma-separated list such as 10.0.0.0/8,fd00::/8, or leave it out.',
    ],
  });
});

describe('rules between two settings name both', () => {
  test.each<[Environment, string]>([
    [
      { CONFIG_SOURCE: 'directory' },
      'CONFIG_SOURCE is "directory", but CONFIG_DIRECTORY is not set: name the directory of manifests in CONFIG_DIRECTORY, or set CONFIG_SOURCE=kubernetes.',
    ],
    [
      { CONFIG_DIRECTORY: '/etc/x' },
      'CONFIG_DIRECTORY is "/etc/x", but CONFIG_SOURCE is "kubernetes", which does not read it: set CONFIG_SOURCE=directory, or remove CONFIG_DIRECTORY.',
    ],
    [
      { RETRY_INITIAL_MS: '40000' },
      'RETRY_INITIAL_MS is 40000, more than RETRY_MAX_MS, which is 30000: lower RETRY_INITIAL_MS or raise RETRY_MAX_MS.',
    ],
    [
      { HOLD_MAX_MS: '1000' },
      'HOLD_INITIAL_MS is 5000, more than HOLD_MAX_MS, which is 1000: lower HOLD_INITIAL_MS or raise HOLD_MAX_MS.',
    ],
  ])('%o', (env, problem) => {
    expect(problemsOf(env)).toEqual([problem]);
  });

  test('and wait until each is right by itself', () => {
    expect(problemsOf({ RETRY_INITIAL_MS: '40000', RETRY_MAX_MS: 'never' })).toHaveLength(1);
    expect(problemsOf({ CONFIG_SOURCE: 'git', CONFIG_DIRECTORY: '/etc/x' })).toHaveLength(1);
  });
});

describe('the database URL', () => {
  test.each([
    'postgresql://collector@localhost/flows',
    'postgres:///flows?host=/var/run/postgresql',
    'postgres://u:p%23w@[::1]:5432/flows?sslmode=require',
    'POSTGRES://u:p@h/flows',
  ])('may be %s', (url) => {
    expect(problemsOf({ DATABASE_URL: url })).toEqual([]);
  });

  test.each([
    ['mysql://u:s3cret-pw@h/flows', 'does not begin with postgres://'],
    ['s3cret-pw', 'does not begin with postgres://'],
    ['host=db password=s3cret-pw', 'does not begin with postgres://'],
    ['postgres:s3cret-pw', 'is not a valid URL'],
    ['postgres://u:s3cret-pw#1@h/flows', 'is not a valid URL'],
    ['postgres://u:s3cret-pw%@h/flows', '% that does not encode a character'],
  ])('is a problem without its value: %s', (url, why) => {
    const problems = problemsOf({ DATABASE_URL: url });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toMatch(/^DATABASE_URL cannot be used: /);
    expect(problems[0]).toContain(why);
    expect(problems[0]).not.toContain('s3cret');
  });

  test('stays hidden when the settings are printed', () => {
    expect(JSON.stringify(settingsOf({}))).not.toContain('s3cret');
  });
});

describe('values out of range', () => {
  test.each<[string, string]>([
    ['OPERATIONS_ADDRESS', '9090'],
    ['OPERATIONS_ADDRESS', '::1:9090'],
    ['OPERATIONS_ADDRESS', '[10.0.0.1]:9090'],
    ['OPERATIONS_ADDRESS', '10.0.0:9090'],
    ['OPERATIONS_ADDRESS', 'localhost:65536'],
    ['WATCH_NAMESPACE', 'Flows'],
    ['WATCH_NAMESPACE', 'a,b'],
    ['WATCH_LABELS', 'cell'],
    ['WATCH_LABELS', 'cell!=a'],
    ['WATCH_LABELS', 'cell in (a)'],
    ['WATCH_LABELS', 'cell=a b'],
    ['RETENTION_DAYS', '0'],
    ['RETENTION_DAYS', '1.5'],
    ['SERVICE_NAME', 'audit\nexport'],
    ['SERVICE_NAME', 'x'.repeat(256)],
    ['POLL_INTERVAL_MS', '199'],
    ['POLL_INTERVAL_MS', '60001'],
    ['POLL_INTERVAL_MS', '-200'],
    ['POLL_INTERVAL_MS', '1e3'],
    ['POLL_INTERVAL_MS', '200.5'],
    ['POLL_INTERVAL_MS', ' 200'],
    ['MAX_BATCH_BYTES', '4MiB'],
    ['MAX_BATCH_BYTES', '67108865'],
    ['MAX_REQUESTS_IN_FLIGHT', '0'],
    ['DATABASE_POOL_SIZE', '99999999999999999999'],
    ['REFUSED_ADDRESSES', '10.0.0.0/33'],
    ['REFUSED_ADDRESSES', '010.0.0.1'],
    ['LOG_LEVEL', 'INFO'],
  ])('are a problem: %s=%s', (name, value) => {
    const problems = problemsOf({ [name]: value });
    expect(problems).toHaveLength(1);
    expect(problems[0]?.startsWith(`${name} is "`)).toBe(true);
  });

  test('are cut in the sentence when they are long', () => {
    expect(problemsOf({ SERVICE_NAME: 'x'.repeat(10_000) })[0]?.length).toBeLessThan(400);
  });
});

test('reads which organizations a namespace may name, and which Secrets are its own', () => {
  const result = readSettings(
    {
      DATABASE_URL: 'postgres://a:b@c/d',
      PAGE_ADDRESS: 'off',
      NAMESPACE_ORGANIZATIONS: '{"flows": ["acme", "team, with \\"commas\\"=;*"], "*": []}',
      OWN_SECRETS: 'audit/audit-database, audit/audit.page',
    },
    () => '',
  );
  expect(result).toMatchObject({
    ok: true,
    settings: {
      namespaceOrganizations: { flows: ['acme', 'team, with "commas"=;*'], '*': [] },
      ownSecrets: ['audit/audit-database', 'audit/audit.page'],
    },
  });
});

test.each([
  ['NAMESPACE_ORGANIZATIONS', 'acme', /must be a JSON object of lists of organizations by namespace/],
  ['NAMESPACE_ORGANIZATIONS', '{"flows": "acme"}', /must be a JSON object/],
  ['NAMESPACE_ORGANIZATIONS', '{"Flows": ["acme"]}', /must be a JSON object/],
  ['OWN_SECRETS', 'audit-database', /"audit-database" in it is not a Secret/],
  ['METRICS_TOKEN', 'short', /^METRICS_TOKEN cannot be used: it must be at least 16/],
])('refuses %s=%s in one sentence', (name, value, sentence) => {
  const result = readSettings(
    { DATABASE_URL: 'postgres://a:b@c/d', PAGE_ADDRESS: 'off', [name]: value },
    () => '',
  );
  expect(result).toMatchObject({ ok: false, problems: [expect.stringMatching(sentence)] });
});

test('refuses bound namespaces with a directory, where they would bind nobody', () => {
  const env = { DATABASE_URL: 'postgres://a:b@c/d', PAGE_ADDRESS: 'off', CONFIG_SOURCE: 'directory' };
  const more = { CONFIG_DIRECTORY: '/configs', NAMESPACE_ORGANIZATIONS: '{"a": ["b"]}' };
  expect(readSettings({ ...env, ...more }, () => '')).toMatchObject({
    ok: false,
    problems: [expect.stringContaining('NAMESPACE_ORGANIZATIONS is set, but CONFIG_SOURCE is "directory"')],
  });
});
