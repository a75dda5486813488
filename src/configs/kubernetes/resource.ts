/** Where AuditExportConfigs are in the Kubernetes API. */
import { API_VERSION } from '../schema.ts';

const RESOURCE = 'auditexportconfigs';
/** As RBAC errors and `kubectl get` name it. */
export const FULL_RESOURCE = `${RESOURCE}.${API_VERSION.split('/')[0]}`;
/** Owner of the fields of `status` in server-side apply. */
export const FIELD_MANAGER = 'audit-export';

/** `namespace` null: of all namespaces. */
export function collectionPath(namespace: string | null): string {
  const scope = namespace === null ? '' : `/namespaces/${namespace}`;
  return `/apis/${API_VERSION}${scope}/${RESOURCE}`;
}
/** Owner of what the page has applied. */
export const PAGE_FIELD_MANAGER = 'audit-export-page';

export function secretsPath(namespace: string): string {
  return `/api/v1/namespaces/${namespace}/secrets`;
}
