import { isMap } from '../../basics/isMap.ts';
import { valueAt } from '../../basics/valueAt.ts';

/** The few fields of an API object that the source relies on; everything else is checked where it is used. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    /** Unique to this object: a later one of the same name has a different uid. */
    readonly uid: string;
    readonly resourceVersion: string;
    readonly generation: number;
    readonly annotations: Readonly<Record<string, string>>;
  };
  /** As it came. */
  readonly raw: Readonly<Record<string, unknown>>;
}

/** As the server has it; absent or of another shape: empty. */
export function readLabels({ raw }: KubeObject): Readonly<Record<string, string>> {
  const labels = valueAt(raw, ['metadata', 'labels']);
  return isMap(labels) ? (labels as Record<string, string>) : {};
}

/** Somebody has deleted it, and it waits for finalizers. */
export function isBeingDeleted({ raw }: KubeObject): boolean {
  return typeof valueAt(raw, ['metadata', 'deletionTimestamp']) === 'string';
}

/** The objects that it belongs to, and that it is deleted with. */
export function listOwners({ raw }: KubeObject): Array<Record<string, unknown>> {
  const owners = valueAt(raw, ['metadata', 'ownerReferences']);
  return Array.isArray(owners) ? owners.filter(isMap) : [];
}

/** null: it is not an API object. */
export function readObject(value: unknown): KubeObject | null {
  if (!isMap(value) || !isMap(value['metadata'])) return null;
  const { name, namespace, uid, resourceVersion, generation, annotations } = value['metadata'];
  if (typeof name !== 'string' || typeof uid !== 'string' || typeof resourceVersion !== 'string') return null;
  return {
    metadata: {
      name,
      namespace: typeof namespace === 'string' ? namespace : '',
      uid,
      resourceVersion,
      generation: typeof generation === 'number' ? generation : 0,
      annotations: isMap(annotations) ? (annotations as Record<string, string>) : {},
    },
    raw: value,
  };
}
