import { isMap } from '../../basics/isMap.ts';

/** The few fields of an API object that are relied on; everything else is checked where it is used. */
export interface KubeObject {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    /** Another one of the same name has another uid. */
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
  const metadata = isMap(raw['metadata']) ? raw['metadata'] : {};
  return isMap(metadata['labels']) ? (metadata['labels'] as Record<string, string>) : {};
}

/** Somebody has deleted it, and it waits for finalizers. */
export function isBeingDeleted({ raw }: KubeObject): boolean {
  return isMap(raw['metadata']) && typeof raw['metadata']['deletionTimestamp'] === 'string';
}

/** null for what is no API object. */
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
