/** The inputs of the form: their labels, and what each shows. */
import { type Field, fields } from '../../configs/fields.ts';
import type { FieldView, InputView } from '../views/exportViews.ts';
import type { FormInput } from './formView.ts';

const clientKey = 'tls.clientCertSecretRef.key';

/** Inputs of the form that are not fields of their own. */
const ownInputs = {
  name: {
    label: 'Name',
    hint: 'Optional. Lower-case letters, digits and “-”. Left empty, it is made from the organization and the host. A suffix may be added.',
  },
  startTime: { label: 'Time (UTC)', hint: 'Entries that occurred at this time or later.' },
  [clientKey]: { label: 'Private key', hint: 'Never shown again.' },
} as const;

/** By the name of the input. */
export const labels: ReadonlyMap<string, string> = new Map([
  ...fields.map(({ path, label }) => [path, label] as const),
  ...Object.entries(ownInputs).map(([name, { label }]) => [name, label] as const),
]);

export function labelOfHeader(part: 'name' | 'value', number: number): string {
  return `${part === 'name' ? 'Name' : 'Value'} of header ${number}`;
}

export function idOf(name: string): string {
  return `field-${name.replaceAll('.', '-')}`;
}

export function makeInput(
  field: Field,
  { form, current }: Pick<FormInput, 'form' | 'current'>,
  problems: ReadonlyMap<string, string>,
): InputView {
  const { path, label, hint, input, min, max, maxLength, options, placeholder, warning } = field;
  const value = form.values[path];
  const owner = current?.owners.get(path) ?? null;
  const problem = problems.get(path) ?? null;
  if (input === 'secret') {
    const isStored = current?.spec[path] === true;
    const view = makePem(makeField(path, { label, value, hint, problem, owner }), 'CERTIFICATE', isStored);
    if (owner !== null) return view;
    const key = makePem(makeOwnField(clientKey, '', problems), 'PRIVATE KEY', isStored);
    return {
      ...view,
      ...(path === 'tls.clientCertSecretRef' && { key }),
      ...(isStored && { remove: `Remove the stored ${label.toLowerCase()}` }),
    };
  }
  const limited = input === 'number' ? `${min}–${max}. ${hint}` : hint;
  return {
    ...makeField(path, { label, value, hint: limited, problem, owner }),
    ...{ input, min, max, maxLength, options, placeholder },
    ...(value === 'true' && { warning }),
  };
}

function makePem(view: FieldView, kind: string, isStored: boolean): InputView {
  const placeholder = isStored ? 'Stored — leave empty to keep it' : `-----BEGIN ${kind}-----`;
  return { ...view, input: 'secret', label: `${view.label} (PEM)`, placeholder };
}

export function makeOwnField(
  name: keyof typeof ownInputs,
  value: string,
  problems: ReadonlyMap<string, string>,
): FieldView {
  return makeField(name, { ...ownInputs[name], value, problem: problems.get(name) ?? null, owner: null });
}

export function makeField(
  name: string,
  field: Pick<FieldView, 'label' | 'value' | 'hint' | 'problem' | 'owner'>,
): FieldView {
  const id = idOf(name);
  const parts = [
    field.problem === null ? '' : `${id}-problem`,
    field.hint === '' ? '' : `${id}-hint`,
    field.owner === null ? '' : `${id}-owner`,
  ];
  return { id, name, ...field, describedBy: parts.filter((part) => part !== '').join(' ') };
}
