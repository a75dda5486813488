/**
 * Notices a CustomResourceDefinition that is older than this program, says so, and makes statuses fit it meanwhile.
 *
 *   start, or a refused status → read the published schema → compare → say once that fields are missing, or no more
 *
 * Such a definition is not an error to the API server: it drops a field of a manifest that it does not know, and refuses a whole
 * status for one (a server-side apply is answered 500, "field not declared in schema"). The check needs no permission: the schema
 * is part of the API server's OpenAPI, which every authenticated client may read.
 */

import { isDeepStrictEqual } from 'node:util';
import { z } from 'zod';
import { Backoff, type BackoffLimits } from '../../basics/backoff.ts';
import { isMap } from '../../basics/isMap.ts';
import { valueAt } from '../../basics/valueAt.ts';
import { Bell, pause } from '../../basics/wait.ts';
import type {
  Condition,
  ExportStatus,
  LastError,
  LedgerStatus,
  ReplayStatus,
} from '../../model/streamStatus.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { configApiVersion, configKind, specSchema } from '../schema.ts';
import { describeFailure } from './apiAnswer.ts';
import type { ApiClient } from './apiClient.ts';
import { fullResource } from './resource.ts';

export interface CrdCheckOptions {
  readonly api: Pick<ApiClient, 'request'>;
  readonly log: Logger;
  readonly retry: BackoffLimits;
}

export class CrdCheck {
  readonly #options: CrdCheckOptions;
  readonly #stopped = new AbortController();
  readonly #doubt = new Bell();
  #missing: readonly string[] = [];
  #askedAt = Number.NEGATIVE_INFINITY;
  #running = Promise.resolve();

  constructor(options: CrdCheckOptions) {
    this.#options = options;
  }

  start(): void {
    this.#running = this.#run();
  }

  /** The status without what the cluster's definition lacks: with it, the API server would refuse the whole status. */
  toFitting(status: ExportStatus): ExportStatus {
    return this.#missing.length === 0 ? status : dropMissingFields(status, this.#missing);
  }

  /** The API server refused something: look again, though not right after the last look. */
  suspect(): void {
    if (performance.now() - this.#askedAt >= this.#options.retry.maxMs) this.#doubt.ring();
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    await this.#running;
  }

  async #run(): Promise<void> {
    const { api, log, retry } = this.#options;
    const { signal } = this.#stopped;
    const backoff = new Backoff(retry);
    while (!signal.aborted) {
      this.#askedAt = performance.now();
      const answer = await api.request({ path: `/openapi/v3/apis/${configApiVersion}`, signal });
      if (answer.kind === 'aborted') return;
      const found = answer.kind === 'ok' ? findMissingFields(answer.body) : null;
      if (found === null) {
        // Whoever follows the manifests says that there is no such kind, or no API server.
        const why = answer.kind === 'ok' ? 'it has no such kind yet' : describeFailure(answer);
        log.debug({ why }, 'the schema of the CustomResourceDefinition cannot be read yet');
      } else this.#take(found);
      // A definition that lacks something will be replaced; once it is complete, only a refusal makes it doubtful.
      if (found?.length === 0) await this.#doubt.wait(Number.POSITIVE_INFINITY, signal);
      else await pause(backoff.next(), signal);
    }
  }

  #take(found: readonly string[]): void {
    if (isDeepStrictEqual(found, this.#missing)) return;
    this.#missing = found;
    const { log } = this.#options;
    if (found.length === 0)
      log.info('the CustomResourceDefinition in the cluster has every field of this version now');
    else
      log.warn(
        { missing: found },
        `The CustomResourceDefinition ${fullResource} in the cluster is older than this collector: it lacks ${found.join(', ')}. The API server drops such fields from manifests, and statuses are written without them: apply the definition of this version, with \`helm upgrade\` or \`kubectl apply --server-side --force-conflicts -f crds/auditexportconfigs.auditexport.dev.yaml\`.`,
      );
  }
}

/** Names of fields, and what is below each; the items of a list stand for the list. */
interface FieldTree {
  readonly [name: string]: FieldTree;
}

type FieldsOf<T> = { readonly [Name in keyof Required<T>]: FieldTree };

const conditionFields: FieldsOf<Condition> = {
  type: {},
  status: {},
  reason: {},
  message: {},
  lastTransitionTime: {},
  observedGeneration: {},
};
const lastErrorFields: FieldsOf<LastError> = {
  time: {},
  reason: {},
  message: {},
  httpStatus: {},
  resolvedTime: {},
};
const ledgerFields: FieldsOf<LedgerStatus> = { origin: {}, size: {}, root: {}, time: {} };
const replayFields: FieldsOf<ReplayStatus> = {
  id: {},
  from: {},
  until: {},
  state: {},
  sentEntries: {},
  totalEntries: {},
  message: {},
  endTime: {},
};
const statusFields: FieldsOf<ExportStatus> = {
  observedGeneration: {},
  resolvedEndpoint: {},
  conditions: conditionFields,
  lastError: lastErrorFields,
  lastDeliveryTime: {},
  deliveredEntries: {},
  pendingEntries: {},
  parkedEntries: {},
  rejectedEntries: {},
  oldestPendingTime: {},
  ledger: ledgerFields,
  replay: replayFields,
  lastHandledReconcileAt: {},
};

/** Paths such as `spec.filter` and `status.lastError.httpStatus`; null: the document has no such kind. */
export function findMissingFields(openApi: unknown): string[] | null {
  const [group, version] = configApiVersion.split('/');
  const schemas = valueAt(openApi, ['components', 'schemas']);
  const schema = Object.values(isMap(schemas) ? schemas : {}).find((each) => {
    const kinds = valueAt(each, ['x-kubernetes-group-version-kind']);
    const isOurs = (kind: unknown) => isDeepStrictEqual(kind, { group, version, kind: configKind });
    return Array.isArray(kinds) && kinds.some(isOurs);
  });
  if (schema === undefined) return null;
  const spec = treeOf(z.toJSONSchema(specSchema, { io: 'input' }));
  return listMissing({ spec, status: statusFields }, schema, '');
}

/** The status without the fields that are missing in the cluster. */
export function dropMissingFields(status: ExportStatus, missingFields: readonly string[]): ExportStatus {
  const drop = (value: unknown, path: string): unknown => {
    if (Array.isArray(value)) return value.map((each) => drop(each, path));
    if (!isMap(value)) return value;
    const kept = Object.entries(value).filter(([name]) => !missingFields.includes(`${path}.${name}`));
    return Object.fromEntries(kept.map(([name, each]) => [name, drop(each, `${path}.${name}`)]));
  };
  return drop(status, 'status') as ExportStatus;
}

function listMissing(expected: FieldTree, schema: unknown, prefix: string): string[] {
  if (valueAt(schema, ['x-kubernetes-preserve-unknown-fields']) === true) return [];
  const properties = propertiesOf(schema);
  return Object.entries(expected).flatMap(([name, below]) => {
    const property = properties[name];
    return isMap(property) ? listMissing(below, property, `${prefix}${name}.`) : [prefix + name];
  });
}

function treeOf(schema: unknown): FieldTree {
  return Object.fromEntries(
    Object.entries(propertiesOf(schema)).map(([name, child]) => [name, treeOf(child)]),
  );
}

function propertiesOf(schema: unknown): Record<string, unknown> {
  const properties = valueAt(schema, ['items', 'properties']) ?? valueAt(schema, ['properties']);
  return isMap(properties) ? properties : {};
}
