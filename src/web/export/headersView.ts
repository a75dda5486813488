/** The rows of headers in the form, each with who owns it and whether its value is stored. */
import type { HeaderRowView, HeadersView } from '../views/exportViews.ts';
import { formUrl, makeFrame } from './addresses.ts';
import { headerOwner } from './exportForm.ts';
import { labelOfHeader, makeField } from './fieldViews.ts';
import type { FormInput } from './formInput.ts';

export function makeHeaders(
  { organization, form, current, newRow }: FormInput,
  problems: ReadonlyMap<string, string> = new Map(),
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
    formUrl: formUrl(organization, current),
    rows,
    problem: problems.get('headers') ?? null,
    owner: current?.owners.get('headers') ?? null,
  };
}
