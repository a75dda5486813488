/** Addresses of the drawer's views, and what a destination is called in them. */
import type { ConfigId } from '../../configs/configEditor.ts';
import { logsUrl } from '../urls.ts';
import type { ExportFrame } from '../views/exportViews.ts';

export function makeFrame(organization: string): ExportFrame {
  const auditLogsUrl = logsUrl(organization);
  const listUrl = `${auditLogsUrl}/export`;
  return { organization, auditLogsUrl, listUrl, newUrl: `${listUrl}/new` };
}

export function destinationUrl(organization: string, id: ConfigId): string {
  return `${makeFrame(organization).listUrl}/${printConfigId(id)}`;
}

/** Where the form is posted to; `config` null: a new one. */
export function formUrl(organization: string, config: { readonly id: ConfigId } | null): string {
  return config === null ? makeFrame(organization).newUrl : destinationUrl(organization, config.id);
}

/** `default.acme-siem`, as in addresses and in the page's own entries. */
export function printConfigId({ namespace, name }: ConfigId): string {
  return `${namespace}.${name}`;
}

/** A namespace has no dot, so the first one divides. null: the text names no config. */
export function parseConfigId(text: string): ConfigId | null {
  const match = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\.([a-z0-9][a-z0-9.-]{0,252})$/.exec(text);
  const [, namespace, name] = match ?? [];
  return namespace === undefined || name === undefined ? null : { namespace, name };
}

/** What a destination is called: its host, as people know the receiver. */
export function hostOf(endpoint: string): string {
  return URL.canParse(endpoint) ? new URL(endpoint).host : endpoint;
}

/** For people and for entries: some receivers take their token in the query. */
export function withoutQuery(endpoint: string): string {
  return endpoint.replace(/\?.*$/s, '?…');
}
