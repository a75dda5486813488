/** What a person can do about a failed test, and the button that does it. */
import { Secret } from '../../../model/secret.ts';
import type { RemedyView } from '../../views/formViews.ts';
import type { ExportForm } from '../exportForm.ts';
import { idOf } from '../inputIds.ts';

export interface Remedy {
  /** What is wrong and the way out, in one or two sentences. */
  readonly says: string;
  /** null: it takes a person. */
  readonly fix: Fix | null;
}

/** Changes one input. `prefix` goes before what is typed there and is not shown, such as a token. */
interface Fix {
  readonly label: string;
  readonly field: 'endpoint' | 'compression' | 'tls.serverName' | `headers.${number}.value`;
  readonly value: string;
  readonly isPrefix: boolean;
}

export interface ShownCertificate {
  /** Label and value, in the order of reading. */
  readonly facts: ReadonlyArray<readonly [label: string, value: string]>;
}

export interface Diagnosis {
  readonly remedies: readonly Remedy[];
  /** What was presented; null: it does not matter here. */
  readonly certificate: ShownCertificate | null;
}

export const nothingFound: Diagnosis = { remedies: [], certificate: null };

/** `typed`: what it replaces. A button that gives up encryption says so. */
export function setEndpoint(url: string, { shown, typed }: { shown: string; typed: string }): Fix {
  const isLessSafe = /^http:/i.test(url) && !/^http:/i.test(typed);
  const label = `Use ${shown}${isLessSafe ? ', without encryption,' : ''}`;
  return { label, field: 'endpoint', value: url, isPrefix: false };
}

export function toRemedyView({ says, fix }: Remedy): RemedyView {
  if (fix === null) return { says, fix: null };
  const { label, field, value, isPrefix } = fix;
  const posted = `${isPrefix ? 'prefix' : 'set'} ${field} ${value}`;
  return { says, fix: { label: `${label} and test`, posted, id: idOf(field), value, isPrefix } };
}

/** The form after the button was pressed; the same form if `posted` is none. A script may have applied it already. */
export function applyFix(form: ExportForm, posted: unknown): ExportForm {
  const match =
    /^(set|prefix) (endpoint|compression|tls\.serverName|headers\.(\d{1,4})\.value) (.{1,2048})$/.exec(
      typeof posted === 'string' ? posted : '',
    );
  const [, how, field = '', index, value = ''] = match ?? [];
  if (how === 'set' && index === undefined) return { ...form, values: { ...form.values, [field]: value } };
  if (how !== 'prefix' || index === undefined) return form;
  const headers = form.headers.map((row) =>
    row.index !== Number(index) || row.value.reveal().startsWith(value)
      ? row
      : { ...row, value: new Secret(value + row.value.reveal()) },
  );
  return { ...form, headers };
}
