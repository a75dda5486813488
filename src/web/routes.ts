/**
 * Every address of the page: the one place that says who may reach it, how often, and what answers.
 *
 * Not here: the addresses of a login (auth/), and assets (assets.ts), which everybody may read.
 */
import { showAuditLogs } from './pages/auditLogs.ts';
import { showHome } from './pages/home.ts';
import type { Handler } from './visit.ts';

export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** `admin`: of the organization in the path. `viewer`: whoever is known. */
  readonly access: 'admin' | 'viewer';
  /** What it costs, and so how often it may be asked for; see security/rateLimits.ts. */
  readonly cost: 'read' | 'search' | 'download' | 'test' | 'write';
  readonly handler: Handler;
}

const logs = '/organizations/:organization/audit-logs';

export const routes: readonly Route[] = [
  { method: 'get', path: '/', access: 'viewer', cost: 'read', handler: showHome },
  { method: 'get', path: logs, access: 'admin', cost: 'search', handler: showAuditLogs },
];
