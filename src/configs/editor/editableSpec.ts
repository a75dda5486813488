/** A spec as it may leave the process: what a Secret or a header holds is left out. */
import type { EditableSpec } from '../configEditor.ts';
import { isMap } from './isMap.ts';
import { isPageSecretName, type SecretKeyRef } from './pageSecrets.ts';
import { listHeaders, listUnits, type RawHeader } from './specUnits.ts';

/** `spec` may be wrong: what cannot be read stands with its default. */
export function toEditableSpec(spec: unknown, configName: string): EditableSpec {
  const units = listUnits(spec);
  const text = (unit: string) => asText(units.get(unit));
  const list = (unit: string) => asList(units.get(unit));
  return {
    organization: text('organization'),
    endpoint: text('endpoint'),
    headers: listHeaders(spec).map((header) => toEditableHeader(header, configName)),
    maxBatchSize: asNumber(units.get('maxBatchSize'), 1000),
    startFrom: text('startFrom'),
    suspend: units.get('suspend') === true,
    compression: units.get('compression') === 'none' ? 'none' : 'gzip',
    timeoutSeconds: asNumber(units.get('timeoutSeconds'), 10),
    filter: {
      eventTypes: list('filter.eventTypes'),
      excludeEventTypes: list('filter.excludeEventTypes'),
      projects: list('filter.projects'),
    },
    tls: {
      hasCa: units.has('tls.caSecretRef'),
      hasClientCert: units.has('tls.clientCertSecretRef'),
      serverName: text('tls.serverName'),
      insecureSkipVerify: units.get('tls.insecureSkipVerify') === true,
    },
  };
}

function toEditableHeader(header: RawHeader, configName: string): EditableSpec['headers'][number] {
  const { name } = header;
  const ref = readHeaderRef(header);
  if (ref === null) return { name, source: 'manifest', reference: null };
  if (isPageSecretName(configName, ref.name)) return { name, source: 'page', reference: null };
  return { name, source: 'secret', reference: `${ref.name}/${ref.key}` };
}

/** null: its value stands in the manifest. */
export function readHeaderRef({ valueFrom }: RawHeader): SecretKeyRef | null {
  const ref = isMap(valueFrom) ? valueFrom['secretKeyRef'] : undefined;
  if (!isMap(ref)) return null;
  return { name: asText(ref['name']), key: asText(ref['key']) };
}

function asText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function asNumber(value: unknown, otherwise: number): number {
  return typeof value === 'number' ? value : otherwise;
}

function asList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
}
