/** Follows one watch from its first event to its end, and says what kind of end it was. */

import { isMap } from '../../basics/isMap.ts';
import type { ApiFailure, WatchEvent } from './apiAnswer.ts';
import { describeError } from './apiClient.ts';
import { type KubeObject, readObject } from './kubeObject.ts';
import type { Snapshot } from './listPages.ts';

export type WatchEnd =
  /** As planned: go on from the last version. */
  | { readonly kind: 'ended' }
  /** The server does not know that version any more: read everything again. */
  | { readonly kind: 'expired' }
  | { readonly kind: 'failed'; readonly failure: ApiFailure };

export interface WatchRound {
  readonly events: AsyncIterable<WatchEvent>;
  /** Aborting it ends the watch. */
  readonly end: AbortController;
  /** Of the reflector: once aborted, nothing is reported any more. */
  readonly signal: AbortSignal;
  /** The watch begins with all there is, and a bookmark that says so. */
  readonly isStreamed: boolean;
  readonly deadlineMs: number;
  readonly quietMs: number;
  readonly onInitial: (snapshot: Snapshot) => void;
  /** The server took the parameters of a streamed state, and does not stream it. */
  readonly onUnsupported: () => void;
  readonly onProgress: (resourceVersion: string) => void;
  readonly onChange: (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubeObject) => void;
}

/** Longest silence before the initial state is complete. */
const initialQuietMs = 20_000;
/** A watch that ends this soon without an event was none: opening it again at once would be a loop. */
const shortestMs = 1_000;

export async function followWatch(round: WatchRound): Promise<WatchEnd> {
  const { end, signal } = round;
  const startedAt = performance.now();
  /** By uid; null once complete. */
  let initial: Map<string, KubeObject> | null = round.isStreamed ? new Map() : null;
  let events = 0;
  let isOver = false;
  const finish = () => {
    isOver = true;
    end.abort();
  };
  const deadline = setTimeout(finish, round.deadlineMs);
  let quiet = setTimeout(finish, initial === null ? round.quietMs : initialQuietMs);

  function takeBookmark(object: unknown): void {
    const metadata = isMap(object) && isMap(object['metadata']) ? object['metadata'] : {};
    const { resourceVersion, annotations } = metadata;
    if (typeof resourceVersion !== 'string') return;
    if (initial === null) {
      round.onProgress(resourceVersion);
      return;
    }
    if (!isMap(annotations) || annotations['k8s.io/initial-events-end'] !== 'true') return;
    round.onInitial({ objects: [...initial.values()], resourceVersion });
    initial = null;
    clearTimeout(quiet);
    quiet = setTimeout(finish, round.quietMs);
  }

  function takeChange(type: string, value: unknown): void {
    const object = readObject(value);
    if (object === null || (type !== 'ADDED' && type !== 'MODIFIED' && type !== 'DELETED')) return;
    if (initial === null) {
      round.onChange(type, object);
      round.onProgress(object.metadata.resourceVersion);
    } else if (type === 'DELETED') initial.delete(object.metadata.uid);
    else initial.set(object.metadata.uid, object);
  }

  try {
    for await (const { type, object } of round.events) {
      if (signal.aborted) return { kind: 'ended' };
      events++;
      quiet.refresh();
      if (type === 'ERROR') return toErrorEnd(object);
      if (type === 'BOOKMARK') takeBookmark(object);
      else takeChange(type, object);
    }
  } catch (error) {
    if (!isOver && !signal.aborted) return unreachable(describeError(error));
  } finally {
    clearTimeout(deadline);
    clearTimeout(quiet);
  }
  if (initial !== null && !signal.aborted) {
    round.onUnsupported();
    return { kind: 'ended' };
  }
  if (!isOver && events === 0 && performance.now() - startedAt < shortestMs) {
    return unreachable('the watch ended as soon as it had begun');
  }
  return { kind: 'ended' };
}

function unreachable(message: string): WatchEnd {
  return { kind: 'failed', failure: { kind: 'unreachable', message } };
}

/** An ERROR event carries a Status. */
function toErrorEnd(object: unknown): WatchEnd {
  const status = isMap(object) ? object : {};
  const code = typeof status['code'] === 'number' ? status['code'] : 500;
  if (code === 410) return { kind: 'expired' };
  const message = typeof status['message'] === 'string' ? status['message'].slice(0, 1_000) : '';
  const details = isMap(status['details']) ? status['details']['retryAfterSeconds'] : undefined;
  const retryAfterMs = typeof details === 'number' && details > 0 ? Math.min(details, 300) * 1_000 : null;
  return { kind: 'failed', failure: { kind: 'refused', code, message, retryAfterMs } };
}
