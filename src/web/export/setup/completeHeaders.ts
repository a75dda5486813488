/** What a typed header value lacks, from where the form was filled: the form posts neither. */
import { Secret } from '../../../model/secret.ts';
import { readPaste } from '../paste/readPaste.ts';
import { findPresetHeader } from '../presets/presets.ts';

interface Row {
  readonly name: string;
  readonly value: Secret;
}

/** In the place of a preset: the form was filled from what was pasted. */
export const fromPaste = 'pasted';

/** The rows with what a value of theirs lacks: all of it if it was pasted elsewhere, or its prefix if the preset knows that. */
export function completeHeaders<T extends Row>(
  rows: readonly T[],
  preset: string,
  paste: string,
): { readonly headers: readonly T[]; readonly pasted: readonly string[] } {
  const given = new Map(
    (preset === fromPaste ? readPaste(paste).headers : []).map(({ name, value }) => [
      name.toLowerCase(),
      value,
    ]),
  );
  const pasted: string[] = [];
  const headers = rows.map((row) => {
    const name = row.name.toLowerCase();
    const typed = row.value.reveal();
    const elsewhere = typed === '' ? given.get(name) : undefined;
    if (elsewhere !== undefined && elsewhere.reveal() !== '') {
      pasted.push(name);
      return { ...row, value: elsewhere };
    }
    const prefix = findPresetHeader(preset, name)?.prefix ?? '';
    // Whoever types two words has typed the prefix, or another one.
    return typed === '' || prefix === '' || /\s/.test(typed)
      ? row
      : { ...row, value: new Secret(prefix + typed) };
  });
  return { headers, pasted };
}
