import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EditableConfig } from '../../configs/configEditor.ts';
import { toEditableSpec } from '../../configs/editor/editableSpec.ts';
import {
  changeHeaderRows,
  emptyForm,
  filledHeaders,
  readForm,
  splitList,
  toDraft,
  toForm,
} from './exportForm.ts';

const config: EditableConfig = {
  id: { namespace: 'flows', name: 'acme-siem' },
  key: 'k',
  revision: 'r1',
  spec: {
    ...toEditableSpec(
      {
        organization: 'acme',
        endpoint: 'https://otel.example.com',
        maxBatchSize: 500,
        startFrom: '2026-01-31T08:00:00Z',
        suspend: true,
        compression: 'none',
        timeoutSeconds: 20,
        filter: { eventTypes: ['flow.*'], excludeEventTypes: ['flow.viewed'], projects: ['web', 'app'] },
        tls: { caSecretRef: { name: 'ca' }, clientCertSecretRef: { name: 'pair' }, serverName: 'otel' },
      },
      'siem',
    ),
    headers: [
      { name: 'Authorization', source: 'page', reference: null },
      { name: 'X-Theirs', source: 'secret', reference: 'vault/token' },
    ],
  },
  problems: [],
  owners: new Map(),
  readOnly: null,
  status: null,
};

const draft = (body: Record<string, unknown>, current: EditableConfig | null = null) =>
  toDraft(readForm(body), { organization: 'acme', current });

describe('toDraft', () => {
  it('asks for just what is stored when the form comes back untouched', () => {
    const form = toForm(config);
    expect(toDraft(form, { organization: 'acme', current: config })).toEqual({
      id: config.id,
      name: '',
      organization: 'acme',
      endpoint: 'https://otel.example.com',
      headers: [
        { name: 'Authorization', value: 'kept' },
        { name: 'X-Theirs', value: 'kept' },
      ],
      maxBatchSize: '500',
      startFrom: '2026-01-31T08:00:00Z',
      suspend: true,
      compression: 'none',
      timeoutSeconds: '20',
      'filter.eventTypes': ['flow.*'],
      'filter.excludeEventTypes': ['flow.viewed'],
      'filter.projects': ['web', 'app'],
      'tls.caSecretRef': 'kept',
      'tls.clientCertSecretRef': 'kept',
      'tls.serverName': 'otel',
      'tls.insecureSkipVerify': false,
    });
  });

  it('takes a typed value, keeps an empty one, and drops rows nobody filled in', () => {
    const { headers } = draft({
      'headers.0.name': 'Authorization',
      'headers.0.value': ' Bearer new ',
      'headers.3.name': 'X-Kept',
      'headers.3.value': '',
      'headers.7.name': '',
      'headers.7.value': '',
    });
    expect(headers.map(({ name }) => name)).toEqual(['Authorization', 'X-Kept']);
    const [first, second] = headers;
    expect(first?.value !== 'kept' && first?.value.set.reveal()).toBe('Bearer new');
    expect(second?.value).toBe('kept');
  });

  it('reads a local time as UTC, and hands on what is none for the schema to judge', () => {
    expect(draft({ startFrom: 'Time', startTime: '2026-01-31T08:00' }).startFrom).toBe(
      '2026-01-31T08:00:00Z',
    );
    expect(draft({ startFrom: 'Time', startTime: '2026-01-31T08:00:07' }).startFrom).toBe(
      '2026-01-31T08:00:07Z',
    );
    expect(draft({ startFrom: 'Time', startTime: 'soon' }).startFrom).toBe('soon');
    expect(draft({ startFrom: 'Beginning' }).startFrom).toBe('Beginning');
  });

  it('keeps, replaces or removes certificates', () => {
    const none = { 'tls.caSecretRef': 'none', 'tls.clientCertSecretRef': 'none' };
    expect(draft({})).toMatchObject(none);
    expect(
      draft({ 'tls.caSecretRef.remove': 'true', 'tls.clientCertSecretRef.remove': 'true' }, config),
    ).toMatchObject(none);
    const { 'tls.caSecretRef': ca, 'tls.clientCertSecretRef': clientCert } = draft(
      { 'tls.caSecretRef': 'A\r\nB', 'tls.clientCertSecretRef': 'C', 'tls.clientCertSecretRef.key': 'K' },
      config,
    );
    expect(ca).toEqual({ set: 'A\nB\n' });
    expect(typeof clientCert === 'object' && [clientCert.set.cert, clientCert.set.key.reveal()]).toEqual([
      'C\n',
      'K\n',
    ]);
  });

  it('takes nothing from the browser for fields without an input', () => {
    const posted = { organization: 'globex', suspend: 'true' };
    expect(draft(posted)).toMatchObject({ organization: 'acme', suspend: false });
    const resumed = { ...config, spec: { ...config.spec, suspend: false } };
    expect(draft(posted, resumed)).toMatchObject({ organization: 'acme', suspend: false });
  });

  it('takes nothing from the browser for fields of another owner, and drops none of them', () => {
    const owners = new Map([
      ['endpoint', 'kubectl'],
      ['headers.1', 'helm'],
      ['tls.insecureSkipVerify', 'kubectl'],
      ['filter.projects', 'kubectl'],
    ]);
    const owned = draft(
      {
        endpoint: 'https://evil.example.com',
        maxBatchSize: '7',
        'headers.0.name': 'x-theirs',
        'headers.0.value': 'mine',
        'tls.insecureSkipVerify': 'true',
      },
      { ...config, owners },
    );
    expect(owned.endpoint).toBe('https://otel.example.com');
    expect(owned.maxBatchSize).toBe('7');
    expect(owned.headers).toEqual([{ name: 'x-theirs', value: 'kept' }]);
    expect(draft({}, { ...config, owners }).headers).toEqual([{ name: 'X-Theirs', value: 'kept' }]);
    expect(owned['tls.insecureSkipVerify']).toBe(false);
    expect(owned['filter.projects']).toEqual(['web', 'app']);
  });
});

describe('readForm', () => {
  it('never fails, whatever a browser or a script posts', () => {
    const value = fc.oneof(fc.string(), fc.array(fc.string(), { maxLength: 3 }), fc.anything());
    fc.assert(
      fc.property(fc.oneof(fc.dictionary(fc.string(), value), fc.anything()), (body) => {
        const form = readForm(body);
        expect(typeof form.values.endpoint).toBe('string');
        toDraft(form, { organization: 'acme', current: config });
      }),
      { numRuns: 300 },
    );
  });

  it('prints no secret', () => {
    const form = readForm({
      'headers.0.name': 'A',
      'headers.0.value': 's3cr3t',
      'tls.clientCertSecretRef.key': 's3cr3t',
    });
    expect(JSON.stringify(form)).not.toContain('s3cr3t');
  });
});

describe('rows of headers', () => {
  it('keep their numbers while others come and go', () => {
    const buttons = ['add-header', 'add-header', 'remove-header-0', 'add-header'];
    const rest = buttons.reduce((form, button) => changeHeaderRows(form, button)?.form ?? form, emptyForm);
    expect(rest.headers.map(({ index }) => index)).toEqual([1, 2]);
    expect(filledHeaders(rest)).toEqual([]);
    expect(changeHeaderRows(emptyForm, 'add-header')?.newRow).toBe(0);
    expect(changeHeaderRows(emptyForm, 'save')).toBeNull();
  });
});

describe('splitList', () => {
  it('takes lines and commas, and no empty items', () => {
    expect(splitList('flow.*, user.created\n\n  , app.*\n')).toEqual(['flow.*', 'user.created', 'app.*']);
  });
});
