/** From a draft to the spec it asks for, and to the Secrets that this spec will refer to. Writes nothing. */
import { Secret } from '../../model/secret.ts';
import type { ConfigDraft, FieldProblem } from '../configEditor.ts';
import { isMap } from './isMap.ts';
import {
  makeCaKey,
  makeClientCertSecretName,
  makeHeaderKey,
  type PageSecret,
  pageSecretName,
} from './pageSecrets.ts';
import { listHeaders, listUnits } from './specUnits.ts';

export interface DraftPlan {
  /** As in a manifest; judged by nobody yet. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly secrets: readonly PageSecret[];
  /** What no schema can know: values to keep that are not there, and what is set once. */
  readonly problems: readonly FieldProblem[];
}

/** `stored` is the spec that the draft changes, as it stands; null for a new config. */
export function planDraft(draft: ConfigDraft, configName: string, stored: unknown): DraftPlan {
  const values = new Map<string, Secret>();
  const secrets: PageSecret[] = [];
  const problems: FieldProblem[] = [];
  const headers = planHeaders(draft, configName, { stored, values, problems });
  const tls = planTls(draft, configName, { stored, values, secrets, problems });
  if (values.size > 0) secrets.push({ name: pageSecretName(configName), kind: 'values', data: values });
  const startFrom = planStartFrom(draft, stored, problems);
  const spec = {
    organization: draft.organization,
    endpoint: draft.endpoint,
    headers,
    maxBatchSize: toNumber(draft.maxBatchSize),
    ...(startFrom === undefined ? {} : { startFrom }),
    suspend: draft.suspend,
    compression: draft.compression,
    timeoutSeconds: toNumber(draft.timeoutSeconds),
    filter: { ...draft.filter },
    tls,
  };
  return { spec, secrets, problems };
}

interface Planned {
  readonly stored: unknown;
  readonly values: Map<string, Secret>;
  readonly problems: FieldProblem[];
}

function planHeaders(
  draft: ConfigDraft,
  configName: string,
  { stored, values, problems }: Planned,
): unknown[] {
  return draft.headers.map(({ name, value }, index) => {
    if (value !== 'kept') {
      const key = makeHeaderKey(name);
      values.set(key, value.set);
      return { name, valueFrom: { secretKeyRef: { name: pageSecretName(configName), key } } };
    }
    const kept = listHeaders(stored).find((each) => each.name.toLowerCase() === name.toLowerCase());
    if (kept !== undefined) return { ...kept, name };
    problems.push({
      field: `headers.${index}.value`,
      message: `spec.headers[${index}] has no stored value under this name: enter its value.`,
    });
    // Stands in for the value, so that the schema says nothing of it.
    return { name, value: '' };
  });
}

function planTls(
  draft: ConfigDraft,
  configName: string,
  { stored, values, secrets, problems }: Planned & { readonly secrets: PageSecret[] },
): Record<string, unknown> {
  const units = listUnits(stored);
  const tls: Record<string, unknown> = {};
  const keep = (field: 'caSecretRef' | 'clientCertSecretRef', what: string) => {
    const kept = units.get(`tls.${field}`);
    if (kept !== undefined) tls[field] = kept;
    else
      problems.push({
        field: `tls.${field}`,
        message: `There is no stored ${what} to keep: give one, or none.`,
      });
  };
  const { ca, clientCert, serverName, insecureSkipVerify } = draft.tls;
  if (ca === 'kept') keep('caSecretRef', 'CA certificate');
  else if (ca !== 'none') {
    const key = makeCaKey();
    values.set(key, new Secret(ca.set));
    tls['caSecretRef'] = { name: pageSecretName(configName), key };
  }
  if (clientCert === 'kept') keep('clientCertSecretRef', 'client certificate');
  else if (clientCert !== 'none') {
    const { cert, key } = clientCert.set;
    const name = makeClientCertSecretName(configName);
    const data = new Map([
      ['tls.crt', new Secret(cert)],
      ['tls.key', key],
    ]);
    secrets.push({ name, kind: 'tls', data });
    tls['clientCertSecretRef'] = { name };
  }
  if (serverName !== '') tls['serverName'] = serverName;
  tls['insecureSkipVerify'] = insecureSkipVerify;
  return tls;
}

/** The API server keeps it from changing by a rule of the CRD; a directory has only this. Empty: as it is. */
function planStartFrom(draft: ConfigDraft, stored: unknown, problems: FieldProblem[]): string | undefined {
  const { startFrom } = draft;
  if (!isMap(stored)) return startFrom === '' ? undefined : startFrom;
  const now = listUnits(stored).get('startFrom');
  if (typeof now !== 'string') return startFrom === '' ? undefined : startFrom;
  if (startFrom !== '' && startFrom !== now) {
    const message = 'spec.startFrom cannot be changed: to begin elsewhere make another AuditExportConfig.';
    problems.push({ field: 'startFrom', message });
  }
  return now;
}

/** What is no number stays as typed, for the schema to say so. */
function toNumber(typed: string): number | string {
  const text = typed.trim();
  return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text;
}
