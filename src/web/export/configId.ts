/** Names of configs in addresses and in the page's own entries. */
import type { ConfigId } from '../../configs/configEditor.ts';

/** `default.acme-siem`: a namespace has no dot, so the first one divides. null: the text names no config. */
export function parseConfigId(text: string): ConfigId | null {
  const match = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.([a-z0-9][a-z0-9.-]{0,252})$/.exec(text);
  const [, namespace, name] = match ?? [];
  return namespace === undefined || name === undefined ? null : { namespace, name };
}

export function printConfigId({ namespace, name }: ConfigId): string {
  return `${namespace}.${name}`;
}
