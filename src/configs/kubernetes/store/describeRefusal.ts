/** What the API server's refusal means to whoever saves on the page: one sentence, with the way out. */
import { type EditorResult, type FieldProblem, refused, unavailable } from '../../configEditor.ts';
import { describeOwner } from '../../editor/describeOwner.ts';
import { toFieldPath } from '../../editor/fieldPath.ts';
import { configApiVersion, configKind } from '../../schema.ts';
import { type ApiFailure, describeFailure, type RefusalCause } from '../apiAnswer.ts';
import { fullResource } from '../resource.ts';

/** What was tried. */
export interface Attempt {
  readonly verb: 'get' | 'list' | 'create' | 'patch' | 'delete';
  readonly resource: 'configs' | 'secrets';
  readonly namespace: string | null;
}

type Refusal = Exclude<EditorResult<never>, { kind: 'ok' | 'changed-meanwhile' }>;

/** Describes a failure other than a conflict, which depends on what was compared. `gone` is for an object that must exist. */
export function toRefusal(failure: ApiFailure, attempt: Attempt): Refusal {
  if (failure.kind !== 'refused') {
    const what =
      failure.kind === 'aborted'
        ? 'The collector is stopping'
        : `The Kubernetes API server cannot be used (${failure.message})`;
    return unavailable(`${what}: a change may not have been saved, so try again.`);
  }
  switch (failure.code) {
    case 401:
      return unavailable(
        'The Kubernetes API server does not accept the credentials of the collector (401): check its ServiceAccount token or kubeconfig.',
      );
    case 403:
      return refused(describeForbidden(failure.message, attempt));
    case 404:
      return toMissing(failure, attempt);
    case 422:
      return toInvalid(failure);
    case 429:
      return unavailable(describePassing(failure));
    default:
      return failure.code >= 500
        ? unavailable(describePassing(failure))
        : refused(`The cluster refused it: ${quote(failure.message)}`);
  }
}

function describePassing(failure: ApiFailure): string {
  return `A change may not have been saved, so try again: ${quote(describeFailure(failure))}`;
}

/** Fields that others own, in the server's own words; empty: it is a conflict of versions. */
export function listOwnerConflicts(failure: ApiFailure): string[] {
  if (failure.kind !== 'refused' || failure.code !== 409) return [];
  return (failure.details?.causes ?? [])
    .filter(({ reason }) => reason === 'FieldManagerConflict')
    .map(({ message, field }) =>
      describeOwner(field.replace(/^\./, ''), /"([^"]+)"/.exec(message)?.[1] ?? ''),
    );
}

export function isVersionConflict(failure: ApiFailure): boolean {
  return failure.kind === 'refused' && failure.code === 409 && listOwnerConflicts(failure).length === 0;
}

function describeForbidden(message: string, { verb, resource, namespace }: Attempt): string {
  // A missing right and the veto of an admission plugin have the same code and reason: only the words tell them apart.
  if (!message.includes(`cannot ${verb} resource`)) return `The cluster refused it: ${quote(message)}`;
  const what = resource === 'configs' ? fullResource : 'secrets';
  const where = namespace === null ? 'in all namespaces' : `in namespace ${namespace}`;
  const role = verb === 'get' || verb === 'list' ? 'audit-export' : 'audit-export-page';
  return `The collector may not ${verb} ${what} ${where}: bind its ServiceAccount to the role ${role} (crds/rbac.yaml), or make the change with kubectl.`;
}

function toMissing(failure: ApiFailure & { kind: 'refused' }, { resource, namespace }: Attempt): Refusal {
  if (failure.details === undefined || (failure.details.kind === '' && resource === 'configs')) {
    return refused(
      `The cluster does not know ${configKind} (${configApiVersion}): install its CRD, by the chart or from crds/.`,
    );
  }
  if (failure.details.kind === 'namespaces') {
    return refused(`Namespace ${namespace ?? ''} does not exist: create it, or choose another for the page.`);
  }
  return { kind: 'gone' };
}

/** The CRD's own rules, where they are stricter than the schema was. */
function toInvalid(failure: ApiFailure & { kind: 'refused' }): Refusal {
  const problems = (failure.details?.causes ?? []).flatMap(toProblem);
  if (problems.length > 0) return { kind: 'invalid', problems };
  return refused(`The cluster refused it: ${quote(failure.message)}`);
}

function toProblem({ field, message }: RefusalCause): FieldProblem[] {
  if (field === '' || field === '<nil>') return [];
  return [{ path: toFieldPath(field), complaint: `is refused by the cluster: ${quote(message)}` }];
}

/** As one sentence. */
function quote(message: string): string {
  const text = message.slice(0, 400).replace(/\s+/g, ' ').trim();
  return /[.!?]$/.test(text) ? text : `${text}.`;
}
