/** Audit entries as the sample product writes them. */
import { chooseOrganization } from './cast.ts';
import { describeRequest, type EventKind, eventKinds } from './events.ts';
import { toJsonText } from './json.ts';
import type { Random } from './random.ts';

/** The columns of audit.entries that a product writes. */
export interface NewEntry {
  readonly organization: string;
  readonly eventType: string;
  readonly actorId: string | null;
  readonly actorName: string | null;
  readonly sessionType: string;
  readonly project: string | null;
  /** JSON text. */
  readonly metadata: string;
  readonly occurredAt: Date;
}

/** @param count number of entries for one organization and time, as one transaction writes them. */
export function makeEntries(random: Random, at: Date, count: number): NewEntry[] {
  const organization = chooseOrganization(random);
  const scene = { random, organization, at };
  return Array.from({ length: count }, () => {
    const kind = chooseKind(random);
    const actor = kind.actor(scene);
    return {
      organization: organization.name,
      eventType: kind.type,
      actorId: actor.id,
      actorName: actor.name,
      sessionType: actor.sessionType,
      project: kind.on === 'project' ? random.pick(organization.projects) : null,
      metadata: toJsonText({ ...kind.metadata(scene), request: describeRequest(scene, actor) }),
      occurredAt: at,
    };
  });
}

const totalWeight = eventKinds.reduce((sum, { weight }) => sum + weight, 0);

function chooseKind(random: Random): EventKind {
  let rest = random.next() * totalWeight;
  for (const kind of eventKinds) {
    rest -= kind.weight;
    if (rest < 0) return kind;
  }
  return eventKinds[0];
}
