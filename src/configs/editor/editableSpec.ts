/** A spec as it may leave the process: what a Secret or a header holds is left out. */

import { isMap } from '../../basics/isMap.ts';
import type { EditableSpec } from '../configEditor.ts';
import { type Field, fields } from '../fields.ts';
import { isPageSecretName, type SecretKeyRef } from './pageSecrets.ts';
import { listHeaders, listUnits, type RawHeader } from './specUnits.ts';

/** `spec` may be wrong: what cannot be read stands with its default. */
export function toEditableSpec(spec: unknown, configName: string): EditableSpec {
  const units = listUnits(spec);
  const headers = listHeaders(spec).map((header) => toEditableHeader(header, configName));
  return Object.fromEntries(
    fields.map((field) => [
      field.path,
      field.input === 'headers' ? headers : readValue(field, units.get(field.path)),
    ]),
  ) as unknown as EditableSpec;
}

function readValue({ input, options, defaultValue }: Field, value: unknown): unknown {
  switch (input) {
    case 'list':
      return Array.isArray(value) ? value.filter((each) => typeof each === 'string') : [];
    case 'check':
      return value === true;
    case 'secret':
      return value !== undefined;
    case 'number':
      return typeof value === 'number' ? value : defaultValue;
    case 'choice':
      return options.includes(asText(value)) ? value : defaultValue;
    default:
      return asText(value);
  }
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
