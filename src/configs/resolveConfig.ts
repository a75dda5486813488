/** From a valid manifest to an export that can run, or to what is missing for it. The same for every source. */
import type { ExportConfig, ExportSpec } from '../model/exportConfig.ts';
import { resolveDestination } from './destination/resolveDestination.ts';
import type { SecretReason } from './destination/secretProblems.ts';
import type { SecretReader } from './destination/secretReader.ts';
import { type Manifest, reconcileAtAnnotation } from './schema.ts';
import { toExportSpec } from './toExportSpec.ts';

/** What only the source knows of a manifest. */
export interface ConfigIdentity extends Pick<ExportConfig, 'key' | 'namespace' | 'name' | 'generation'> {
  /** The endpoint was typed on the page: it leads to public addresses alone. */
  readonly isEndpointTyped: boolean;
}

export type ResolvedConfig =
  | { readonly kind: 'resolved'; readonly config: ExportConfig }
  | {
      readonly kind: 'unresolved';
      readonly reason: SecretReason;
      readonly problems: readonly string[];
      readonly spec: ExportSpec;
    };

/** @throws what `secrets.read` throws: keep what you have, and try again. */
export async function resolveConfig(
  manifest: Manifest,
  identity: ConfigIdentity,
  secrets: SecretReader,
): Promise<ResolvedConfig> {
  const addresses = identity.isEndpointTyped ? 'public' : undefined;
  const named: SecretReader = {
    read: (namespace, name, key, endpoint) => secrets.read(namespace, name, key, endpoint, identity.name),
  };
  const resolved = await resolveDestination(manifest.spec, identity.namespace, named, addresses);
  const spec = toExportSpec(manifest.spec);
  if (resolved.kind === 'unresolved') return { ...resolved, spec };
  const { key, namespace, name, generation } = identity;
  const remarks = resolved.warnings.map((warning) => ({
    reason: 'SecretConsentMissing' as const,
    message: `${warning} Until it does it is used all the same, and no longer once SECRET_CONSENT is required.`,
  }));
  const reconcileAt = manifest.metadata.annotations?.[reconcileAtAnnotation];
  return {
    kind: 'resolved',
    config: {
      key,
      namespace,
      name,
      generation,
      spec,
      destination: resolved.destination,
      ...(reconcileAt === undefined ? {} : { reconcileAt }),
      ...(remarks.length === 0 ? {} : { remarks }),
    },
  };
}
