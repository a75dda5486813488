/** From a parsed manifest to how it stands: valid with everything it refers to, or invalid with the reason. */
import type { ExportConfig } from '../model/exportConfig.ts';
import type { ConfigState } from './configSource.ts';
import { resolveDestination } from './destination/resolveDestination.ts';
import type { SecretReader } from './destination/secretReader.ts';
import { isPageSecretName } from './editor/pageSecrets.ts';
import type { ParsedManifest } from './parseManifest.ts';
import { parseReplay } from './parseReplay.ts';
import { reconcileAtAnnotation, takeOverAnnotation } from './schema.ts';
import { toExportSpec } from './toExportSpec.ts';

/** What only the source knows of a manifest. */
export interface ConfigIdentity extends Pick<ExportConfig, 'key' | 'namespace' | 'name' | 'generation'> {
  /** The endpoint was typed on the page: it leads to public addresses alone. */
  readonly isEndpointTyped: boolean;
}

/**
 * What is wrong leaves `lastGood` in force. What is not allowed ends it: it may not have been allowed either.
 *
 * @throws what `secrets.read` throws: keep what you have, and try again.
 */
export async function judgeManifest(
  parsed: ParsedManifest,
  identity: ConfigIdentity,
  lastGood: ExportConfig | null,
  secrets: SecretReader,
): Promise<ConfigState> {
  const { isEndpointTyped, ...named } = identity;
  const { namespace, name } = named;
  if (!parsed.ok) {
    const { problems } = parsed;
    return { kind: 'invalid', ...named, reason: 'InvalidSpec', problems, lastGood, spec: null };
  }
  const { metadata, spec: manifestSpec } = parsed.manifest;
  const reader: SecretReader = {
    read: (from, secret, key, endpoint) => secrets.read(from, secret, key, endpoint, name),
    isSavedOnPage: (secret) => isPageSecretName(name, secret),
  };
  const addresses = isEndpointTyped ? 'public' : undefined;
  const resolved = await resolveDestination(manifestSpec, namespace, reader, addresses);
  const spec = toExportSpec(manifestSpec);
  if (resolved.kind === 'unresolved') {
    const { reason, problems } = resolved;
    const inForce = reason === 'SecretNotAllowed' ? null : lastGood;
    return { kind: 'invalid', ...named, reason, problems, lastGood: inForce, spec };
  }
  const consents = resolved.warnings.map((warning) => ({
    reason: 'SecretConsentMissing' as const,
    message: `${warning} Until it does, it is still used; once SECRET_CONSENT is required, it no longer is.`,
  }));
  const replay = parseReplay(metadata.annotations);
  const remarks = [...consents, ...(replay.kind === 'wrong' ? [replay.remark] : [])];
  const reconcileAt = metadata.annotations?.[reconcileAtAnnotation];
  const takeOver = metadata.annotations?.[takeOverAnnotation];
  const config = {
    ...named,
    spec,
    destination: resolved.destination,
    ...(reconcileAt === undefined ? {} : { reconcileAt }),
    ...(takeOver === 'true' || takeOver === 'false' ? { takesOver: takeOver === 'true' } : {}),
    ...(replay.kind === 'asked' ? { replay: replay.replay } : {}),
    ...(remarks.length === 0 ? {} : { remarks }),
  };
  return { kind: 'valid', config };
}
