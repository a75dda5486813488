import { describe, expect, test } from 'vitest';
import { judgeConsent, type SecretFacts, type SecretPolicy } from './secretConsent.ts';

const warn: SecretPolicy = { consent: 'warn', own: ['audit/audit-database'] };
const required: SecretPolicy = { ...warn, consent: 'required' };
const endpoint = new URL('https://otel.example.com:4318/v1/logs');
const agreed = { 'auditexport.dev/export': 'true' };

function judge(facts: Partial<SecretFacts>, policy: SecretPolicy, to = endpoint) {
  const secret = { namespace: 'flows', name: 'acme', type: 'Opaque', labels: {}, annotations: {}, ...facts };
  return judgeConsent(secret, to, policy).kind;
}
const hosts = (list: string) => ({ annotations: { 'auditexport.dev/allowed-hosts': list } });

describe.each([
  ['required', required],
  ['warn', warn],
] as const)('with SECRET_CONSENT=%s', (consent, policy) => {
  test('a Secret that says nothing is refused, or used with a warning', () => {
    const expected = consent === 'required' ? 'refuses' : 'silent';
    expect(judge({}, policy)).toBe(expected);
    expect(judge({ labels: { team: 'a' } }, policy)).toBe(expected);
    expect(judge({ type: 'kubernetes.io/basic-auth', labels: agreed }, policy)).toBe(expected);
  });

  test('one with the label is used, and one that the page has made', () => {
    expect(judge({ labels: agreed }, policy)).toBe('agrees');
    expect(judge({ labels: agreed, type: 'kubernetes.io/tls' }, policy)).toBe('agrees');
    expect(judge({ labels: { 'app.kubernetes.io/managed-by': 'audit-export-page' } }, policy)).toBe('agrees');
  });

  test('what was typed on the page for one config serves no other', () => {
    const labels = { ...agreed, 'app.kubernetes.io/managed-by': 'audit-export-page' };
    const secret = { namespace: 'flows', name: 'siem-audit-export', type: 'Opaque', labels, annotations: {} };
    const judgeFor = (config: string) =>
      judgeConsent({ ...secret, owners: ['siem'] }, endpoint, policy, config).kind;
    expect(judgeFor('siem')).toBe('agrees');
    expect(judgeFor('thief')).toBe('refuses');
  });

  test('the label with another value says no', () => {
    for (const value of ['false', '', 'True']) {
      expect(judge({ labels: { 'auditexport.dev/export': value } }, policy)).toBe('refuses');
    }
  });

  test.each([
    ['otel.example.com', 'agrees'],
    ['OTEL.example.com , other.example.com', 'agrees'],
    ['otel.example.com:4318', 'agrees'],
    ['otel.example.com:443', 'refuses'],
    ['example.com', 'refuses'],
    ['otel.example.com.evil.example', 'refuses'],
    ['*', 'refuses'],
    ['', 'refuses'],
    [',', 'refuses'],
  ])('one whose allowed hosts are %j: %s', (list, kind) => {
    expect(judge(hosts(list), policy)).toBe(kind);
    // The label does not widen them.
    expect(judge({ ...hosts(list), labels: agreed }, policy)).toBe(kind);
  });

  test('a port of the scheme may be written or not', () => {
    expect(judge(hosts('a.example:443'), policy, new URL('https://a.example/'))).toBe('agrees');
    expect(judge(hosts('a.example:80'), policy, new URL('https://a.example/'))).toBe('refuses');
  });

  test("the cluster's own credentials are never sent, whatever they say", () => {
    for (const type of [
      'kubernetes.io/service-account-token',
      'kubernetes.io/dockerconfigjson',
      'kubernetes.io/dockercfg',
      'bootstrap.kubernetes.io/token',
      'helm.sh/release.v1',
    ]) {
      expect(judge({ type, labels: agreed, ...hosts('otel.example.com') }, policy)).toBe('refuses');
    }
  });

  test('those that the collector runs on are never sent, whatever they say', () => {
    const own = { namespace: 'audit', name: 'audit-database', labels: agreed, ...hosts('otel.example.com') };
    expect(judge(own, policy)).toBe('refuses');
    expect(judge({ ...own, namespace: 'flows' }, policy)).toBe('agrees');
  });
});
