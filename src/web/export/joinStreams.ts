/** Configs with what the database knows of their streams. */
import type { EditableConfig } from '../../configs/configEditor.ts';
import { findLastChange } from '../../database/exportChanges.ts';
import { isDatabaseFailure } from '../../database/failure.ts';
import { readStreams, type StreamView } from '../../database/streamViews.ts';
import type { Visit } from '../visit.ts';
import { printConfigId } from './addresses.ts';

/** A config of the organization, as the drawer shows it. */
export interface StreamedConfig {
  readonly config: EditableConfig;
  /** null: it has none yet. */
  readonly stream: StreamView | null;
  /** The database did not answer, so nothing is known but an old status. */
  readonly isDatabaseAway?: boolean;
  /** RFC 3339: when someone changed it on the page within the last hour. Read only where an error stands; null: nobody did. */
  readonly changedAt?: string | null;
}

export async function joinStream(visit: Visit, config: EditableConfig): Promise<StreamedConfig> {
  const [destination] = await joinStreams(visit, [config]);
  return destination ?? { config, stream: null };
}

export async function joinStreams(
  { context, organization }: Pick<Visit, 'context' | 'organization'>,
  configs: readonly EditableConfig[],
): Promise<StreamedConfig[]> {
  const keys = configs.flatMap(({ key }) => key ?? []);
  try {
    const streams = await readStreams(context.db, organization, keys);
    return await Promise.all(
      configs.map(async (config) => {
        const stream = streams.find(({ configKey }) => configKey === config.key) ?? null;
        const hasError = stream?.lastError != null && stream.lastError.resolvedTime === undefined;
        const changedAt = hasError
          ? ((await findLastChange(context.db, organization, printConfigId(config.id)))?.occurredAt ?? null)
          : null;
        return { config, stream, changedAt };
      }),
    );
  } catch (error) {
    if (!isDatabaseFailure(error)) throw error;
    context.log.warn({ err: error, organization }, 'page: the streams of the destinations could not be read');
    return configs.map((config) => ({ config, stream: null, isDatabaseAway: true }));
  }
}
