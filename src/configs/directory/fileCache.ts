/**
 * Reads text files again only when they have changed, as told by modification time, change time, size and inode.
 * Cheap enough to ask for every file every few seconds: one stat each.
 */
import type { BigIntStats } from 'node:fs';
import { readFile, stat } from 'node:fs/promises';
import { codeOf } from './fileError.ts';

export type FileContent =
  /** `version` changes whenever the text changes. */
  | { readonly kind: 'text'; readonly text: string; readonly version: number }
  | { readonly kind: 'missing' }
  /** `message` completes "acme.yaml …". */
  | { readonly kind: 'unreadable'; readonly message: string; readonly version: number };

export interface FileCache {
  /** Follows links. Never throws: what went wrong is in the answer. */
  read(path: string): Promise<FileContent>;
  /** Forgets every file that was not read since the last call. */
  forgetUnread(): void;
}

interface Cached {
  /** null: look again next time, whatever stat says. */
  signature: string | null;
  content: FileContent;
  isRead: boolean;
}

/** As large as a Secret or a ConfigMap can be. */
const maxBytes = 1024 * 1024;
/**
 * A file changed this shortly before it was read may change again without a trace: file systems keep times in ticks
 * (4 ms on ext4, 2 s on FAT).
 */
const unsettledMs = 2_000;

export function makeFileCache(): FileCache {
  const files = new Map<string, Cached>();
  let lastVersion = 0;

  function remember(path: string, signature: string | null, found: Found): FileContent {
    const before = files.get(path)?.content;
    const isSame =
      before?.kind === found.kind &&
      (found.kind === 'text'
        ? before.kind === 'text' && before.text === found.text
        : before.kind === 'unreadable' && before.message === found.message);
    const content: FileContent = isSame ? before : { ...found, version: ++lastVersion };
    files.set(path, { signature, content, isRead: true });
    return content;
  }

  async function read(path: string): Promise<FileContent> {
    try {
      const info = await stat(path, { bigint: true });
      const signature = signatureOf(info);
      const cached = files.get(path);
      if (cached !== undefined && cached.signature === signature) {
        cached.isRead = true;
        return cached.content;
      }
      // Opening a pipe would wait forever for a writer.
      if (!info.isFile()) return remember(path, null, unreadable('is not a file'));
      if (info.size > maxBytes) return remember(path, null, unreadable('is larger than 1 MiB'));
      return remember(path, isSettled(info) ? signature : null, decode(await readFile(path)));
    } catch (error) {
      const code = codeOf(error);
      if (code === 'ENOENT' || code === 'ENOTDIR') {
        files.delete(path);
        return { kind: 'missing' };
      }
      return remember(path, null, unreadable(describeReadError(code)));
    }
  }

  return {
    read,
    forgetUnread() {
      for (const [path, file] of files) {
        if (file.isRead) file.isRead = false;
        else files.delete(path);
      }
    },
  };
}

function signatureOf({ dev, ino, size, mtimeNs, ctimeNs }: BigIntStats): string {
  return `${dev}:${ino}:${size}:${mtimeNs}:${ctimeNs}`;
}

function isSettled({ mtimeMs }: BigIntStats): boolean {
  return Math.abs(Date.now() - Number(mtimeMs)) > unsettledMs;
}

/** What changes with the file's text; null: there is none that can be relied on, or no file. Never throws. */
export async function readSignature(path: string): Promise<string | null> {
  const info = await stat(path, { bigint: true }).catch(() => null);
  return info !== null && isSettled(info) ? signatureOf(info) : null;
}

type Found =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'unreadable'; readonly message: string };

function unreadable(message: string): Found {
  return { kind: 'unreadable', message };
}

function decode(bytes: Uint8Array): Found {
  try {
    return { kind: 'text', text: new TextDecoder('utf-8', { fatal: true }).decode(bytes) };
  } catch {
    return unreadable('is not UTF-8 text');
  }
}

function describeReadError(code: string): string {
  if (code === 'EACCES' || code === 'EPERM') return 'cannot be read by this user: correct its permissions';
  if (code === 'ELOOP') return 'is a link that leads to itself';
  return `cannot be read (${code})`;
}
