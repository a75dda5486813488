/** What the headers of a form look like to a receiver that refused them. */
import { type ExportForm, filledHeaders } from '../exportForm.ts';
import { findPresetOf } from '../presets/presets.ts';
import type { Remedy } from './remedy.ts';

/** As documentation writes it: <token>, ${TOKEN}, $TOKEN, YOUR_API_KEY, TOKEN, xxxx. */
const placeholder =
  /^(?:\w+\s+)?(?:<[^>]*>|\$?\{+[^}]*\}+|\$\w+|your[-_ ].*|(?:api[-_ ]?|access[-_ ]?)?(?:token|key)|x{3,}|\.{3}|…)$/i;

/** null: nothing is odd about them. */
export function findCredentialMistake(form: ExportForm): Remedy | null {
  const rows = filledHeaders(form);
  const missing = findMissing(form.values.endpoint, rows);
  if (missing !== null) return { says: missing, fix: null };
  if (rows.length === 0) {
    const says =
      'No header is set. Most receivers take the credentials in an Authorization header: add it under Headers.';
    return { says, fix: null };
  }
  const scheme = rows.find(({ name }) => /^(?:bearer|basic|token|apikey)$/i.test(name));
  if (scheme !== undefined) {
    const says = `A header is named ${scheme.name}. Usually the name is Authorization, and the value is “${scheme.name} TOKEN”.`;
    return { says, fix: null };
  }
  const sample = rows.find(({ value }) => placeholder.test(value.reveal()));
  if (sample !== undefined) {
    const says = `The value of ${sample.name} looks like a placeholder. Enter your own token there.`;
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

/** What the receiver whose host this is asks for, and the form does not have; null: nothing, or it may be any receiver. */
function findMissing(endpoint: string, rows: ReadonlyArray<{ readonly name: string }>): string | null {
  const preset = findPresetOf(endpoint);
  const missing = preset?.headers.find(
    ({ name, value }) =>
      value === undefined && !rows.some((row) => row.name.toLowerCase() === name.toLowerCase()),
  );
  if (preset === null || missing === undefined) return null;
  const { name, prefix = '', enter } = missing;
  return `${preset.name} asks for the header ${name}, with “${prefix}${enter}” as its value: add it under Headers.`;
}
