/** Lists what a spec refers to in the Secrets that the page wrote for it. */
import { isMap } from '../../basics/isMap.ts';
import { defaultCaKey } from '../schema/tls.ts';
import { readHeaderRef } from './editableSpec.ts';
import { isPageSecretName, type SecretKeyRef } from './pageSecrets.ts';
import { listHeaders, listUnits } from './specUnits.ts';

export function listPageRefs(spec: unknown, configName: string): SecretKeyRef[] {
  const refs = listHeaders(spec).map(readHeaderRef);
  const units = listUnits(spec);
  const ca = units.get('tls.caSecretRef');
  if (isMap(ca)) refs.push({ name: String(ca['name']), key: String(ca['key'] ?? defaultCaKey) });
  const cert = units.get('tls.clientCertSecretRef');
  if (isMap(cert)) {
    const name = String(cert['name']);
    refs.push({ name, key: 'tls.crt' }, { name, key: 'tls.key' });
  }
  return refs.filter((ref): ref is SecretKeyRef => ref !== null && isPageSecretName(configName, ref.name));
}

/** What `before` refers to and `after` does not. */
export function listGivenUp(before: readonly SecretKeyRef[], after: readonly SecretKeyRef[]): SecretKeyRef[] {
  return before.filter(({ name, key }) => !after.some((ref) => ref.name === name && ref.key === key));
}
