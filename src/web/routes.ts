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
import { cancelSendAgain, postSendAgain, showSendAgain } from './export/sendAgain.ts';
import { showDestination, showNewDestination, showState } from './export/showForm.ts';
import { showHistory } from './export/showHistory.ts';
import { showDestinations } from './export/showList.ts';
import { replayOne, showParked } from './export/showParked.ts';
import { testDestination, testNewDestination } from './export/testForm.ts';
import { showHelp } from './help/showHelp.ts';
import { showHistogram } from './histogram/showHistogram.ts';
import { showHome } from './home.ts';
import { sendCheckpoint, sendProof, sendTile } from './ledger/serveLedger.ts';
import { showAuditLogs } from './list/auditLogs.ts';
import { downloadCsv, downloadNdjson } from './list/download.ts';
import { showExportTrouble } from './list/exportTrouble.ts';
import { showFacet } from './list/facets.ts';
import { showNewer } from './list/newer.ts';
import { showRetention } from './retention/showRetention.ts';
import { sayWhetherSignedIn, showSignedIn, signedInPath } from './session.ts';
import { logsPath } from './urls.ts';
import type { Handler } from './visit.ts';

export interface Route {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** `viewer`: anybody who is signed in. Absent: an admin of the organization in the path. */
  readonly access?: 'viewer';
  /** What it costs, which decides how often it may be requested; see security/rateLimits.ts. */
  readonly cost: 'read' | 'search' | 'download' | 'test' | 'write';
  readonly handler: Handler;
}

const exports = `${logsPath}/export`;
const one = `${exports}/:id`;

export const routes: readonly Route[] = [
  { method: 'get', path: '/', access: 'viewer', cost: 'read', handler: showHome },
  { method: 'get', path: '/session', access: 'viewer', cost: 'read', handler: sayWhetherSignedIn },
  { method: 'get', path: signedInPath, access: 'viewer', cost: 'read', handler: showSignedIn },
  { method: 'get', path: logsPath, cost: 'search', handler: showAuditLogs },
  { method: 'get', path: `${logsPath}/newer`, cost: 'read', handler: showNewer },
  { method: 'get', path: `${logsPath}/histogram`, cost: 'read', handler: showHistogram },
  { method: 'get', path: `${logsPath}/values/:choice`, cost: 'read', handler: showFacet },
  { method: 'get', path: `${logsPath}/trouble`, cost: 'read', handler: showExportTrouble },
  { method: 'get', path: `${logsPath}/entries.csv`, cost: 'download', handler: downloadCsv },
  { method: 'get', path: `${logsPath}/entries.ndjson`, cost: 'download', handler: downloadNdjson },
  { method: 'get', path: `${logsPath}/entries/:entry`, cost: 'read', handler: showEntry },
  { method: 'get', path: `${logsPath}/entries/:entry/json`, cost: 'read', handler: sendEntryJson },
  { method: 'get', path: `${logsPath}/entries/:entry/proof`, cost: 'read', handler: sendProof },
  { method: 'get', path: `${logsPath}/ledger/checkpoint`, cost: 'read', handler: sendCheckpoint },
  { method: 'get', path: `${logsPath}/ledger/tile/*path`, cost: 'read', handler: sendTile },
  { method: 'get', path: `${logsPath}/help`, cost: 'read', handler: showHelp },
  { method: 'get', path: `${logsPath}/retention`, cost: 'read', handler: showRetention },
  { method: 'get', path: exports, cost: 'read', handler: showDestinations },
  { method: 'get', path: `${exports}/new`, cost: 'read', handler: showNewDestination },
  { method: 'post', path: `${exports}/new`, cost: 'write', handler: postNewDestination },
  { method: 'post', path: `${exports}/new/test`, cost: 'test', handler: testNewDestination },
  { method: 'get', path: one, cost: 'read', handler: showDestination },
  { method: 'post', path: one, cost: 'write', handler: postDestination },
  { method: 'post', path: `${one}/test`, cost: 'test', handler: testDestination },
  { method: 'get', path: `${one}/state`, cost: 'read', handler: showState },
  { method: 'post', path: `${one}/suspend`, cost: 'write', handler: suspendDestination },
  { method: 'post', path: `${one}/resume`, cost: 'write', handler: resumeDestination },
  { method: 'post', path: `${one}/retry`, cost: 'write', handler: retryDestination },
  { method: 'post', path: `${one}/replay`, cost: 'write', handler: replayDestination },
  { method: 'get', path: `${one}/parked`, cost: 'read', handler: showParked },
  { method: 'post', path: `${one}/parked`, cost: 'write', handler: replayOne },
  { method: 'get', path: `${one}/history`, cost: 'read', handler: showHistory },
  { method: 'get', path: `${one}/again`, cost: 'read', handler: showSendAgain },
  { method: 'post', path: `${one}/again`, cost: 'write', handler: postSendAgain },
  { method: 'post', path: `${one}/again/cancel`, cost: 'write', handler: cancelSendAgain },
  { method: 'get', path: `${one}/delete`, cost: 'read', handler: confirmDelete },
  { method: 'post', path: `${one}/delete`, cost: 'write', handler: deleteDestination },
];
