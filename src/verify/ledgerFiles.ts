/** Where a ledger's files are read from: a folder, or a server that serves the same paths. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../basics/errorCode.ts';
import { ask, isUrl, readStart } from './http.ts';

/** One file of a ledger by its path, such as `checkpoint`. @throws Error one sentence that says what cannot be read. */
export type ReadLedgerFile = (path: string) => Promise<Uint8Array>;

const timeoutMs = 60_000;
/** A full bundle has 14,848 bytes, a checkpoint some hundred. */
const maxFileBytes = 1_048_576;

/** @param headers of each request to a server, such as Authorization. */
export function openLedgerFiles(ledger: string, headers: Readonly<Record<string, string>>): ReadLedgerFile {
  return isUrl(ledger) ? fromServer(ledger, headers) : fromFolder(ledger);
}

function fromFolder(folder: string): ReadLedgerFile {
  return async (path) => {
    try {
      return await readFile(join(folder, path));
    } catch (error) {
      throw new Error(`The ledger's file ${join(folder, path)} cannot be read (${errorCode(error)}).`);
    }
  };
}

function fromServer(ledger: string, headers: Readonly<Record<string, string>>): ReadLedgerFile {
  const base = new URL(ledger.endsWith('/') ? ledger : `${ledger}/`);
  return async (path) => {
    const url = new URL(path, base);
    url.search = base.search;
    let bytes: Uint8Array;
    try {
      const response = await ask(url, headers, AbortSignal.timeout(timeoutMs));
      if (!response.ok)
        throw new Error(
          `it answered ${response.status}${response.status === 401 ? '; pass a header with --header' : ''}`,
        );
      bytes = await readStart(response, maxFileBytes);
    } catch (error) {
      throw new Error(`The ledger's file ${url.origin}${url.pathname} cannot be read: ${messageOf(error)}.`);
    }
    if (bytes.length > maxFileBytes)
      throw new Error(`The ledger's file ${url.origin}${url.pathname} is too large.`);
    return bytes;
  };
}

function messageOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? cause.message : message;
}
