/** How one AuditExportConfig of the cluster stands: valid with everything it refers to, or invalid with the reason. */
import type { ExportConfig } from '../../model/exportConfig.ts';
import type { ConfigState } from '../configSource.ts';
import { parseManifest } from '../parseManifest.ts';
import { resolveConfig } from '../resolveConfig.ts';
import { isEndpointTyped } from './editor/fieldOwners.ts';
import type { KubeObject } from './kubeObject.ts';
import { listSecretNames } from './secretRefs.ts';
import type { SecretStore } from './secretStore.ts';

export type Judgement =
  | { readonly kind: 'judged'; readonly state: ConfigState }
  /** A Secret is not known yet: what was said of the config before still holds. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'unavailable' };

/** The key is the uid: a config that is deleted and made again is another one, and starts anew. */
export async function judgeObject(
  object: KubeObject,
  lastGood: ExportConfig | null,
  secrets: SecretStore,
): Promise<Judgement> {
  const { metadata, raw } = object;
  const { uid: key, namespace, name, generation } = metadata;
  const wrong = { kind: 'invalid', key, namespace, name, generation, lastGood } as const;
  const parsed = parseManifest(raw);
  if (!parsed.ok) {
    // The Secrets stay: the last good config may be in force, and the next spec likely needs them.
    return {
      kind: 'judged',
      state: { ...wrong, reason: 'InvalidSpec', problems: parsed.problems, spec: null },
    };
  }
  const { manifest } = parsed;
  secrets.want(key, namespace, listSecretNames(manifest.spec));
  const readiness = secrets.readiness(key);
  if (readiness !== 'known') return { kind: readiness };
  const identity = { key, namespace, name, generation, isEndpointTyped: isEndpointTyped(object) };
  const resolved = await resolveConfig(manifest, identity, secrets);
  if (resolved.kind === 'resolved')
    return { kind: 'judged', state: { kind: 'valid', config: resolved.config } };
  const { reason, problems, spec } = resolved;
  return { kind: 'judged', state: { ...wrong, reason, problems, spec } };
}
