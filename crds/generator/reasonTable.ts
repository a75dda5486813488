/** The table of crds/README.md: every reason, by what it means for the status. */
import { type Reaction, type ReasonRow, reasonGroups } from '../../src/model/reasons.ts';
import { code, table } from './markdown.ts';

const meanings: Readonly<Record<Reaction, string>> = {
  none: 'nothing has failed',
  retry: 'retries automatically (`Reconciling`)',
  hold: 'somebody has to act (`Stalled`); it also retries, slowly',
  'too-large':
    'finds the entry (`Reconciling`); somebody has to act (`Stalled`) if the receiver accepts none',
  refused: 'finds the entry (`Reconciling`); somebody has to act (`Stalled`) if the receiver accepts none',
  park: 'in `lastError` alone: one entry was parked',
  'go-on': 'in `lastError` alone: delivery continues',
  'last-good': 'the config, or what it refers to (`Stalled`); the last good version stays in force',
  forbid: 'not allowed (`Stalled`); nothing is exported',
};

export function renderReasonTable(): string {
  const { remark, ...groups } = reasonGroups;
  const reasons = Object.values(groups).flatMap((group) => Object.entries<ReasonRow>(group));
  const byMeaning = Map.groupBy(reasons, ([, { reaction }]) => meanings[reaction]);
  const rows = [...byMeaning].map(([meaning, found]) => [meaning, list(found.map(([reason]) => reason))]);
  return table(['', 'reasons'], [...rows, ['in an Event alone: it runs', list(Object.keys(remark))]]);
}

function list(reasons: readonly string[]): string {
  return reasons.map(code).join(', ');
}
