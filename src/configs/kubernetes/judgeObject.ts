/** Judges one AuditExportConfig of the cluster, with everything it refers to and by the rules of the operator. */
import type { ExportConfig, ExportSpec, Remark } from '../../model/exportConfig.ts';
import type { ConfigReason } from '../../model/reasons.ts';
import type { ConfigState } from '../configSource.ts';
import { judgeManifest } from '../judgeManifest.ts';
import { findBindingProblem, type OrganizationBindings } from '../organizationBindings.ts';
import { parseManifest } from '../parseManifest.ts';
import type { ManifestSpec } from '../schema.ts';
import { toExportSpec } from '../toExportSpec.ts';
import { isBeingDeleted, type KubeObject } from './kubeObject.ts';
import type { NamespaceLimits } from './namespaceLimits.ts';
import type { SecretStore } from './secretStore.ts';
import { isEndpointTyped } from './store/fieldOwners.ts';

export type Judgement =
  | { readonly kind: 'judged'; readonly state: ConfigState }
  /** A Secret is not known yet: what was said of the config before still holds. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'unavailable' };

export interface Judges {
  readonly secrets: SecretStore;
  readonly limits: NamespaceLimits;
  readonly organizations: OrganizationBindings;
}

/**
 * The key is the uid: a config that is deleted and created again is a different one, and starts over.
 *
 * What is not allowed ends the last good config: it may not have been allowed either.
 */
export async function judgeObject(
  object: KubeObject,
  lastGood: ExportConfig | null,
  { secrets, limits, organizations }: Judges,
): Promise<Judgement> {
  const { uid: key, namespace, name, generation } = object.metadata;
  const forbid = (reason: ConfigReason, problem: string, spec: ExportSpec | null = null): Judgement => {
    secrets.want(key, namespace, []);
    const state = { key, namespace, name, generation, reason, problems: [problem], lastGood: null, spec };
    return { kind: 'judged', state: { kind: 'invalid', ...state } };
  };
  const surplus = limits.checkPlace(object);
  if (surplus !== null) return forbid(surplus.reason, surplus.problem);
  const parsed = parseManifest(object.raw);
  // Secrets of a wrong spec stay: the last good config may be in force, and the next spec likely needs them.
  if (parsed.ok) {
    const { spec } = parsed.manifest;
    const unbound = findBindingProblem(organizations, namespace, spec.organization);
    if (unbound !== null) return forbid('OrganizationNotAllowed', unbound);
    const names = listSecretNames(spec);
    const excess = limits.check(object, names);
    // The change is recorded like any other, so its spec is known.
    if (excess !== null) return forbid(excess.reason, excess.problem, toExportSpec(spec));
    secrets.want(key, namespace, names);
    const readiness = secrets.readiness(key);
    if (readiness !== 'known') return { kind: readiness };
  }
  const identity = { key, namespace, name, generation, isEndpointTyped: isEndpointTyped(object) };
  const state = await judgeManifest(parsed, identity, lastGood, secrets);
  if (state.kind === 'invalid' || !isBeingDeleted(object)) return { kind: 'judged', state };
  const remarks = [...(state.config.remarks ?? []), deletionRemark(object)];
  return { kind: 'judged', state: { kind: 'valid', config: { ...state.config, remarks } } };
}

function deletionRemark({ raw }: KubeObject): Remark {
  const { finalizers } = raw['metadata'] as { readonly finalizers?: unknown };
  const held = Array.isArray(finalizers) ? finalizers.map((each) => JSON.stringify(each)).join(', ') : '';
  return {
    reason: 'Terminating',
    message: `It was deleted, but keeps exporting until its finalizers (${held}) are removed: have whoever set them remove them, or set spec.suspend to stop it now.`,
  };
}

/** Names, each once. */
function listSecretNames(spec: ManifestSpec): string[] {
  const names = [
    ...spec.headers.map(({ valueFrom }) => valueFrom?.secretKeyRef.name),
    spec.tls?.caSecretRef?.name,
    spec.tls?.clientCertSecretRef?.name,
  ];
  return [...new Set(names.filter((name) => name !== undefined))];
}
