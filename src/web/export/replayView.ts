/** A replay of a range as the drawer shows it. */
import { describeReplay, type Replay, stateOfReplay } from '../../model/replay.ts';
import type { ReplayState } from '../../model/streamStatus.ts';
import type { ReplayView } from '../views/exportViews.ts';

const words = {
  Waiting: { tone: 'idle', icon: 'clock', word: 'Waiting' },
  Sending: { tone: 'info', icon: 'send', word: 'Sending' },
  Failing: { tone: 'warn', icon: 'alert', word: 'Failing' },
  Done: { tone: 'good', icon: 'check', word: 'Done' },
  Canceled: { tone: 'idle', icon: 'pause', word: 'Canceled' },
} as const satisfies Record<ReplayState, ReplayView['badge']>;

export function viewReplay(replay: Replay): ReplayView {
  const { id, since, until, askedAt, askedBy, endedAt } = replay;
  return {
    ...{ id, since, until, askedAt, askedBy },
    badge: words[stateOfReplay(replay)],
    message: describeReplay(replay),
    canCancel: endedAt === null,
  };
}
