/**
 * Caps on the configs of a namespace, and on the Secrets they refer to: who may create configs there must not take the memory of
 * the collector, nor the API server's, from all others.
 *
 * The oldest go first, so that every replica, and the same one after a restart, decides alike, and new ones displace nobody.
 */
import type { ClusterLimits } from './clusterRules.ts';
import type { KubeObject } from './kubeObject.ts';

export interface NamespaceLimits {
  add(object: KubeObject): void;
  remove(object: KubeObject): void;
  /** Notes the Secrets that the config refers to. null: it is within the limits; else one sentence. */
  check(object: KubeObject, secrets: readonly string[]): LimitProblem | null;
  /** The same of its place alone, before anybody looks into it. */
  checkPlace(object: KubeObject): LimitProblem | null;
}

export interface LimitProblem {
  readonly reason: 'TooManyConfigs' | 'TooManySecrets';
  readonly problem: string;
}

interface Place {
  readonly uid: string;
  /** Sorts by age. */
  readonly age: string;
}

interface Namespace {
  readonly places: Place[];
  readonly secrets: Map<string, readonly string[]>;
  /** How many configs refer to it. */
  readonly uses: Map<string, number>;
  refused: ReadonlySet<string>;
}

/** `onChange`: what `check` says of that config may be different now. */
export function makeNamespaceLimits(limits: ClusterLimits, onChange: (uid: string) => void): NamespaceLimits {
  const namespaces = new Map<string, Namespace>();

  function spaceOf({ metadata }: KubeObject): Namespace {
    const space = namespaces.get(metadata.namespace) ?? {
      places: [],
      secrets: new Map(),
      uses: new Map(),
      refused: new Set<string>(),
    };
    namespaces.set(metadata.namespace, space);
    return space;
  }

  function setSecrets(space: Namespace, uid: string, names: readonly string[]): void {
    for (const name of space.secrets.get(uid) ?? []) {
      const uses = (space.uses.get(name) ?? 1) - 1;
      if (uses === 0) space.uses.delete(name);
      else space.uses.set(name, uses);
    }
    for (const name of names) space.uses.set(name, (space.uses.get(name) ?? 0) + 1);
    if (names.length === 0) space.secrets.delete(uid);
    else space.secrets.set(uid, names);
  }

  function refuseAgain(space: Namespace, judged: string | null): void {
    const before = space.refused;
    space.refused = space.uses.size <= limits.secretsPerNamespace ? new Set() : findRefused(space);
    for (const uid of new Set([...before, ...space.refused])) {
      if (uid !== judged && before.has(uid) !== space.refused.has(uid)) onChange(uid);
    }
  }

  function findRefused({ places, secrets }: Namespace): Set<string> {
    const taken = new Set<string>();
    const refused = new Set<string>();
    for (const { uid } of places.slice(0, limits.configsPerNamespace)) {
      const more = (secrets.get(uid) ?? []).filter((name) => !taken.has(name));
      if (taken.size + more.length > limits.secretsPerNamespace) refused.add(uid);
      else for (const name of more) taken.add(name);
    }
    return refused;
  }

  /** One has moved over the line by a change at `index`. */
  function tellDisplaced({ places }: Namespace, index: number, line: number): void {
    const displaced = places[line];
    if (index <= line && displaced !== undefined) onChange(displaced.uid);
  }

  function checkPlace(object: KubeObject): LimitProblem | null {
    const { places } = spaceOf(object);
    if (places.length <= limits.configsPerNamespace) return null;
    if (findIndex(places, placeOf(object)) < limits.configsPerNamespace) return null;
    return {
      reason: 'TooManyConfigs',
      problem: `Namespace ${object.metadata.namespace} has more than ${limits.configsPerNamespace} AuditExportConfigs, of which the oldest are used: delete some, or have MAX_CONFIGS_PER_NAMESPACE of the collector raised.`,
    };
  }

  return {
    add(object) {
      const space = spaceOf(object);
      const place = placeOf(object);
      const index = findIndex(space.places, place);
      if (space.places[index]?.uid === place.uid) return;
      space.places.splice(index, 0, place);
      if (index < limits.configsPerNamespace) tellDisplaced(space, index, limits.configsPerNamespace);
    },
    remove(object) {
      const space = spaceOf(object);
      const place = placeOf(object);
      const index = findIndex(space.places, place);
      if (space.places[index]?.uid !== place.uid) return;
      space.places.splice(index, 1);
      tellDisplaced(space, index, limits.configsPerNamespace - 1);
      setSecrets(space, place.uid, []);
      if (space.refused.size > 0) refuseAgain(space, place.uid);
      if (space.places.length === 0) namespaces.delete(object.metadata.namespace);
    },
    checkPlace,
    check(object, secrets) {
      const { namespace, name, uid } = object.metadata;
      const space = spaceOf(object);
      const tooMany = secrets.length > limits.secretsPerConfig;
      setSecrets(space, uid, tooMany ? [] : secrets);
      if (space.refused.size > 0 || space.uses.size > limits.secretsPerNamespace) refuseAgain(space, uid);
      if (tooMany) {
        return {
          reason: 'TooManySecrets',
          problem: `${namespace}/${name} refers to ${secrets.length} Secrets, and ${limits.secretsPerConfig} are allowed: put the values into fewer Secrets, as several keys of one.`,
        };
      }
      if (!space.refused.has(uid)) return null;
      return {
        reason: 'TooManySecrets',
        problem: `The AuditExportConfigs of namespace ${namespace} refer to more than ${limits.secretsPerNamespace} Secrets, of which those of the oldest are used: use fewer, as several keys of one, or have MAX_SECRETS_PER_NAMESPACE of the collector raised.`,
      };
    },
  };
}

function placeOf({ metadata, raw }: KubeObject): Place {
  const created = (raw['metadata'] as { readonly creationTimestamp?: unknown }).creationTimestamp;
  return { uid: metadata.uid, age: `${typeof created === 'string' ? created : ''} ${metadata.uid}` };
}

/** Where it is, or would be. */
function findIndex(places: readonly Place[], { age }: Place): number {
  let low = 0;
  let high = places.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((places[middle]?.age ?? '') < age) low = middle + 1;
    else high = middle;
  }
  return low;
}
