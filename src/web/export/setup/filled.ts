/** Fills the form of a new destination: from a preset, or from what was pasted. What was typed is never replaced in silence. */
import type { Secret } from '../../../model/secret.ts';
import type { SetupView } from '../../views/formViews.ts';
import { withoutQuery } from '../addresses.ts';
import { type ExportForm, emptyForm, type HeaderRow, noSecret } from '../exportForm.ts';
import { labels } from '../fieldViews.ts';
import type { Pasted, PastedField } from '../paste/pasted.ts';
import { findPreset, findPresetHeader } from '../presets/presets.ts';
import type { Preset } from '../presets/presetTable.ts';
import { fromPaste } from './completeHeaders.ts';

export interface FilledForm {
  readonly form: ExportForm;
  readonly filled: Pick<SetupView, 'title' | 'says'>;
}

export function fillFromPreset(form: ExportForm, preset: Preset): FilledForm {
  const says: string[] = [];
  const values = { ...form.values, preset: preset.id, endpoint: preset.endpoint };
  sayReplaced(form, preset.endpoint, says);
  const wanted = preset.headers.map(({ name }) => ({ name }));
  const headers = fillHeaders(form, wanted, says);
  return {
    form: { ...form, values, headers, pasted: [] },
    filled: { title: `Filled in for ${preset.name}.`, says },
  };
}

export function fillFromPaste(form: ExportForm, { endpoint, headers, values, remarks }: Pasted): FilledForm {
  const says: string[] = [];
  if (endpoint !== undefined) sayReplaced(form, endpoint, says);
  for (const [path, value] of Object.entries(values) as Array<[PastedField, string]>) {
    const typed = form.values[path];
    if (typed === value || typed === emptyForm.values[path]) continue;
    const label = labels.get(path) ?? path;
    says.push(`${label} ${path === 'tls.caSecretRef' ? 'that you typed' : `“${typed}”`} was replaced.`);
  }
  const filled = [
    ...(endpoint === undefined ? [] : ['the endpoint']),
    ...(headers.length === 0 ? [] : [headers.length === 1 ? '1 header' : `${headers.length} headers`]),
    ...Object.keys(values).map((path) => labels.get(path)?.toLowerCase() ?? path),
  ];
  return {
    form: {
      ...form,
      // What is pasted says itself what its values begin with.
      values: { ...form.values, preset: fromPaste, ...(endpoint !== undefined && { endpoint }), ...values },
      headers: fillHeaders(form, headers, says),
      pasted: listPasted(form, headers),
    },
    filled: {
      title: filled.length === 0 ? 'Nothing was filled in.' : `Filled in: ${filled.join(', ')}.`,
      says: [...says, ...remarks],
    },
  };
}

/** What an earlier preset filled in, nobody typed. */
function sayReplaced({ values }: ExportForm, endpoint: string, says: string[]): void {
  const typed = values.endpoint;
  if (typed === '' || typed === endpoint || typed === findPreset(values.preset)?.endpoint) return;
  says.push(`The endpoint ${withoutQuery(typed)} was replaced.`);
}

/** The rows that somebody made, or typed a value into; then one for each that is missing. */
function fillHeaders(
  form: ExportForm,
  wanted: ReadonlyArray<{ readonly name: string; readonly value?: Secret }>,
  says: string[],
): readonly HeaderRow[] {
  const isPasted = ({ name }: HeaderRow) => form.pasted.includes(name.toLowerCase());
  const isTyped = (row: HeaderRow) => row.value.reveal() !== '' && !isPasted(row);
  const isFilledIn = (row: HeaderRow) =>
    row.name === '' || isPasted(row) || findPresetHeader(form.values.preset, row.name) !== null;
  const kept = form.headers.filter((row) => isTyped(row) || !isFilledIn(row));
  const find = (name: string) => kept.find((row) => row.name.toLowerCase() === name.toLowerCase());
  for (const { name } of wanted) {
    const row = find(name);
    if (row !== undefined && isTyped(row)) says.push(`Header ${row.name} keeps the value that you typed.`);
  }
  const next = Math.max(-1, ...form.headers.map(({ index }) => index)) + 1;
  const added = wanted
    .filter(({ name }) => find(name) === undefined)
    .map(({ name, value = noSecret }, n) => ({ index: next + n, name, value }));
  return [...kept, ...added];
}

function listPasted(form: ExportForm, headers: Pasted['headers']): string[] {
  const typed = form.headers.filter(
    ({ name, value }) => value.reveal() !== '' && !form.pasted.includes(name.toLowerCase()),
  );
  return headers
    .filter(({ value }) => value.reveal() !== '')
    .map(({ name }) => name.toLowerCase())
    .filter((name) => !typed.some((row) => row.name.toLowerCase() === name));
}
