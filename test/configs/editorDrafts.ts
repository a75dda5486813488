/** What a form of the page would ask for, and what came of it. */
import type {
  ConfigDraft,
  ConfigEditor,
  EditableConfig,
  EditorResult,
} from '../../src/configs/configEditor.ts';
import { Secret } from '../../src/model/secret.ts';

export function makeDraft(changes: Partial<ConfigDraft> = {}): ConfigDraft {
  return {
    id: null,
    name: '',
    organization: 'acme',
    endpoint: 'https://otel.example.com',
    headers: [],
    maxBatchSize: '1000',
    startFrom: '',
    suspend: false,
    compression: 'gzip',
    timeoutSeconds: '10',
    filter: { eventTypes: [], excludeEventTypes: [], projects: [] },
    tls: { ca: 'none', clientCert: 'none', serverName: '', insecureSkipVerify: false },
    ...changes,
  };
}

/** The form as it is shown, with nothing changed but `changes`. */
export function draftOf(config: EditableConfig, changes: Partial<ConfigDraft> = {}): ConfigDraft {
  const { spec } = config;
  return {
    id: config.id,
    name: config.id.name,
    organization: spec.organization,
    endpoint: spec.endpoint,
    headers: spec.headers.map(({ name }) => ({ name, value: 'kept' as const })),
    maxBatchSize: String(spec.maxBatchSize),
    startFrom: spec.startFrom,
    suspend: spec.suspend,
    compression: spec.compression,
    timeoutSeconds: String(spec.timeoutSeconds),
    filter: spec.filter,
    tls: {
      ca: spec.tls.hasCa ? 'kept' : 'none',
      clientCert: spec.tls.hasClientCert ? 'kept' : 'none',
      serverName: spec.tls.serverName,
      insecureSkipVerify: spec.tls.insecureSkipVerify,
    },
    ...changes,
  };
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

/** Sentences by field. */
export function problemsOf(result: EditorResult<unknown>): Record<string, string> {
  if (result.kind !== 'invalid') throw new Error(JSON.stringify(result));
  return Object.fromEntries(result.problems.map(({ field, message }) => [field, message]));
}
