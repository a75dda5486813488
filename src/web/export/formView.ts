/** What the form of a destination shows: what was typed, what is stored, who owns what, and what is wrong with it. */
import { resolveEndpoint } from '../../configs/destination/resolveEndpoint.ts';
import { type Field, fields, findField } from '../../configs/fields.ts';
import type { EndpointAboutView, ExportFormView } from '../views/exportViews.ts';
import { formUrl, makeFrame, withoutQuery } from './addresses.ts';
import { type ExportForm, emptyForm } from './exportForm.ts';
import { makeInput, makeInputs, makeOwnField } from './fieldViews.ts';
import type { FormInput } from './formInput.ts';
import { makeHeaders } from './headersView.ts';
import { placeProblems } from './placeProblems.ts';

export function makeFormView(input: FormInput & Pick<ExportFormView, 'state' | 'actions'>): ExportFormView {
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
    notices: input.notices ?? [],
    problems: problems.links,
    conflict: input.conflict ?? null,
    state: input.state,
    revision: values.revision,
    name: { ...makeOwnField('name', values.name, problems.byName), input: 'text' },
    endpoint: inputOf('endpoint'),
    endpointAbout: makeEndpointAbout(values.endpoint),
    headers: makeHeaders(input, problems.byName),
    main: inSection('main'),
    isAdvancedOpen: problems.links.length > 0 || isAdvancedUsed(form),
    startFrom: inputOf('startFrom'),
    startTime: makeOwnField('startTime', values.startTime, problems.byName),
    sending: inSection('sending'),
    tls: inSection('tls'),
    filter: inSection('filter'),
    test: input.test ?? null,
    actions: input.actions,
    readOnly: current?.readOnly ?? null,
  };
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
