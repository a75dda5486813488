/** The page's own audit entries: who looked at, tried or changed the export of an organization. */
import type { ConfigId } from '../../../configs/configEditor.ts';
import { writeEntry } from '../../../database/entries.ts';
import { printConfigId } from '../../exportForm.ts';
import type { Visit } from '../../visit.ts';

export type ExportAction =
  | 'settings_viewed'
  | 'created'
  | 'updated'
  | 'tested'
  | 'suspended'
  | 'resumed'
  | 'retried'
  | 'replayed'
  | 'deleted';

/** Of a destination that has a name already, or will have one. */
export function describeDestination(id: ConfigId | null, host: string): Record<string, unknown> {
  return { ...(id === null ? {} : { destination: printConfigId(id) }), ...(host === '' ? {} : { host }) };
}

/** False: it could not be written, which is logged; say so, what was done stays done. */
export async function recordAction(
  { context, organization, viewer }: Visit,
  action: ExportAction,
  metadata: Readonly<Record<string, unknown>> = {},
): Promise<boolean> {
  try {
    await writeEntry(context.db, {
      organization,
      eventType: `audit_export.${action}`,
      actorId: viewer.id,
      actorName: viewer.name,
      sessionType: 'user',
      project: null,
      metadata,
    });
    return true;
  } catch (error) {
    context.log.error(
      { err: error, organization, action },
      'page: an audit entry of its own was not written',
    );
    return false;
  }
}
