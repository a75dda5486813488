/** From a draft to the spec it asks for, and to the Secrets that this spec will refer to. Writes nothing. */
import { Secret } from '../../model/secret.ts';
import type { ConfigDraft, FieldProblem } from '../configEditor.ts';
import { readHeaderRef } from './editableSpec.ts';
import { isMap } from './isMap.ts';
import {
  isPageSecretName,
  makeCaKey,
  makeClientCertSecretName,
  makeHeaderKey,
  type PageSecret,
  pageSecretName,
} from './pageSecrets.ts';
import { isSameReceiver, receiverOf } from './savedFor.ts';
import { listHeaders, listUnits, type RawHeader } from './specUnits.ts';

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
  if (isMap(stored) && !isSameReceiver(stored, spec)) refuseKept(draft, configName, stored, problems);
  return { spec, secrets, problems };
}

/** What is stored and hidden was entered for one receiver, and another one must not get it by a form that leaves it empty. */
function refuseKept(draft: ConfigDraft, configName: string, stored: unknown, problems: FieldProblem[]): void {
  const receiver = receiverOf(stored);
  for (const [index, { name, value }] of draft.headers.entries()) {
    const header = value === 'kept' ? findHeader(stored, name) : undefined;
    if (header === undefined) continue;
    const ref = readHeaderRef(header);
    const number = index + 1;
    const message =
      ref === null || isPageSecretName(configName, ref.name)
        ? `Enter the value of header ${number} again: it was saved for ${receiver}.`
        : `Remove header ${number} or enter a value for it: Secret ${ref.name}/${ref.key} was given for ${receiver}, and its value goes to no endpoint that is typed here.`;
    problems.push({ field: `headers.${index}.value`, message });
  }
  if (draft.tls.clientCert === 'kept') {
    const message = `Enter the client certificate and its private key again: they were saved for ${receiver}.`;
    problems.push({ field: 'tls.clientCertSecretRef', message });
  }
}

function findHeader(spec: unknown, name: string): RawHeader | undefined {
  return listHeaders(spec).find((each) => each.name.toLowerCase() === name.toLowerCase());
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
    const kept = findHeader(stored, name);
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
