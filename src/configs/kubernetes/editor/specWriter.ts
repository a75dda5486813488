/**
 * Changes the spec of one config by server-side apply, never by force against another manager.
 *
 *   read → decide → compare owners → apply to the version that was read → (another version: again)
 *
 * Applied is what the page owns already or changes, nothing else: fields that kubectl or helm has said, and that stay as
 * they are, remain theirs alone.
 */
import type { EditorResult } from '../../configEditor.ts';
import {
  buildSpec,
  compareUnits,
  headerOf,
  listHeaders,
  listUnits,
  type SpecUnits,
} from '../../editor/specUnits.ts';
import { configApiVersion, configKind } from '../../schema.ts';
import type { ApiAnswer } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import { type KubeObject, readObject } from '../kubeObject.ts';
import { collectionPath, pageFieldManager } from '../resource.ts';
import {
  type Attempt,
  describeOwner,
  isVersionConflict,
  listOwnerConflicts,
  toRefusal,
} from './describeRefusal.ts';
import { headerList, type Ownership, readOwnership } from './fieldOwners.ts';

export interface Change {
  readonly read: () => Promise<EditorResult<KubeObject>>;
  /** What the spec shall be; or why not. Asked again when the object has another version. */
  readonly decide: (object: KubeObject) => Promise<EditorResult<SpecUnits>>;
  /** Called once, when everything that can be known says that the change will be taken. */
  readonly prepare?: (object: KubeObject) => Promise<EditorResult<void>>;
}

/** Before and after; the same where there was nothing to change. */
export interface Changed {
  readonly before: KubeObject;
  readonly after: KubeObject;
}

const maxAttempts = 8;

/** A version that changes each time (status is written every few seconds at most) is tried again this often. */
export async function changeSpec(
  api: ApiClient,
  change: Change,
  signal: AbortSignal,
): Promise<EditorResult<Changed>> {
  let isPrepared = change.prepare === undefined;
  for (let attempt = 0; attempt < maxAttempts; attempt++) {
    const read = await change.read();
    if (read.kind !== 'ok') return read;
    const object = read.value;
    const target = await change.decide(object);
    if (target.kind !== 'ok') return target;
    const plan = planApply(object, target.value);
    if (plan.kind === 'nothing') return { kind: 'ok', value: { before: object, after: object } };
    if (plan.kind === 'owned') return { kind: 'refused', reason: plan.reason };
    if (!isPrepared) {
      const prepared = await change.prepare?.(object);
      if (prepared !== undefined && prepared.kind !== 'ok') return prepared;
      isPrepared = true;
    }
    const answer = await applySpec(api, object, plan, signal);
    if (answer.kind === 'ok') {
      return { kind: 'ok', value: { before: object, after: readObject(answer.body) ?? object } };
    }
    const owned = listOwnerConflicts(answer);
    if (owned.length > 0) return { kind: 'refused', reason: owned.join(' ') };
    if (!isVersionConflict(answer)) return toRefusal(answer, attemptOf(object));
  }
  return {
    kind: 'unavailable',
    reason: 'The config was changed by others again and again while it was being saved: try again.',
  };
}

type ApplyPlan =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'owned'; readonly reason: string }
  | { readonly kind: 'apply'; readonly spec: Record<string, unknown>; readonly force: boolean };

/** `force` only takes what another manager owns without having said it (fieldOwners.ts). */
function planApply(object: KubeObject, target: SpecUnits): ApplyPlan {
  const now = listUnits(object.raw['spec']);
  const owned = readOwnership(object);
  const { changed, removed } = compareUnits(now, target);
  if (changed.length + removed.length === 0) return { kind: 'nothing' };
  const reasons = [
    ...changed.flatMap((unit) => refuseOwned(object, unit, owned.get(unit) ?? ownerOfNew(unit, owned))),
    ...removed.flatMap((unit) => refuseRemoval(object, unit, owned.get(unit))),
  ];
  if (reasons.length > 0) return { kind: 'owned', reason: reasons.join(' ') };
  const applied = [...target].filter(([unit]) => changed.includes(unit) || owned.get(unit)?.isOurs);
  return {
    kind: 'apply',
    spec: buildSpec(applied),
    force: changed.some((unit) => owned.get(unit)?.isNominal),
  };
}

/** A header is added to the list. */
function ownerOfNew(unit: string, owned: ReadonlyMap<string, Ownership>): Ownership | undefined {
  return headerOf(unit) === null ? undefined : owned.get(headerList);
}

function refuseOwned(object: KubeObject, unit: string, ownership: Ownership | undefined): string[] {
  const manager = ownership?.manager ?? null;
  return manager === null ? [] : [describeOwner(showUnit(object, unit), manager)];
}

/** An apply takes away what only the page has applied before. */
function refuseRemoval(object: KubeObject, unit: string, ownership: Ownership | undefined): string[] {
  if (ownership?.isOurs && ownership.manager === null && !ownership.isNominal) return [];
  return [describeOwner(showUnit(object, unit), ownership?.manager ?? '')];
}

function showUnit(object: KubeObject, unit: string): string {
  const header = headerOf(unit);
  if (header === null) return `spec.${unit}`;
  const index = listHeaders(object.raw['spec']).findIndex(({ name }) => name === header);
  return index === -1 ? `spec.headers (${header})` : `spec.headers[${index}] (${header})`;
}

function applySpec(
  api: ApiClient,
  object: KubeObject,
  plan: { readonly spec: Record<string, unknown>; readonly force: boolean },
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { namespace, name, resourceVersion } = object.metadata;
  return sendApply(api, { namespace, name, resourceVersion, ...plan }, signal);
}

/**
 * Makes a config, or answers with a version conflict where there is one of that name: no object has the version 1, and the
 * server compares it only with an object that is there (1.36).
 */
export function createConfig(
  api: ApiClient,
  config: { readonly namespace: string; readonly name: string; readonly spec: Record<string, unknown> },
  signal: AbortSignal,
): Promise<ApiAnswer> {
  return sendApply(api, { ...config, resourceVersion: '1', force: false }, signal);
}

function sendApply(
  api: ApiClient,
  config: {
    readonly namespace: string;
    readonly name: string;
    readonly resourceVersion: string;
    readonly spec: Record<string, unknown>;
    readonly force: boolean;
  },
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { namespace, name, resourceVersion, spec, force } = config;
  const metadata = { namespace, name, resourceVersion };
  return api.request({
    method: 'PATCH',
    path: `${collectionPath(namespace)}/${name}`,
    query: {
      fieldManager: pageFieldManager,
      fieldValidation: 'Strict',
      ...(force ? { force: 'true' } : {}),
    },
    body: {
      contentType: 'application/apply-patch+yaml',
      value: { apiVersion: configApiVersion, kind: configKind, metadata, spec },
    },
    signal,
  });
}

function attemptOf({ metadata }: KubeObject): Attempt {
  return { verb: 'patch', resource: 'configs', namespace: metadata.namespace };
}
