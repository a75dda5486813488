/** Turns a draft into the spec it asks for, and the Secrets that this spec will refer to. Writes nothing. */
import { isMap } from '../../basics/isMap.ts';
import { Secret } from '../../model/secret.ts';
import type { ConfigDraft, FieldProblem } from '../configEditor.ts';
import { type Field, fields, type SecretPath } from '../fields.ts';
import { setOnceProblem } from '../schema/startFrom.ts';
import { readHeaderRef } from './editableSpec.ts';
import {
  isPageSecretName,
  makeCaKey,
  makeClientCertSecretName,
  makeHeaderKey,
  type PageSecret,
  pageSecretName,
} from './pageSecrets.ts';
import { isSameReceiver, receiverOf } from './savedFor.ts';
import { buildSpec, listHeaders, listUnits, type RawHeader, unitOfHeader } from './specUnits.ts';

export interface DraftPlan {
  /** As in a manifest; not judged yet. */
  readonly spec: Readonly<Record<string, unknown>>;
  readonly secrets: readonly PageSecret[];
  /** What no schema can know: values to keep that are not stored, and changes to what is set once. */
  readonly problems: readonly FieldProblem[];
}

interface Planning {
  readonly draft: ConfigDraft;
  readonly configName: string;
  /** The spec that the draft changes, as it stands; null for a new config. */
  readonly stored: unknown;
  /** Values of headers, and the CA, by key. */
  readonly values: Map<string, Secret>;
  readonly secrets: PageSecret[];
  readonly problems: FieldProblem[];
}

/** `stored` is the spec that the draft changes, as it stands; null for a new config. */
export function planDraft(draft: ConfigDraft, configName: string, stored: unknown): DraftPlan {
  const planning: Planning = { draft, configName, stored, values: new Map(), secrets: [], problems: [] };
  const { values, secrets, problems } = planning;
  const spec = buildSpec(fields.flatMap((field) => planField(field, planning)));
  if (values.size > 0) secrets.push({ name: pageSecretName(configName), kind: 'values', data: values });
  if (isMap(stored) && !isSameReceiver(stored, spec)) refuseKept(planning);
  return { spec, secrets, problems };
}

/** What a manifest says for a typed value that is not a secret; undefined: nothing. What is not a number stays as typed, for the schema to refuse. */
export function toManifestValue({ input, isOptional }: Field, typed: unknown): unknown {
  if (typed === '' && isOptional) return undefined;
  const isNumber = input === 'number' && /^-?\d+(\.\d+)?$/.test(String(typed).trim());
  return isNumber ? Number(typed) : typed;
}

function planField(field: Field, planning: Planning): Array<readonly [unit: string, value: unknown]> {
  const { path } = field;
  if (path === 'headers') {
    return planHeaders(planning).map((header) => [unitOfHeader(header.name), header]);
  }
  const value =
    path === 'startFrom'
      ? planStartFrom(planning)
      : path === 'tls.caSecretRef'
        ? planCa(planning)
        : path === 'tls.clientCertSecretRef'
          ? planClientCert(planning)
          : toManifestValue(field, planning.draft[path]);
  return value === undefined ? [] : [[path, value]];
}

/** A hidden value was entered for one receiver; a form that leaves it empty must not send it to another one. */
function refuseKept({ draft, configName, stored, problems }: Planning): void {
  const receiver = receiverOf(stored);
  for (const [index, { name, value }] of draft.headers.entries()) {
    const header = value === 'kept' ? findHeader(stored, name) : undefined;
    if (header === undefined) continue;
    const ref = readHeaderRef(header);
    const complaint =
      ref === null || isPageSecretName(configName, ref.name)
        ? `was saved for ${receiver}: enter it again`
        : `comes from Secret ${ref.name}/${ref.key}, which was given for ${receiver} and is sent to no endpoint that is typed here: enter a value, or remove the header`;
    problems.push({ path: `headers.${index}.value`, complaint });
  }
  if (draft['tls.clientCertSecretRef'] === 'kept') {
    const complaint = `was saved for ${receiver}: enter it and its private key again`;
    problems.push({ path: 'tls.clientCertSecretRef', complaint });
  }
}

function findHeader(spec: unknown, name: string): RawHeader | undefined {
  return listHeaders(spec).find((each) => each.name.toLowerCase() === name.toLowerCase());
}

function planHeaders({ draft, configName, stored, values, problems }: Planning): RawHeader[] {
  return draft.headers.map(({ name, value }, index) => {
    if (value !== 'kept') {
      const key = makeHeaderKey(name);
      values.set(key, value.set);
      return { name, valueFrom: { secretKeyRef: { name: pageSecretName(configName), key } } };
    }
    const kept = findHeader(stored, name);
    if (kept !== undefined) return { ...kept, name };
    const complaint = 'is not stored under this name: enter it';
    problems.push({ path: `headers.${index}.value`, complaint });
    // An empty value, so that the schema does not complain too.
    return { name, value: '' };
  });
}

function planCa(planning: Planning): unknown {
  const ca = planning.draft['tls.caSecretRef'];
  if (ca === 'none') return undefined;
  if (ca === 'kept') return planKept('tls.caSecretRef', planning);
  const key = makeCaKey();
  planning.values.set(key, new Secret(ca.set));
  return { name: pageSecretName(planning.configName), key };
}

function planClientCert(planning: Planning): unknown {
  const clientCert = planning.draft['tls.clientCertSecretRef'];
  if (clientCert === 'none') return undefined;
  if (clientCert === 'kept') return planKept('tls.clientCertSecretRef', planning);
  const { cert, key } = clientCert.set;
  const name = makeClientCertSecretName(planning.configName);
  const data = new Map([
    ['tls.crt', new Secret(cert)],
    ['tls.key', key],
  ]);
  planning.secrets.push({ name, kind: 'tls', data });
  return { name };
}

function planKept(path: SecretPath, { stored, problems }: Planning): unknown {
  const kept = listUnits(stored).get(path);
  if (kept === undefined) problems.push({ path, complaint: 'is not stored: enter one, or leave it out' });
  return kept;
}

/** A rule of the CRD keeps it from changing; a directory has only this check. Empty: it stays. */
function planStartFrom({ draft, stored, problems }: Planning): string | undefined {
  const { startFrom } = draft;
  const now = isMap(stored) ? listUnits(stored).get('startFrom') : undefined;
  if (typeof now !== 'string') return startFrom === '' ? undefined : startFrom;
  if (startFrom !== '' && startFrom !== now) {
    problems.push({ path: 'startFrom', complaint: setOnceProblem });
  }
  return now;
}
