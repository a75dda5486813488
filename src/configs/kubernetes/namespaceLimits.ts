/**
 * Caps the configs of a namespace, and the Secrets they refer to: whoever may create configs there must not use up the
 * memory of the collector or of the API server at the expense of all others.
 *
 * The oldest come first, so that every replica decides alike, also after a restart, and new ones displace nobody.
 */
import type { ClusterLimits } from './clusterRules.ts';
import type { KubeObject } from './kubeObject.ts';

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

export class NamespaceLimits {
  readonly #limits: ClusterLimits;
  readonly #onChange: (uid: string) => void;
  readonly #namespaces = new Map<string, Namespace>();

  /** `onChange`: what `check` says of that config may have changed. */
  constructor(limits: ClusterLimits, onChange: (uid: string) => void) {
    this.#limits = limits;
    this.#onChange = onChange;
  }

  add(object: KubeObject): void {
    const space = this.#spaceOf(object);
    const place = placeOf(object);
    const index = findIndex(space.places, place);
    if (space.places[index]?.uid === place.uid) return;
    space.places.splice(index, 0, place);
    const line = this.#limits.configsPerNamespace;
    if (index < line) this.#tellDisplaced(space, index, line);
  }

  remove(object: KubeObject): void {
    const space = this.#spaceOf(object);
    const place = placeOf(object);
    const index = findIndex(space.places, place);
    if (space.places[index]?.uid !== place.uid) return;
    space.places.splice(index, 1);
    this.#tellDisplaced(space, index, this.#limits.configsPerNamespace - 1);
    setSecrets(space, place.uid, []);
    if (space.refused.size > 0) this.#refuseAgain(space, place.uid);
    if (space.places.length === 0) this.#namespaces.delete(object.metadata.namespace);
  }

  /** Whether the config is among the oldest, before anybody looks into it. null: it is; else one sentence. */
  checkPlace(object: KubeObject): LimitProblem | null {
    const { configsPerNamespace } = this.#limits;
    const { places } = this.#spaceOf(object);
    if (places.length <= configsPerNamespace) return null;
    if (findIndex(places, placeOf(object)) < configsPerNamespace) return null;
    return {
      reason: 'TooManyConfigs',
      problem: `Namespace ${object.metadata.namespace} has more than ${configsPerNamespace} AuditExportConfigs, of which the oldest are used: delete some, or have MAX_CONFIGS_PER_NAMESPACE of the collector raised.`,
    };
  }

  /** Notes the Secrets that the config refers to. null: it is within the limits; else one sentence. */
  check(object: KubeObject, secrets: readonly string[]): LimitProblem | null {
    const { secretsPerConfig, secretsPerNamespace } = this.#limits;
    const { namespace, name, uid } = object.metadata;
    const space = this.#spaceOf(object);
    const tooMany = secrets.length > secretsPerConfig;
    setSecrets(space, uid, tooMany ? [] : secrets);
    if (space.refused.size > 0 || space.uses.size > secretsPerNamespace) this.#refuseAgain(space, uid);
    if (tooMany) {
      return {
        reason: 'TooManySecrets',
        problem: `${namespace}/${name} refers to ${secrets.length} Secrets, and ${secretsPerConfig} are allowed: put the values into fewer Secrets, as several keys of one.`,
      };
    }
    if (!space.refused.has(uid)) return null;
    return {
      reason: 'TooManySecrets',
      problem: `The AuditExportConfigs of namespace ${namespace} refer to more than ${secretsPerNamespace} Secrets, of which those of the oldest are used: use fewer, as several keys of one, or have MAX_SECRETS_PER_NAMESPACE of the collector raised.`,
    };
  }

  #spaceOf({ metadata }: KubeObject): Namespace {
    const space = this.#namespaces.get(metadata.namespace) ?? {
      places: [],
      secrets: new Map(),
      uses: new Map(),
      refused: new Set<string>(),
    };
    this.#namespaces.set(metadata.namespace, space);
    return space;
  }

  #refuseAgain(space: Namespace, judged: string | null): void {
    const before = space.refused;
    const isWithin = space.uses.size <= this.#limits.secretsPerNamespace;
    space.refused = isWithin ? new Set() : this.#findRefused(space);
    for (const uid of new Set([...before, ...space.refused])) {
      if (uid !== judged && before.has(uid) !== space.refused.has(uid)) this.#onChange(uid);
    }
  }

  #findRefused({ places, secrets }: Namespace): Set<string> {
    const taken = new Set<string>();
    const refused = new Set<string>();
    for (const { uid } of places.slice(0, this.#limits.configsPerNamespace)) {
      const more = (secrets.get(uid) ?? []).filter((name) => !taken.has(name));
      if (taken.size + more.length > this.#limits.secretsPerNamespace) refused.add(uid);
      else for (const name of more) taken.add(name);
    }
    return refused;
  }

  /** A change at `index` has moved one config over the line. */
  #tellDisplaced({ places }: Namespace, index: number, line: number): void {
    const displaced = places[line];
    if (index <= line && displaced !== undefined) this.#onChange(displaced.uid);
  }
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
