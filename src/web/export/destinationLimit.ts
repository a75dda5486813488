/** How many destinations an organization may have: each is a stream that costs the shared database and network something. */
import type {
  BeforeWrite,
  ConfigDraft,
  ConfigEditor,
  ConfigId,
  EditorResult,
} from '../../configs/configEditor.ts';
import type { Visit } from '../visit.ts';

export function limitOf({ context }: Pick<Visit, 'context'>): number {
  return context.maxDestinations ?? 10;
}

export function describeLimit(limit: number): string {
  return `An organization can have ${limit === 1 ? '1 destination' : `${limit} destinations`} here. Delete one first, or ask the operator of the collector for a higher MAX_DESTINATIONS.`;
}

/** What is being added, by organization: one after the other, so that many at once cannot exceed the limit. */
const turns = new Map<string, Promise<unknown>>();

/** With several replicas, each may add one beyond the limit. */
export function createWithinLimit(
  visit: Visit,
  editor: ConfigEditor,
  draft: ConfigDraft,
  before: BeforeWrite,
): Promise<EditorResult<ConfigId>> {
  const { organization } = visit;
  const limit = limitOf(visit);
  const create = async (): Promise<EditorResult<ConfigId>> => {
    const listed = await editor.list(organization);
    if (listed.kind !== 'ok') return listed;
    if (listed.value.length >= limit) return { kind: 'refused', reason: describeLimit(limit) };
    return await editor.create(draft, before);
  };
  const turn = (turns.get(organization) ?? Promise.resolve()).then(create, create);
  turns.set(organization, turn);
  const forget = (): void => {
    if (turns.get(organization) === turn) turns.delete(organization);
  };
  turn.then(forget, forget);
  return turn;
}
