/** What the form of a destination shows: what was typed, what is stored, who owns what, and what is wrong with it. */
import type { EditableConfig, FieldProblem } from '../../configs/configEditor.ts';
import { resolveEndpoint } from '../../configs/destination/resolveEndpoint.ts';
import type {
  ActionsView,
  ConflictView,
  EndpointAboutView,
  ExportFormView,
  ExportStateView,
  FieldView,
  HeaderRowView,
  HeadersView,
  NoticeView,
  ProblemLink,
  TestView,
} from '../views/exportViews.ts';
import { type ExportForm, filledHeaders, headerOwner } from './exportForm.ts';
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

const labels = {
  name: 'Name',
  endpoint: 'Endpoint URL',
  headers: 'Headers',
  maxBatchSize: 'Max batch size',
  startFrom: 'Start from',
  startTime: 'Time (UTC)',
  compression: 'Compression',
  timeoutSeconds: 'Timeout in seconds',
  'filter.eventTypes': 'Only these event types',
  'filter.excludeEventTypes': 'Without these event types',
  'filter.projects': 'Only these projects',
  'tls.serverName': 'Server name',
  'tls.insecureSkipVerify': 'Skip verification of the certificate',
  'tls.caSecretRef': 'Certificate authority (PEM)',
  'tls.clientCertSecretRef': 'Client certificate (PEM)',
  'tls.clientCertSecretRef.key': 'Private key (PEM)',
} as const;

type FieldName = keyof typeof labels;

const hints: Partial<Record<FieldName, string>> = {
  name: 'Optional. Lower-case letters, digits and “-”; a few more may follow it. Without one it is made from the organization and the host.',
  maxBatchSize: '1–1000 records a request at most.',
  startFrom: 'Which entries go first. It cannot be changed later.',
  startTime: 'Entries that occurred at this time or later.',
  timeoutSeconds: '1–300, answer included.',
  'filter.eventTypes': 'One per line or with commas; * stands for anything, as in flow.*. Empty: all.',
  'filter.excludeEventTypes': 'They do not go, whatever the field above says.',
  'filter.projects': 'One per line or with commas. Empty: all, and entries of no project.',
  'tls.serverName': 'Only when the certificate is for another name than the host.',
  'tls.insecureSkipVerify': 'For trials only: whoever sits between can read and answer everything.',
  'tls.caSecretRef': 'To trust instead of the system’s authorities.',
  'tls.clientCertSecretRef': 'Presented to the receiver, with its private key.',
  'tls.clientCertSecretRef.key': 'Never shown again.',
};

export function makeFormView(input: FormInput): ExportFormView {
  const { organization, form, current } = input;
  const frame = makeFrame(organization);
  const url = current === null ? frame.newUrl : destinationUrl(organization, current.id);
  const problems = placeProblems(input.problems ?? [], form);
  const field = (name: FieldName, value: string): FieldView =>
    makeField(name, {
      label: labels[name],
      value,
      hint: hints[name] ?? '',
      problem: problems.byName.get(name) ?? null,
      owner: current?.owners.get(name.replace(/\.key$/, '')) ?? null,
    });
  const headers = makeHeadersView(input, problems.byName, url);
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
    revision: form.revision,
    name: field('name', form.name),
    endpoint: field('endpoint', form.endpoint),
    endpointAbout: makeEndpointAbout(form.endpoint),
    headers,
    maxBatchSize: field('maxBatchSize', form.maxBatchSize),
    isAdvancedOpen: problems.links.length > 0 || isAdvancedUsed(form),
    startFrom: field('startFrom', form.startFrom),
    startTime: field('startTime', form.startTime),
    compression: field('compression', form.compression),
    timeoutSeconds: field('timeoutSeconds', form.timeoutSeconds),
    serverName: field('tls.serverName', form.serverName),
    insecureSkipVerify: field('tls.insecureSkipVerify', form.insecureSkipVerify ? 'true' : ''),
    ca: field('tls.caSecretRef', form.ca),
    hasCa: current?.spec.tls.hasCa ?? false,
    clientCert: field('tls.clientCertSecretRef', form.clientCert),
    clientKey: field('tls.clientCertSecretRef.key', ''),
    hasClientCert: current?.spec.tls.hasClientCert ?? false,
    eventTypes: field('filter.eventTypes', form.eventTypes),
    excludeEventTypes: field('filter.excludeEventTypes', form.excludeEventTypes),
    projects: field('filter.projects', form.projects),
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
        label: `Name of header ${number}`,
        value: name,
        hint: '',
        problem: problems.get(`headers.${index}.name`) ?? null,
        owner,
      }),
      value: makeField(`headers.${index}.value`, {
        label: `Value of header ${number}`,
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

/** To the inputs they are about, in the words of their labels. */
function placeProblems(
  problems: readonly FieldProblem[],
  form: ExportForm,
): { byName: Map<string, string>; links: ProblemLink[] } {
  const byName = new Map<string, string>();
  const links: ProblemLink[] = [];
  for (const problem of problems) {
    const message = isTimeMissing(problem, form) ? missingTime : inFormWords(problem.message);
    const name = inputOf(problem.field, form);
    if (name === null) links.push({ href: null, message });
    else {
      if (!byName.has(name)) byName.set(name, message);
      links.push({ href: `#${idOf(name)}`, message });
    }
  }
  return { byName, links };
}

const missingTime = 'Enter the time to start from, or choose Now or the beginning.';

function isTimeMissing({ field }: FieldProblem, { startFrom, startTime }: ExportForm): boolean {
  return field === 'startFrom' && startFrom === 'Time' && startTime === '';
}

/** The input of a field of the spec; null: there is none. */
function inputOf(field: string, form: ExportForm): string | null {
  const header = /^headers\.(\d+)\.(name|value)$/.exec(field);
  if (header !== null) {
    const row = filledHeaders(form)[Number(header[1])];
    return row === undefined ? 'headers' : `headers.${row.index}.${header[2]}`;
  }
  if (field === 'startFrom' && form.startFrom === 'Time') return 'startTime';
  const known = Object.keys(labels).filter((name) => field === name || field.startsWith(`${name}.`));
  return known.sort((a, b) => b.length - a.length)[0] ?? (field.startsWith('headers') ? 'headers' : null);
}

/** `spec.maxBatchSize is 0: …` becomes `Max batch size is 0: …`. */
function inFormWords(message: string): string {
  const words = message
    .replaceAll(
      /spec\.headers\[(\d+)\](?:\.(name|value)\w*(?:\.secretKeyRef)?)?/g,
      (_, index, part) =>
        `${part === 'name' ? 'The name of header' : part === 'value' ? 'The value of header' : 'Header'} ${Number(index) + 1}`,
    )
    .replaceAll(/(?:spec|metadata)\.([A-Za-z]+(?:\.[A-Za-z]+)*)(?:\[(\d+)\])?/g, (path, name: string) => {
      const label = (labels as Readonly<Record<string, string>>)[name];
      return label ?? path;
    });
  return words.charAt(0).toUpperCase() + words.slice(1);
}

export function makeEndpointAbout(endpoint: string): EndpointAboutView {
  const isReadable = /^https?:\/\//i.test(endpoint) && URL.canParse(endpoint);
  return {
    resolvedUrl: isReadable ? withoutQuery(resolveEndpoint(endpoint).href) : null,
    isHttp: /^http:\/\//i.test(endpoint),
  };
}

function isAdvancedUsed(form: ExportForm): boolean {
  return (
    form.eventTypes !== '' ||
    form.excludeEventTypes !== '' ||
    form.projects !== '' ||
    form.insecureSkipVerify ||
    form.serverName !== '' ||
    form.ca !== '' ||
    form.clientCert !== ''
  );
}
