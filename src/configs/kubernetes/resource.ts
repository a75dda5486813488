/** Where AuditExportConfigs are in the Kubernetes API. */
import { configApiVersion, configKind } from '../schema.ts';

const resource = 'auditexportconfigs';
/** As RBAC errors and `kubectl get` name it. */
export const fullResource = `${resource}.${configApiVersion.split('/')[0]}`;
/** Owns the fields of `status` in server-side apply. */
export const fieldManager = 'audit-export';

/** `namespace` null: all namespaces. */
export function collectionPath(namespace: string | null): string {
  const scope = namespace === null ? '' : `/namespaces/${namespace}`;
  return `/apis/${configApiVersion}${scope}/${resource}`;
}
/** Owns what the page has applied. */
export const pageFieldManager = 'audit-export-page';

/** The body of a server-side apply of these parts of an AuditExportConfig. */
export function makeApply(parts: Readonly<Record<string, unknown>>) {
  const value = { apiVersion: configApiVersion, kind: configKind, ...parts };
  return { contentType: 'application/apply-patch+yaml', value };
}

export function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
