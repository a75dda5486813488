/**
 * What a stored value was saved for: one receiver, by scheme, host and port, and how that has to prove who it is. A value
 * that stays hidden goes there and nowhere else, else whoever may change the endpoint could read it.
 */
import { type Manifest, typedEndpointAnnotation } from '../schema.ts';
import { listUnits, spell } from './specUnits.ts';

/** `https://otel.example.com:4318`; null: none can be read. A dot behind the host makes another one: search domains differ. */
export function originOf(endpoint: unknown): string | null {
  if (typeof endpoint !== 'string' || !/^https?:\/\//i.test(endpoint) || !URL.canParse(endpoint)) return null;
  return new URL(endpoint).origin;
}

/** For people: `otel.example.com:4318`. */
export function receiverOf(spec: unknown): string {
  const origin = originOf(listUnits(spec).get('endpoint'));
  return origin === null ? 'another endpoint' : new URL(origin).host;
}

/**
 * Whether values that were saved with `stored` may go to where `wanted` leads: the same scheme, host and port, the same
 * authority and name to prove it by, and no check left out that there was. The path is free.
 */
export function isSameReceiver(stored: unknown, wanted: unknown): boolean {
  const [before, after] = [listUnits(stored), listUnits(wanted)];
  const origin = originOf(before.get('endpoint'));
  const isSame = (unit: string): boolean => spell(before.get(unit)) === spell(after.get(unit));
  return (
    origin !== null &&
    origin === originOf(after.get('endpoint')) &&
    isSame('tls.caSecretRef') &&
    isSame('tls.serverName') &&
    (after.get('tls.insecureSkipVerify') !== true || before.get('tls.insecureSkipVerify') === true)
  );
}

/** Of a manifest in a directory; in a cluster the owner of the field says it. */
export function isTypedOnPage({ metadata, spec }: Manifest): boolean {
  const typed = metadata.annotations?.[typedEndpointAnnotation];
  return typed !== undefined && typed === originOf(spec.endpoint);
}
