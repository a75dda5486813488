/** The inputs of the form, rows of headers included: their labels, and what each shows. */

import type { EditableConfig, FieldProblem } from '../../configs/configEditor.ts';
import { type Field, fields } from '../../configs/fields.ts';
import type { NoticeView } from '../views/exportViews.ts';
import type {
  ConflictView,
  FieldView,
  HeaderRowView,
  HeadersView,
  InputView,
  RecordView,
  SetupView,
  TestView,
} from '../views/formViews.ts';
import { formUrl, makeFrame } from './addresses.ts';
import { type ExportForm, filledHeaders, headerOwner } from './exportForm.ts';
import { idOf } from './inputIds.ts';
import { findPresetHeader } from './presets/presets.ts';

/** What is said about a form. */
export interface FormRemarks {
  readonly problems?: readonly FieldProblem[];
  readonly notices?: readonly NoticeView[];
  readonly conflict?: ConflictView;
  readonly test?: TestView;
  readonly record?: RecordView;
  /** What a preset or a pasted configuration did to the form. */
  readonly filled?: Pick<SetupView, 'title' | 'says'>;
  /** The row whose name gets the focus; default: none. */
  readonly newRow?: number;
}

export interface FormInput extends FormRemarks {
  readonly organization: string;
  readonly form: ExportForm;
  /** null: it is a new one. */
  readonly current: EditableConfig | null;
}

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
  // Whoever pastes a private key into the wrong input does not get it back.
  const value = form.values[path].includes('PRIVATE KEY-----') ? '' : form.values[path];
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

function isOther(form: ExportForm, current: EditableConfig | null): boolean {
  const named = filledHeaders(form).map(({ name }) => name);
  const stored = (current?.spec.headers ?? []).map(({ name }) => name);
  return named.join('\n') !== stored.join('\n');
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

function makeField(
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

const keepHint = '•••• set — leave empty to keep';

/** What the value of a new header is to be, as far as known. */
function askFor({ values, pasted }: ExportForm, name: string): { placeholder: string; hint: string } {
  if (pasted.includes(name.toLowerCase())) {
    return {
      placeholder: '•••• pasted',
      hint: 'Taken from what you pasted, unless you enter another value.',
    };
  }
  const header = findPresetHeader(values.preset, name);
  if (header === null) return { placeholder: '', hint: '' };
  if (header.value !== undefined) {
    return { placeholder: header.value, hint: `${header.value}, unless you enter another value.` };
  }
  const [scheme] = (header.prefix ?? '').split(' ');
  return {
    placeholder: header.enter,
    hint:
      scheme === ''
        ? `Enter the ${header.enter}.`
        : `Enter the ${header.enter} alone: “${scheme}” is put before it.`,
  };
}

export function makeHeaders(
  { organization, form, current, newRow }: FormInput,
  problems: ReadonlyMap<string, string> = new Map(),
): HeadersView {
  const rows = form.headers.map(({ index, name }, position): HeaderRowView => {
    const stored = current?.spec.headers.findIndex((each) => each.name.toLowerCase() === name.toLowerCase());
    const header = stored === undefined || stored < 0 ? undefined : current?.spec.headers[stored];
    const owner = header && current ? headerOwner(current.owners, header.name, stored ?? 0) : null;
    const number = position + 1;
    const asked = header === undefined ? askFor(form, name) : { placeholder: '', hint: '' };
    return {
      index,
      placeholder: asked.placeholder,
      number,
      name: makeField(`headers.${index}.name`, {
        label: labelOfHeader('name', number),
        value: name,
        hint: '',
        problem: problems.get(`headers.${index}.name`) ?? null,
        owner,
      }),
      value: makeField(`headers.${index}.value`, {
        label: labelOfHeader('value', number),
        value: '',
        hint: header === undefined || header.reference !== null ? asked.hint : keepHint,
        problem: problems.get(`headers.${index}.value`) ?? null,
        owner: owner ?? (header?.reference ? 'its Secret' : null),
      }),
      stored: header === undefined ? null : header.reference === null ? '' : `Secret ${header.reference}`,
      owner,
      isNew: index === newRow,
    };
  });
  return {
    frame: makeFrame(organization),
    isUnsaved: isOther(form, current),
    formUrl: formUrl(organization, current),
    rows,
    problem: problems.get('headers') ?? null,
    owner: current?.owners.get('headers') ?? null,
  };
}
