/** What someone else saved while the form was open, against what was typed. */
import type { EditableConfig } from '../../configs/configEditor.ts';
import { fields } from '../../configs/fields.ts';
import { findLastChange } from '../../database/exportChanges.ts';
import { formatRelative } from '../format/time.ts';
import type { ConflictView } from '../views/exportViews.ts';
import type { Visit } from '../visit.ts';
import { destinationUrl, printConfigId } from './addresses.ts';
import { findChanges, specOf } from './changes.ts';
import { type ExportForm, toDraft } from './exportForm.ts';

export async function makeConflict(
  { context, organization }: Visit,
  current: EditableConfig,
  form: ExportForm,
): Promise<ConflictView> {
  const last = await findLastChange(context.db, organization, printConfigId(current.id));
  const who =
    last === null
      ? 'Someone saved this destination after you opened it.'
      : `${last.actorName ?? last.actorId ?? 'Someone'} saved this destination ${formatRelative(last.occurredAt, new Date())}, after you opened it.`;
  const typed = specOf(toDraft(form, { organization, current }));
  return {
    currentUrl: destinationUrl(organization, current.id),
    who,
    differences: findChanges(current.spec, typed).map(({ field, from, to }) => ({
      label: fields.find(({ recordedAs }) => recordedAs === field)?.label ?? field,
      stored: show(from),
      typed: show(to),
    })),
  };
}

function show(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  const text = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  return text === '' ? 'none' : text;
}
