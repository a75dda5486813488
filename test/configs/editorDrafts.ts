/** What a form of the page would ask for, and what came of it. */
import type {
  ConfigDraft,
  ConfigEditor,
  EditableConfig,
  EditorResult,
} from '../../src/configs/configEditor.ts';
import { Secret } from '../../src/model/secret.ts';
import { emptyForm, toDraft, toForm } from '../../src/web/export/exportForm.ts';

export function makeDraft(changes: Partial<ConfigDraft> = {}): ConfigDraft {
  const draft = toDraft(emptyForm, { organization: 'acme', current: null });
  return { ...draft, endpoint: 'https://otel.example.com', startFrom: '', ...changes };
}

/** The form as it is shown, with nothing changed but `changes`. */
export function draftOf(config: EditableConfig, changes: Partial<ConfigDraft> = {}): ConfigDraft {
  const draft = toDraft(toForm(config), { organization: config.spec.organization, current: config });
  return { ...draft, name: config.id.name, ...changes };
}

export function header(name: string, value: string): ConfigDraft['headers'][number] {
  return { name, value: { set: new Secret(value) } };
}

/** @throws what the result says when it is not `ok`. */
export function demand<T>(result: EditorResult<T>): T {
  if (result.kind !== 'ok') throw new Error(JSON.stringify(result));
  return result.value;
}

/** The only one of the organization. */
export async function readOnly(editor: ConfigEditor, organization = 'acme'): Promise<EditableConfig> {
  const [config, ...others] = demand(await editor.list(organization));
  if (config === undefined || others.length > 0) throw new Error(`${others.length} others`);
  return config;
}

/** Complaints by field. */
export function problemsOf(result: EditorResult<unknown>): Record<string, string> {
  if (result.kind !== 'invalid') throw new Error(JSON.stringify(result));
  return Object.fromEntries(result.problems.map(({ path, complaint }) => [path, complaint]));
}
