import { describe, expect, it } from 'vitest';
import type { EditableConfig } from '../../configs/configEditor.ts';
import { toEditableSpec } from '../../configs/editor/editableSpec.ts';
import { fields } from '../../configs/fields.ts';
import { render } from '../reply/render.ts';
import { emptyForm, readForm, toForm } from './exportForm.ts';
import type { FormInput } from './fieldViews.ts';
import { makeFormView } from './formView.ts';

const config: EditableConfig = {
  id: { namespace: 'flows', name: 'siem' },
  key: 'k',
  revision: 'r1',
  spec: toEditableSpec(
    {
      organization: 'acme',
      endpoint: 'https://otel.example.com',
      tls: { caSecretRef: { name: 'ca' }, clientCertSecretRef: { name: 'pair' }, insecureSkipVerify: true },
    },
    'siem',
  ),
  problems: [],
  owners: new Map(),
  readOnly: null,
  status: null,
};

function show(input: Partial<FormInput> = {}): string {
  const view = makeFormView({
    ...{ organization: 'acme', form: emptyForm, current: null, state: null, actions: null },
    start: { choices: [['Now', 'New entries only', '']] },
    ...input,
  });
  return render('export/form', view);
}

describe('the form', () => {
  it('has an input for each field that can be typed', () => {
    const html = show();
    const typed = fields.filter(({ section, input }) => section !== 'none' && input !== 'headers');
    for (const { path } of typed) expect(html).toContain(` name="${path}"`);
  });

  it('offers to keep and to remove what is stored, unless another manager owns it', () => {
    const html = show({ form: toForm(config), current: config });
    expect(html).toContain('Remove the stored certificate authority');
    expect(html).toContain('Remove the stored client certificate');
    expect(html.match(/leave empty to keep it/g)).toHaveLength(3);
    expect(html).toContain('The certificate is not checked.');
    const owners = new Map([['tls.clientCertSecretRef', 'helm']]);
    const owned = show({ form: toForm(config), current: { ...config, owners } });
    expect(owned).not.toContain('name="tls.clientCertSecretRef.key"');
    expect(owned).not.toContain('Remove the stored client certificate');
  });

  it('begins each problem with the label of its input, and leads to it', () => {
    const form = readForm({ 'headers.0.name': '', 'headers.4.name': 'X-A', startFrom: 'Time' });
    const problems = [
      { path: 'filter.eventTypes.0', complaint: 'is empty: enter one' },
      { path: 'headers.0.value', complaint: 'is not stored under this name: enter it' },
      { path: 'startFrom', complaint: 'is "": no' },
      { path: 'tls.clientCertSecretRef.key', complaint: 'is not a key' },
      { path: 'organization', complaint: 'is refused' },
    ];
    const { problems: links } = makeFormView({
      ...{ organization: 'acme', form, current: null, problems, state: null, start: null, actions: null },
    });
    expect(links).toEqual([
      {
        href: '#field-filter-eventTypes',
        message: 'Item 1 of “Only these event types” is empty: enter one.',
      },
      {
        href: '#field-headers-4-value',
        message: 'Value of header 2 is not stored under this name: enter it.',
      },
      {
        href: '#field-startTime',
        message: 'Enter the time to start from, or choose Now or the beginning.',
      },
      { href: '#field-tls-clientCertSecretRef-key', message: 'Private key is not a key.' },
      // It has no input to lead to.
      { href: null, message: 'Organization is refused.' },
    ]);
  });
});
