/** The inputs of the form: their labels, and what each shows. */
import { type Field, fields } from '../../configs/fields.ts';
import type { FieldView, InputView } from '../views/exportViews.ts';
import type { FormInput } from './formInput.ts';

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

/** One input, or a client certificate and its private key. */
export function makeInputs(
  field: Field,
  input: Pick<FormInput, 'form' | 'current'>,
  problems: ReadonlyMap<string, string>,
): InputView[] {
  const view = makeInput(field, input, problems);
  if (field.input !== 'secret') return [view];
  const isStored = input.current?.spec[field.path] === true;
  const pem = makePem(view, 'CERTIFICATE', isStored);
  if (view.owner !== null) return [pem];
  const remove = { name: `${field.path}.remove`, label: `Remove the stored ${view.label.toLowerCase()}` };
  const removable = isStored ? { remove } : {};
  if (field.path !== 'tls.clientCertSecretRef') return [{ ...pem, ...removable }];
  const key = makePem(makeOwnField(clientKey, '', problems), 'PRIVATE KEY', isStored);
  return [pem, { ...key, ...removable }];
}

export function makeInput(
  field: Field,
  { form, current }: Pick<FormInput, 'form' | 'current'>,
  problems: ReadonlyMap<string, string>,
): InputView {
  const { path, label, hint, input, min, max, maxLength, options, placeholder, warning } = field;
  const value = form.values[path];
  return {
    ...makeField(path, {
      label,
      value,
      hint: input === 'number' ? `${min}–${max}. ${hint}` : hint,
      problem: problems.get(path) ?? null,
      owner: current?.owners.get(path) ?? null,
    }),
    ...{ input, min, max, maxLength, options, placeholder, warning: value === 'true' ? warning : '' },
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
