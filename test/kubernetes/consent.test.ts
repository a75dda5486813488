/** Who may only write AuditExportConfigs, and what he gets out of a cluster by them. */
import { describe, expect, it } from 'vitest';
import type { SecretPolicy } from '../../src/configs/kubernetes/secretConsent.ts';
import { waitFor } from '../../tools/waitFor.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { applyConfig, applySecret, crd, makeSpec, secretHeader, startSource, tokenOf } from './harness.ts';

const required: SecretPolicy = { consent: 'required', own: [] };
const agreed = { 'auditexport.dev/export': 'true' };

describe.skipIf(isClusterMissing())('Secrets of a cluster', () => {
  const cluster = useCluster({ prepare: (made) => made.applyFiles(crd) });

  it('are sent only where they agree, and not for a moment longer', async () => {
    const { current } = cluster;
    const { waitForState, namespace } = await startSource(current, { rules: { secrets: required } });
    await applySecret(current, namespace, 'database', { token: 'postgres://…' }, { labels: {} });
    await applyConfig(current, namespace, 'thief', makeSpec(secretHeader('database')));
    const refused = await waitForState('thief', ({ kind }) => kind === 'invalid');
    expect(refused).toMatchObject({
      reason: 'SecretNotAllowed',
      lastGood: null,
      problems: [
        `Secret ${namespace}/database (spec.headers[0]) does not agree to being sent: give it the label auditexport.dev/export: "true".`,
      ],
    });
    // Which keys it has is nobody's business either.
    await applyConfig(current, namespace, 'prober', makeSpec(secretHeader('database', 'other')));
    expect(await waitForState('prober', ({ kind }) => kind === 'invalid')).toMatchObject({
      reason: 'SecretNotAllowed',
    });

    await applySecret(current, namespace, 'database', { token: 'fine' }, { labels: agreed });
    expect(tokenOf(await waitForState('thief', ({ kind }) => kind === 'valid'))).toBe('fine');
    const annotations = { 'auditexport.dev/allowed-hosts': 'other.example.com' };
    await applySecret(current, namespace, 'database', { token: 'fine' }, { labels: agreed, annotations });
    const withdrawn = await waitForState('thief', ({ kind }) => kind === 'invalid');
    expect(withdrawn).toMatchObject({ reason: 'SecretNotAllowed', lastGood: null });
    // What was allowed once does not come back by another mistake.
    await applySecret(current, namespace, 'database', { other: 'x' }, { labels: agreed });
    const missing = await waitForState(
      'thief',
      (s) => s.kind === 'invalid' && s.reason === 'SecretKeyNotFound',
    );
    expect(missing).toMatchObject({ lastGood: null });
  });

  it('that say nothing are used with a warning before they are refused', async () => {
    const { current } = cluster;
    const { waitForState, namespace, source } = await startSource(current);
    await applySecret(current, namespace, 'older', { token: 'one' }, { labels: {} });
    await applyConfig(current, namespace, 'older', makeSpec(secretHeader('older')));
    const state = await waitForState('older', ({ kind }) => kind === 'valid');
    expect(tokenOf(state)).toBe('one');
    const message = `Secret ${namespace}/older does not agree to being sent: give it the label auditexport.dev/export: "true". Until it does, it is still used; once SECRET_CONSENT is required, it no longer is.`;
    expect(state).toMatchObject({ config: { remarks: [{ reason: 'SecretConsentMissing', message }] } });

    // As the holder of the stream says it: in the status, and by an Event once.
    const key = state.kind === 'valid' ? state.config.key : '';
    const write = (lastTransitionTime: string) =>
      source.writeStatus(key, {
        observedGeneration: 1,
        conditions: [
          {
            type: 'Ready',
            status: 'True',
            reason: 'Delivering',
            message: `Every entry is delivered. ${message}`,
            lastTransitionTime,
            observedGeneration: 1,
          },
        ],
      });
    const events = async () => {
      const { body } = await current.request({
        path: `/apis/events.k8s.io/v1/namespaces/${namespace}/events`,
      });
      return (body['items'] as Array<{ reason: string; type: string }>).map(
        (each) => `${each.type} ${each.reason}`,
      );
    };
    await write('2026-01-01T00:00:00Z');
    await waitFor(async () => (await events()).length === 2);
    await write('2026-01-01T00:00:01Z');
    await applySecret(current, namespace, 'older', { token: 'two' }, { labels: agreed });
    expect(await waitForState('older', (each) => tokenOf(each) === 'two')).not.toHaveProperty(
      'config.remarks',
    );
    expect((await events()).sort()).toEqual(['Normal Delivering', 'Warning SecretConsentMissing']);
  });

  it("of the cluster's own and of the collector's own are never sent", async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const { waitForState } = await startSource(current, {
      namespace,
      rules: { secrets: { consent: 'warn', own: [`${namespace}/audit-database`] } },
    });
    await applySecret(current, namespace, 'audit-database', { token: 'postgres://…' }, { labels: agreed });
    const dockerconfig = { type: 'kubernetes.io/dockerconfigjson', labels: agreed };
    await applySecret(current, namespace, 'pull', { '.dockerconfigjson': '{"auths":{}}' }, dockerconfig);
    const account = { 'kubernetes.io/service-account.name': 'collector' };
    const token = { type: 'kubernetes.io/service-account-token', labels: agreed, annotations: account };
    await applySecret(current, namespace, 'account', { token: 'ey…' }, token);
    await applyConfig(current, namespace, 'own', makeSpec(secretHeader('audit-database')));
    await applyConfig(current, namespace, 'pull', makeSpec(secretHeader('pull', '.dockerconfigjson')));
    await applyConfig(current, namespace, 'account', makeSpec(secretHeader('account')));
    for (const name of ['own', 'pull', 'account']) {
      const state = await waitForState(name, ({ kind }) => kind === 'invalid');
      expect(state).toMatchObject({ reason: 'SecretNotAllowed', lastGood: null });
    }
  });

  it('made for one organization do not export another, where namespaces are bound', async () => {
    const { current } = cluster;
    const namespace = await current.createNamespace();
    const { waitForState, states } = await startSource(current, {
      namespace,
      rules: { organizations: { [namespace]: ['acme'] } },
    });
    await applyConfig(current, namespace, 'own', makeSpec({ organization: 'acme' }));
    await applyConfig(current, namespace, 'foreign', makeSpec({ organization: 'globex' }));
    expect(await waitForState('own', ({ kind }) => kind === 'valid')).toBeDefined();
    expect(await waitForState('foreign', ({ kind }) => kind === 'invalid')).toMatchObject({
      reason: 'OrganizationNotAllowed',
      lastGood: null,
      // No stream is made for it.
      spec: null,
      problems: [expect.stringContaining(`which namespace ${namespace} may not export`)],
    });
    expect(states()?.size).toBe(2);
  });

  it('are held by a config that is being deleted, which says that it goes on', async () => {
    const { current } = cluster;
    const { waitForState, namespace } = await startSource(current);
    await applyConfig(current, namespace, 'held', makeSpec(), { finalizers: ['example.com/backup'] });
    await waitForState('held', ({ kind }) => kind === 'valid');
    const path = `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs/held`;
    await current.request({ method: 'DELETE', path });
    const state = await waitForState('held', (s) => s.kind === 'valid' && s.config.remarks !== undefined);
    expect(state).toMatchObject({
      config: {
        remarks: [
          { reason: 'Terminating', message: expect.stringContaining('("example.com/backup") are removed') },
        ],
      },
    });
  });
});
