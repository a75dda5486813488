/** The CRD on a real API server: what it refuses, with which words, and that the collector judges no other way. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stringify } from 'yaml';
import { renderCrd, renderTables } from '../../crds/generator/crd.ts';
import { fillIn } from '../../crds/generator/markdown.ts';
import { parseManifest } from '../../src/configs/parseManifest.ts';
import { isClusterMissing, useCluster } from '../tools/cluster.ts';
import { accepted, refused, type Spec, withSpec } from './manifestCases.ts';
import { anySpec } from './manifestSpecs.ts';

const crdFile = join(import.meta.dirname, '../../crds/auditexportconfigs.auditexport.dev.yaml');

/** The server's own last word after a wrong type, a missing field and the like. */
const notAllChecked =
  '<nil>: Invalid value: null: some validation rules were not checked because the object was invalid; correct the existing errors to complete validation';

it('the CRD and the tables of its fields are what crds/generate.ts makes of the schema', () => {
  const readme = readFileSync(join(import.meta.dirname, '../../crds/README.md'), 'utf8');
  expect(readFileSync(crdFile, 'utf8') === renderCrd(), 'run: node crds/generate.ts').toBe(true);
  expect(fillIn(readme, renderTables()) === readme, 'run: node crds/generate.ts').toBe(true);
});

describe.skipIf(isClusterMissing())('the CRD', () => {
  const cluster = useCluster({ prepare: (current) => current.applyFiles(crdFile) });

  /** The server's judgement: one line for each problem, as kubectl prints it; empty when it accepts. */
  async function judge(manifest: unknown, fieldValidation = 'Strict'): Promise<string[]> {
    const { status, body } = await cluster.current.request({
      method: 'POST',
      path: `/apis/auditexport.dev/v1/namespaces/default/auditexportconfigs?dryRun=All&fieldValidation=${fieldValidation}`,
      body: manifest,
    });
    if (status === 201) return [];
    const details = body['details'] as { causes?: Array<{ field: string; message: string }> } | undefined;
    const lines = (details?.causes ?? []).map(({ field, message }) => `${field}: ${message}`);
    return lines.length === 0 ? [String(body['message'])] : lines.filter((line) => line !== notAllChecked);
  }

  async function create(namespace: string, spec: Spec): Promise<void> {
    const answer = await cluster.current.request({
      method: 'POST',
      path: pathOf(namespace),
      body: withSpec(spec),
    });
    expect(answer).toMatchObject({ status: 201 });
  }

  /** The server's judgement of a change; undefined takes a field away. */
  async function change(namespace: string, spec: Spec): Promise<string> {
    const { status, body } = await cluster.current.request({
      method: 'PATCH',
      path: `${pathOf(namespace)}/acme-siem`,
      contentType: 'application/merge-patch+json',
      body: { spec },
    });
    return status === 200 ? 'accepted' : String(body['message']);
  }

  it.each(accepted)('accepts %s, as the collector does', async (_, spec) => {
    expect(await judge(withSpec(spec))).toEqual([]);
    expect(parseManifest(withSpec(spec))).toMatchObject({ ok: true });
  });

  it.each(refused)('refuses %s, as the collector does', async (_, spec, sentence) => {
    expect(await judge(withSpec(spec))).toEqual([sentence]);
    expect(parseManifest(withSpec(spec))).toMatchObject({ ok: false });
  });

  it('says all problems at once', async () => {
    const spec = { endpoint: 'otel', headers: [{ name: 'host' }], startFrom: 'now' };
    expect(await judge(withSpec(spec))).toHaveLength(4);
  });

  it('refuses half a record, as the collector does', async () => {
    const manifest = withSpec({ maxBatchSize: 1.5 });
    expect((await judge(manifest)).join()).toContain('spec.maxBatchSize in body must be of type');
    expect(parseManifest(manifest)).toMatchObject({ ok: false });
  });

  it('refuses a misspelt field where validation is strict, as with kubectl and in the collector', async () => {
    const manifest = withSpec({ endpiont: 'https://otel' });
    expect((await judge(manifest)).join()).toContain('unknown field "spec.endpiont"');
    expect(parseManifest(manifest)).toMatchObject({ ok: false });
  });

  it('judges any manifest as the collector does', async () => {
    let refusals = 0;
    await fc.assert(
      fc.asyncProperty(anySpec, async (spec) => {
        const problems = await judge(withSpec(spec));
        const parsed = parseManifest(withSpec(spec));
        if (!parsed.ok) refusals++;
        expect(problems.length === 0, `${problems.join('\n')} / ${JSON.stringify(parsed)}`).toBe(parsed.ok);
      }),
      { numRuns: 400 },
    );
    // Neither all nor none: else it has compared nothing.
    expect(refusals).toBeGreaterThan(100);
    expect(refusals).toBeLessThan(380);
  }, 60_000);

  it('takes what is empty for absent, and hands it on with the default', async () => {
    const { body } = await cluster.current.request({
      method: 'POST',
      path: `${pathOf('default')}?dryRun=All`,
      body: withSpec({ startFrom: null, headers: null }),
    });
    expect(body['spec']).toMatchObject({ startFrom: 'Now', headers: [] });
    expect(parseManifest(body)).toMatchObject({ ok: true });
  });

  it('fills in every default that the collector would', async () => {
    const spec = { headers: [{ name: 'a', value: 'v' }], filter: {}, tls: { caSecretRef: { name: 'ca' } } };
    const { body } = await cluster.current.request({
      method: 'POST',
      path: `${pathOf('default')}?dryRun=All`,
      body: withSpec(spec),
    });
    expect(body['status']).toEqual({ observedGeneration: -1 });
    const parsed = parseManifest(withSpec(spec));
    expect(body['spec']).toEqual(parsed.ok && parsed.manifest.spec);
    expect(parseManifest(body)).toMatchObject({ ok: true, manifest: { spec: body['spec'] } });
  });

  it('lets everything be changed but organization and startFrom', async () => {
    const namespace = await cluster.current.createNamespace();
    await create(namespace, {});
    expect(
      await change(namespace, {
        endpoint: 'https://other',
        headers: [{ name: 'a', value: 'v' }],
        maxBatchSize: 1,
        suspend: true,
        compression: 'none',
        timeoutSeconds: 1,
        filter: { eventTypes: ['flow.*'] },
        tls: { insecureSkipVerify: true },
      }),
    ).toBe('accepted');
    expect(await change(namespace, { organization: 'other' })).toBe(
      'AuditExportConfig.auditexport.dev "acme-siem" is invalid: spec.organization: Invalid value: "other": cannot be changed: for another organization make another AuditExportConfig',
    );
    expect(await change(namespace, { startFrom: 'Beginning' })).toBe(
      'AuditExportConfig.auditexport.dev "acme-siem" is invalid: spec.startFrom: Invalid value: "Beginning": cannot be changed: to begin elsewhere make another AuditExportConfig',
    );
  });

  it('keeps startFrom from being taken away', async () => {
    const namespace = await cluster.current.createNamespace();
    await create(namespace, { startFrom: 'Beginning' });
    expect(await change(namespace, { startFrom: null })).toContain('spec.startFrom');
  });

  it('selects by organization', async () => {
    const namespace = await cluster.current.createNamespace();
    await create(namespace, {});
    const list = async (organization: string) => {
      const query = new URLSearchParams({ fieldSelector: `spec.organization=${organization}` });
      return (await cluster.current.request({ path: `${pathOf(namespace)}?${query}` })).body['items'];
    };
    expect(await list('acme')).toHaveLength(1);
    expect(await list('other')).toEqual([]);
  });

  describe('with kubectl', () => {
    it.each(refused)('refuses %s with these words', async (_, spec, sentence) => {
      const { exitCode, stderr } = await cluster.current.kubectl(
        ['create', '--dry-run=server', '--filename=-'],
        { input: toYaml(withSpec(spec)) },
      );
      expect(exitCode).toBe(1);
      const start = 'The AuditExportConfig "acme-siem" is invalid: ';
      expect(stderr.startsWith(start)).toBe(true);
      const lines = stderr.slice(start.length).split('\n').filter(Boolean);
      const problems = lines.map((line) => line.replace(/^\* /, '')).filter((line) => line !== notAllChecked);
      expect(problems).toEqual([sentence]);
    });

    it('names a misspelt field', async () => {
      const { exitCode, stderr } = await cluster.current.kubectl(['create', '--filename=-'], {
        input: toYaml(withSpec({ endpiont: 'https://otel' })),
      });
      expect(exitCode).toBe(1);
      expect(stderr).toContain('strict decoding error: unknown field "spec.endpiont"');
    });

    it.each([
      [
        'aec',
        "Streams one organization's audit entries to an OTLP/HTTP receiver.",
        'spec <Object> -required- What is exported, and where to.',
        'status <Object> How the export is doing, written by the collector.',
      ],
      [
        'aec.spec',
        "endpoint <string> -required- The receiver's OTLP/HTTP address. Without a path, /v1/logs is appended; a path is used as it is.",
        'compression <string> enum: gzip, zstd, none Compression of the request body. zstd takes a third of the processor time of gzip and fewer bytes, but fewer receivers read it.',
      ],
      [
        'aec.spec.headers.valueFrom.secretKeyRef',
        'A key of a Secret in the same namespace.',
        'name <string> -required- Name of a Secret in the same namespace.',
      ],
      [
        'aec.status.lastError',
        'The latest failure. It stays after recovery, then with resolvedTime.',
        "httpStatus <integer> Status of the receiver's answer; absent when there was none.",
      ],
    ])('explains %s', async (path, ...texts: string[]) => {
      const { stdout } = await cluster.current.kubectl(['explain', path]);
      const flat = stdout.replace(/\s+/g, ' ');
      for (const text of texts) expect(flat).toContain(text);
    });
  });
});

function pathOf(namespace: string): string {
  return `/apis/auditexport.dev/v1/namespaces/${namespace}/auditexportconfigs`;
}

/** kubectl reads YAML 1.1, to which `yes` is a boolean. */
function toYaml(value: unknown): string {
  return stringify(value, { version: '1.1' });
}
