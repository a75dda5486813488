/** What somebody else has saved meanwhile, against what was typed. */
import type { EditableConfig } from '../../configs/configEditor.ts';
import { findLastChange } from '../../database/exportChanges.ts';
import { formatRelative } from '../format/time.ts';
import type { ConflictView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { type ExportForm, filledHeaders, printConfigId, splitList } from './exportForm.ts';
import { destinationUrl, withoutQuery } from './frame.ts';

export async function makeConflict(
  visit: Visit,
  current: EditableConfig,
  form: ExportForm,
): Promise<ConflictView> {
  const { context, organization } = visit;
  const last = await findLastChange(context.db, organization, printConfigId(current.id));
  const who =
    last === null
      ? 'Somebody has saved this destination since you opened it.'
      : `${last.actorName ?? last.actorId ?? 'Somebody'} saved this destination ${formatRelative(last.occurredAt, new Date())}, since you opened it.`;
  return {
    currentUrl: destinationUrl(organization, current.id),
    who,
    differences: compare(current, form),
  };
}

function compare({ spec }: EditableConfig, form: ExportForm): ConflictView['differences'] {
  const list = (items: readonly string[]): string => (items.length === 0 ? 'none' : items.join(', '));
  const yes = (value: boolean): string => (value ? 'yes' : 'no');
  const rows: ReadonlyArray<readonly [label: string, stored: string, typed: string]> = [
    ['Endpoint URL', withoutQuery(spec.endpoint), withoutQuery(form.endpoint)],
    [
      'Headers',
      list(spec.headers.map(({ name }) => name)),
      list(filledHeaders(form).map(({ name }) => name)),
    ],
    ['Max batch size', String(spec.maxBatchSize), form.maxBatchSize],
    ['Compression', spec.compression, form.compression],
    ['Timeout in seconds', String(spec.timeoutSeconds), form.timeoutSeconds],
    ['Only these event types', list(spec.filter.eventTypes), list(splitList(form.eventTypes))],
    [
      'Without these event types',
      list(spec.filter.excludeEventTypes),
      list(splitList(form.excludeEventTypes)),
    ],
    ['Only these projects', list(spec.filter.projects), list(splitList(form.projects))],
    ['Server name', spec.tls.serverName || 'none', form.serverName || 'none'],
    ['Skip verification', yes(spec.tls.insecureSkipVerify), yes(form.insecureSkipVerify)],
  ];
  return rows
    .filter(([, stored, typed]) => stored !== typed)
    .map(([label, stored, typed]) => ({ label, stored, typed }));
}
