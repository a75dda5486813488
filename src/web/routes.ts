/**
 * Every address of the page: the one place that says who may reach it, how often, and what answers.
 *
 * Not here: the addresses of sign-in (auth/), and assets (assets.ts), which everybody may read.
 */

import { sendEntryJson, showEntry } from './entry/showEntry.ts';
import {
  replayDestination,
  resumeDestination,
  retryDestination,
  suspendDestination,
} from './export/actions.ts';
import { confirmDelete, deleteDestination } from './export/deleteDestination.ts';
import { postDestination, postNewDestination } from './export/saveForm.ts';
import { showDestination, showNewDestination } from './export/showForm.ts';
import { showDestinations } from './export/showList.ts';
import { showState } from './export/showState.ts';
import { testDestination, testNewDestination } from './export/testForm.ts';
import { showHome } from './home.ts';
import { showAuditLogs } from './list/auditLogs.ts';
import { downloadCsv, downloadNdjson } from './list/download.ts';
import { showNewer } from './list/newer.ts';
import { logsPath } from './urls.ts';
import type { Handler } from './visit.ts';

export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** `admin`: an admin of the organization in the path. `viewer`: anybody who is signed in. */
  readonly access: 'admin' | 'viewer';
  /** What it costs, which decides how often it may be requested; see security/rateLimits.ts. */
  readonly cost: 'read' | 'search' | 'download' | 'test' | 'write';
  readonly handler: Handler;
}

const exports = `${logsPath}/export`;
const one = `${exports}/:id`;

export const routes: readonly Route[] = [
  { method: 'get', path: '/', access: 'viewer', cost: 'read', handler: showHome },
  { method: 'get', path: logsPath, access: 'admin', cost: 'search', handler: showAuditLogs },
  { method: 'get', path: `${logsPath}/newer`, access: 'admin', cost: 'read', handler: showNewer },
  { method: 'get', path: `${logsPath}/entries.csv`, access: 'admin', cost: 'download', handler: downloadCsv },
  {
    method: 'get',
    path: `${logsPath}/entries.ndjson`,
    access: 'admin',
    cost: 'download',
    handler: downloadNdjson,
  },
  { method: 'get', path: `${logsPath}/entries/:entry`, access: 'admin', cost: 'read', handler: showEntry },
  {
    method: 'get',
    path: `${logsPath}/entries/:entry/json`,
    access: 'admin',
    cost: 'read',
    handler: sendEntryJson,
  },
  { method: 'get', path: exports, access: 'admin', cost: 'read', handler: showDestinations },
  { method: 'get', path: `${exports}/new`, access: 'admin', cost: 'read', handler: showNewDestination },
  { method: 'post', path: `${exports}/new`, access: 'admin', cost: 'write', handler: postNewDestination },
  { method: 'post', path: `${exports}/new/test`, access: 'admin', cost: 'test', handler: testNewDestination },
  { method: 'get', path: one, access: 'admin', cost: 'read', handler: showDestination },
  { method: 'post', path: one, access: 'admin', cost: 'write', handler: postDestination },
  { method: 'post', path: `${one}/test`, access: 'admin', cost: 'test', handler: testDestination },
  { method: 'get', path: `${one}/state`, access: 'admin', cost: 'read', handler: showState },
  { method: 'post', path: `${one}/suspend`, access: 'admin', cost: 'write', handler: suspendDestination },
  { method: 'post', path: `${one}/resume`, access: 'admin', cost: 'write', handler: resumeDestination },
  { method: 'post', path: `${one}/retry`, access: 'admin', cost: 'write', handler: retryDestination },
  { method: 'post', path: `${one}/replay`, access: 'admin', cost: 'write', handler: replayDestination },
  { method: 'get', path: `${one}/delete`, access: 'admin', cost: 'read', handler: confirmDelete },
  { method: 'post', path: `${one}/delete`, access: 'admin', cost: 'write', handler: deleteDestination },
];
