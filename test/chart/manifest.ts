/** The parts of Kubernetes objects that the tests of the chart look at. */
export interface ManifestObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly [field: string]: unknown;
}

export interface EnvVar {
  readonly name: string;
  readonly value?: string;
  readonly valueFrom?: { readonly fieldRef?: { readonly fieldPath: string } };
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly args: readonly string[];
  readonly env?: readonly EnvVar[];
  readonly volumeMounts?: ReadonlyArray<{ readonly name: string; readonly mountPath: string }>;
  readonly restartPolicy?: string;
  readonly readinessProbe?: unknown;
  readonly startupProbe?: unknown;
  readonly livenessProbe?: unknown;
}

interface SecretItems {
  readonly secretName?: string;
  readonly name?: string;
  readonly items: ReadonlyArray<{ readonly key: string; readonly path: string }>;
}

export interface Volume {
  readonly name: string;
  readonly secret?: SecretItems;
  readonly projected?: {
    readonly sources: ReadonlyArray<{
      readonly configMap?: { readonly name: string };
      readonly secret?: SecretItems;
    }>;
  };
  readonly emptyDir?: unknown;
}

export interface PodSpec {
  readonly serviceAccountName?: string;
  readonly automountServiceAccountToken?: boolean;
  readonly terminationGracePeriodSeconds?: number;
  readonly initContainers?: readonly Container[];
  readonly containers: readonly Container[];
  readonly volumes?: readonly Volume[];
}

/** Of a Pod, or of what makes Pods; undefined for anything else. */
export function podSpecOf(object: ManifestObject): PodSpec | undefined {
  if (object.kind === 'Pod') return object['spec'] as PodSpec;
  const spec = object['spec'] as { readonly template?: { readonly spec?: PodSpec } } | undefined;
  return spec?.template?.spec;
}

/** @throws Error when there is none, or more than one. */
export function findObject(objects: readonly ManifestObject[], kind: string, name?: string): ManifestObject {
  const [found, ...more] = objects.filter(
    (object) => object.kind === kind && (name === undefined || object.metadata.name === name),
  );
  if (found === undefined || more.length > 0) {
    throw new Error(`There are ${more.length + (found ? 1 : 0)} of ${kind} ${name ?? ''}.`);
  }
  return found;
}

/** @throws Error when there is none. */
export function findContainer(object: ManifestObject, name: string): Container {
  const spec = podSpecOf(object);
  const found = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].find(
    (container) => container.name === name,
  );
  if (found === undefined)
    throw new Error(`${object.kind} ${object.metadata.name} has no container ${name}.`);
  return found;
}

/** Plain values by name. */
export function envOf(container: Container): Record<string, string> {
  return Object.fromEntries((container.env ?? []).map(({ name, value }) => [name, value ?? '']));
}
