/** What the form of a destination shows: what was typed, what is stored, who owns what, and what is wrong with it. */
import type { EditableConfig, FieldProblem } from '../../configs/configEditor.ts';
import { resolveEndpoint } from '../../configs/destination/resolveEndpoint.ts';
import { type Field, fields, findField } from '../../configs/fields.ts';
import { complain } from '../../configs/problems/problem.ts';
import type {
  ActionsView,
  ConflictView,
  EndpointAboutView,
  ExportFormView,
  ExportStateView,
  FieldView,
  HeaderRowView,
  HeadersView,
  InputView,
  NoticeView,
  ProblemLink,
  TestView,
} from '../views/exportViews.ts';
import { type ExportForm, emptyForm, filledHeaders, headerOwner } from './exportForm.ts';
import { destinationUrl, makeFrame, withoutQuery } from './frame.ts';

export interface FormInput {
  readonly organization: string;
  readonly form: ExportForm;
  /** null: it is a new one. */
  readonly current: EditableConfig | null;
  readonly problems?: readonly FieldProblem[];
  readonly notices?: readonly NoticeView[];
  readonly conflict?: ConflictView | null;
  readonly state?: ExportStateView | null;
  readonly actions?: ActionsView | null;
  readonly test?: TestView | null;
  /** Of the row whose name gets the focus; default: none. */
  readonly newRow?: number;
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

const labels: ReadonlyMap<string, string> = new Map([
  ...fields.map(({ path, label }) => [path, label] as const),
  ...Object.entries(ownInputs).map(([name, { label }]) => [name, label] as const),
]);

export function makeFormView(input: FormInput): ExportFormView {
  const { organization, form, current } = input;
  const frame = makeFrame(organization);
  const url = current === null ? frame.newUrl : destinationUrl(organization, current.id);
  const problems = placeProblems(input.problems ?? [], form);
  const inputOf = (path: Field['path']) => makeInput(findField(path), input, problems.byName);
  const inSection = (section: Field['section']) =>
    fields.filter((field) => field.section === section).map(({ path }) => inputOf(path));
  const { values } = form;
  return {
    frame,
    title: current === null ? 'Add destination' : current.id.name,
    isNew: current === null,
    formUrl: url,
    testUrl: `${url}/test`,
    notices: input.notices ?? [],
    problems: problems.links,
    conflict: input.conflict ?? null,
    state: input.state ?? null,
    revision: values.revision,
    name: { ...plainText, ...makeOwnField('name', values.name, problems.byName) },
    endpoint: inputOf('endpoint'),
    endpointAbout: makeEndpointAbout(values.endpoint),
    headers: makeHeadersView(input, problems.byName, url),
    main: inSection('main'),
    isAdvancedOpen: problems.links.length > 0 || isAdvancedUsed(form),
    startFrom: inputOf('startFrom'),
    startTime: makeOwnField('startTime', values.startTime, problems.byName),
    sending: inSection('sending'),
    tls: inSection('tls'),
    filter: inSection('filter'),
    test: input.test ?? null,
    actions: input.actions ?? null,
    readOnly: current?.readOnly ?? null,
  };
}

/** The rows alone, for what adds or removes one. */
export function makeHeaders(input: FormInput): HeadersView {
  const { organization, current, form } = input;
  const url = current === null ? makeFrame(organization).newUrl : destinationUrl(organization, current.id);
  return makeHeadersView(input, placeProblems(input.problems ?? [], form).byName, url);
}

function makeHeadersView(
  { organization, form, current, newRow }: FormInput,
  problems: ReadonlyMap<string, string>,
  formUrl: string,
): HeadersView {
  const rows = form.headers.map(({ index, name }, position): HeaderRowView => {
    const stored = current?.spec.headers.findIndex((each) => each.name.toLowerCase() === name.toLowerCase());
    const header = stored === undefined || stored < 0 ? undefined : current?.spec.headers[stored];
    const owner = header && current ? headerOwner(current.owners, header.name, stored ?? 0) : null;
    const number = position + 1;
    return {
      index,
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
        hint: header === undefined || header.reference !== null ? '' : '•••• set — leave empty to keep',
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
    formUrl,
    rows,
    problem: problems.get('headers') ?? null,
    owner: current?.owners.get('headers') ?? null,
  };
}

function makeInput(
  field: Field,
  { form, current }: FormInput,
  problems: ReadonlyMap<string, string>,
): InputView {
  const { path, label, input, min, max, maxLength, options, warning } = field;
  const value = form.values[path];
  const owner = current?.owners.get(path) ?? null;
  const isSecret = input === 'secret';
  const isStored = isSecret && current?.spec[path] === true;
  const view = makeField(path, {
    label: isSecret ? `${label} (PEM)` : label,
    value,
    hint: input === 'number' ? `${min}–${max}. ${field.hint}` : field.hint,
    problem: problems.get(path) ?? null,
    owner,
  });
  const placeholder = isStored ? stored : isSecret ? '-----BEGIN CERTIFICATE-----' : field.placeholder;
  const hasKey = path === 'tls.clientCertSecretRef' && owner === null;
  return {
    ...view,
    ...{ input, min, max, maxLength, options, placeholder, warning: value === 'true' ? warning : '' },
    key: hasKey ? makeKey(isStored, problems) : null,
    remove: isStored && owner === null ? `Remove the stored ${label.toLowerCase()}` : '',
  };
}

const stored = 'Stored — leave empty to keep it';

function makeKey(isStored: boolean, problems: ReadonlyMap<string, string>): InputView {
  const { label, ...view } = makeOwnField(clientKey, '', problems);
  const placeholder = isStored ? stored : '-----BEGIN PRIVATE KEY-----';
  return { ...plainText, ...view, input: 'secret', label: `${label} (PEM)`, placeholder };
}

const plainText = {
  input: 'text',
  min: undefined,
  max: undefined,
  maxLength: undefined,
  options: [],
  placeholder: '',
  warning: '',
  key: null,
  remove: '',
} as const;

function makeOwnField(
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

function idOf(name: string): string {
  return `field-${name.replaceAll('.', '-')}`;
}

/** To the inputs they are about, by their labels. */
function placeProblems(
  problems: readonly FieldProblem[],
  form: ExportForm,
): { byName: Map<string, string>; links: ProblemLink[] } {
  const byName = new Map<string, string>();
  const links: ProblemLink[] = [];
  for (const problem of problems) {
    const { name, label } = findInput(problem, form);
    const message = isTimeMissing(problem, form) ? missingTime : complain(label, problem.complaint);
    if (name !== null && !byName.has(name)) byName.set(name, message);
    links.push({ href: name === null ? null : `#${idOf(name)}`, message });
  }
  return { byName, links };
}

const missingTime = 'Enter the time to start from, or choose Now or the beginning.';

function isTimeMissing({ path }: FieldProblem, { values }: ExportForm): boolean {
  return path === 'startFrom' && values.startFrom === 'Time' && values.startTime === '';
}

/** `name` null: the problem is about no input. */
function findInput({ path }: FieldProblem, form: ExportForm): { name: string | null; label: string } {
  const [, index, part] = /^headers\.(\d+)\.(name|value)$/.exec(path) ?? [];
  const row = index === undefined ? undefined : filledHeaders(form)[Number(index)];
  if (row !== undefined) {
    const number = form.headers.indexOf(row) + 1;
    return { name: `headers.${row.index}.${part}`, label: labelOfHeader(part, number) };
  }
  if (path === 'startFrom' && form.values.startFrom === 'Time') {
    return { name: 'startTime', label: ownInputs.startTime.label };
  }
  const known = [...labels.keys()].filter((name) => path === name || path.startsWith(`${name}.`));
  const [name] = known.sort((a, b) => b.length - a.length);
  if (name === undefined) return { name: null, label: path || 'This destination' };
  return { name, label: labels.get(name) ?? name };
}

function labelOfHeader(part: string | undefined, number: number): string {
  return `${part === 'name' ? 'Name' : 'Value'} of header ${number}`;
}

export function makeEndpointAbout(endpoint: string): EndpointAboutView {
  const isReadable = /^https?:\/\//i.test(endpoint) && URL.canParse(endpoint);
  return {
    resolvedUrl: isReadable ? withoutQuery(resolveEndpoint(endpoint).href) : null,
    isHttp: /^http:\/\//i.test(endpoint),
  };
}

/** What decides which entries go and whom to trust is never hidden. */
function isAdvancedUsed({ values }: ExportForm): boolean {
  return fields.some(
    ({ section, path }) =>
      (section === 'tls' || section === 'filter') && values[path] !== emptyForm.values[path],
  );
}
