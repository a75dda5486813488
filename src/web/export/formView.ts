/** What the form of a destination shows: what was typed, what is stored, who owns what, and what is wrong with it. */
import { randomUUID } from 'node:crypto';
import type { FieldProblem } from '../../configs/configEditor.ts';
import { resolveEndpoint } from '../../configs/destination/resolveDestination.ts';
import { type Field, fields, findField } from '../../configs/fields.ts';
import { complain } from '../../configs/problems/problem.ts';
import type { EndpointAboutView, ExportFormView, ProblemLink, RemedyView } from '../views/formViews.ts';
import { formUrl, makeFrame, withoutQuery } from './addresses.ts';
import { toRemedyView } from './doctor/remedy.ts';
import { findTypedMistake } from './doctor/typedEndpoint.ts';
import { type ExportForm, emptyForm, filledHeaders } from './exportForm.ts';
import {
  type FormInput,
  labelOfHeader,
  labels,
  makeHeaders,
  makeInput,
  makeInputs,
  makeOwnField,
} from './fieldViews.ts';
import { idOf } from './inputIds.ts';
import { makeSetupView } from './setup/setupView.ts';
import { findUnfilled } from './setup/unfilled.ts';

export function makeFormView(
  input: FormInput & Pick<ExportFormView, 'state' | 'actions' | 'start'>,
): ExportFormView {
  const { organization, form, current } = input;
  const url = formUrl(organization, current);
  const problems = placeProblems(input.problems ?? [], form);
  const inputOf = (path: Field['path']) => makeInput(findField(path), input, problems.byName);
  const inSection = (section: Field['section']) =>
    fields
      .filter((field) => field.section === section)
      .flatMap((field) => makeInputs(field, input, problems.byName));
  const { values } = form;
  return {
    frame: makeFrame(organization),
    title: current === null ? 'Add destination' : current.id.name,
    isNew: current === null,
    formUrl: url,
    testUrl: `${url}/test`,
    isUnsaved: form.isPosted,
    setup: current === null ? makeSetupView(input) : null,
    endpointRemedy: findEndpointRemedy(problems.byName, form),
    notices: [
      ...(input.notices ?? []),
      ...form.repairs.map((text) => ({ tone: 'info', title: '', text }) as const),
    ],
    problems: problems.links,
    conflict: input.conflict ?? null,
    state: input.state,
    revision: values.revision,
    formId: current === null ? values.formId || randomUUID() : null,
    name: { ...makeOwnField('name', values.name, problems.byName), input: 'text' },
    endpoint: inputOf('endpoint'),
    endpointAbout: makeEndpointAbout(values.endpoint),
    headers: makeHeaders(input, problems.byName),
    main: inSection('main'),
    isAdvancedOpen: problems.links.length > 0 || isAdvancedUsed(form),
    start: input.start,
    startFrom: inputOf('startFrom'),
    startTime: makeOwnField('startTime', values.startTime, problems.byName),
    sending: inSection('sending'),
    tls: inSection('tls'),
    filter: inSection('filter'),
    test: input.test ?? null,
    record: input.record ?? null,
    actions: input.actions,
    readOnly: current?.readOnly ?? null,
  };
}

/** Where the preset left a part open, the problem itself says what to do. */
function findEndpointRemedy(problems: ReadonlyMap<string, string>, form: ExportForm): RemedyView | null {
  if (findUnfilled(form).length > 0) return null;
  const mistake = problems.has('endpoint') ? findTypedMistake(form.values.endpoint) : null;
  return mistake === null ? null : toRemedyView(mistake.remedy);
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

/** Leads each problem to the input that it is about, and begins its sentence with the label of that input. */
function placeProblems(
  problems: readonly FieldProblem[],
  form: ExportForm,
): { byName: Map<string, string>; links: ProblemLink[] } {
  const byName = new Map<string, string>();
  const links: ProblemLink[] = [];
  for (const problem of problems) {
    const { name, label } = findInput(problem, form);
    const subject = isList(problem.path) ? `The list “${label}”` : label;
    const message = isTimeMissing(problem, form) ? missingTime : complain(subject, problem.complaint);
    if (name !== null && !byName.has(name)) byName.set(name, message);
    links.push({ href: name === null ? null : `#${idOf(name)}`, message });
  }
  return { byName, links };
}

/** Its label is often plural. */
function isList(path: string): boolean {
  return fields.some((field) => field.path === path && (field.input === 'list' || field.input === 'headers'));
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
    return {
      name: `headers.${row.index}.${part}`,
      label: labelOfHeader(part === 'name' ? part : 'value', number),
    };
  }
  if (path === 'startFrom' && form.values.startFrom === 'Time') {
    return { name: 'startTime', label: labels.get('startTime') ?? '' };
  }
  const known = [...labels.keys()].filter((name) => path === name || path.startsWith(`${name}.`));
  const [name] = known.sort((a, b) => b.length - a.length);
  if (name === undefined) return { name: null, label: path || 'This destination' };
  const label = labels.get(name) ?? name;
  // The form has no such input: the organization, for example, comes from the address.
  if (fields.some((field) => field.path === name && field.section === 'none')) return { name: null, label };
  const item = /^\d+$/.exec(path.slice(name.length + 1))?.[0];
  return { name, label: item === undefined ? label : `Item ${Number(item) + 1} of “${label}”` };
}
