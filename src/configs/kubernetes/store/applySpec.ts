/**
 * Writes the spec of one config by server-side apply, never by force against another manager.
 *
 * It applies what the page owns already or changes, nothing else: fields that kubectl or helm has set, and that stay as
 * they are, remain theirs alone.
 */
import { describeOwner } from '../../editor/describeOwner.ts';
import type { Written } from '../../editor/manifestStore.ts';
import {
  buildSpec,
  compareUnits,
  headerOf,
  listHeaders,
  listUnits,
  type SpecUnits,
} from '../../editor/specUnits.ts';
import type { ApiAnswer } from '../apiAnswer.ts';
import type { ApiClient } from '../apiClient.ts';
import type { Labels } from '../clusterRules.ts';
import type { KubeObject } from '../kubeObject.ts';
import { collectionPath, makeApply, pageFieldManager } from '../resource.ts';
import { isVersionConflict, listOwnerConflicts, toRefusal } from './describeRefusal.ts';
import { headerList, type Ownership, readOwnership } from './fieldOwners.ts';

/**
 * Why the spec cannot become `target`: others have set fields that differ. One sentence each; null: none is known. The server
 * may still answer with a conflict.
 */
export function findOwnerRefusal(object: KubeObject, target: SpecUnits): string | null {
  const plan = planApply(object, target);
  return plan.kind === 'owned' ? plan.reason : null;
}

/**
 * Replaces the spec of exactly the version that was read. `labels` are those that the page gives to each config: an apply without
 * them would take them away.
 */
export async function replaceSpec(
  api: ApiClient,
  object: KubeObject,
  { labels, target }: { readonly labels: Labels; readonly target: SpecUnits },
  signal: AbortSignal,
): Promise<Written> {
  const plan = planApply(object, target);
  if (plan.kind === 'owned') return { kind: 'refused', reason: plan.reason };
  const { namespace, name, resourceVersion } = object.metadata;
  const answer = await sendApply(api, { namespace, name, resourceVersion, labels, ...plan }, signal);
  if (answer.kind === 'ok') return { kind: 'ok', value: undefined };
  const owned = listOwnerConflicts(answer);
  if (owned.length > 0) return { kind: 'refused', reason: owned.join(' ') };
  if (isVersionConflict(answer)) return { kind: 'conflict' };
  return toRefusal(answer, { verb: 'patch', resource: 'configs', namespace });
}

type ApplyPlan =
  | { readonly kind: 'owned'; readonly reason: string }
  | { readonly kind: 'apply'; readonly spec: Record<string, unknown>; readonly force: boolean };

/** `force` takes only what another manager owns without having set it (fieldOwners.ts). */
function planApply(object: KubeObject, target: SpecUnits): ApplyPlan {
  const now = listUnits(object.raw['spec']);
  const owned = readOwnership(object);
  const { changed, removed } = compareUnits(now, target);
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

/** A new header belongs to whoever owns the list. */
function ownerOfNew(unit: string, owned: ReadonlyMap<string, Ownership>): Ownership | undefined {
  return headerOf(unit) === null ? undefined : owned.get(headerList);
}

function refuseOwned(object: KubeObject, unit: string, ownership: Ownership | undefined): string[] {
  const manager = ownership?.manager ?? null;
  return manager === null ? [] : [describeOwner(showUnit(object, unit), manager)];
}

/** An apply removes only what nobody but the page has applied. */
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

/**
 * Creates a config, or is answered with a version conflict where one of that name exists: no object has the version 1, and
 * the server compares it only with an object that exists (1.36).
 */
export function createConfig(
  api: ApiClient,
  config: {
    readonly namespace: string;
    readonly name: string;
    readonly labels: Labels;
    readonly spec: Record<string, unknown>;
  },
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
    readonly labels: Labels;
    readonly spec: Record<string, unknown>;
    readonly force: boolean;
  },
  signal: AbortSignal,
): Promise<ApiAnswer> {
  const { namespace, name, resourceVersion, labels, spec, force } = config;
  const metadata = {
    namespace,
    name,
    resourceVersion,
    ...(Object.keys(labels).length > 0 && { labels }),
  };
  return api.request({
    method: 'PATCH',
    path: `${collectionPath(namespace)}/${name}`,
    query: {
      fieldManager: pageFieldManager,
      fieldValidation: 'Strict',
      ...(force ? { force: 'true' } : {}),
    },
    body: makeApply({ metadata, spec }),
    signal,
  });
}
