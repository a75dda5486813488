/** What the headers of a form look like to a receiver that refused them. */
import { type ExportForm, filledHeaders } from '../exportForm.ts';
import type { Remedy } from './remedy.ts';

/** null: nothing is odd about them. */
export function findCredentialMistake(form: ExportForm): Remedy | null {
  const rows = filledHeaders(form);
  if (rows.length === 0) {
    const says =
      'No header is set. Most receivers take the credentials in an Authorization header: add it under Headers.';
    return { says, fix: null };
  }
  const row = rows.find(({ name }) => /^(?:proxy-)?authorization$/i.test(name));
  const value = row?.value.reveal() ?? '';
  if (row === undefined || value === '' || /\s/.test(value)) return null;
  return {
    says: `The value of ${row.name} has one word. Usually it is “Bearer TOKEN”.`,
    fix: {
      label: 'Put “Bearer” before it',
      field: `headers.${row.index}.value`,
      value: 'Bearer ',
      isPrefix: true,
    },
  };
}
