/** Judges what a draft asks for, by the schema that judges every manifest and by the checks of every Secret. */
import type { Destination } from '../../model/exportConfig.ts';
import type { ConfigDraft, EditorResult, FieldProblem } from '../configEditor.ts';
import { findDestination } from '../destination/resolveDestination.ts';
import { nameSecret, type SecretProblem } from '../destination/secretProblems.ts';
import type { SecretRead, SecretReader } from '../destination/secretReader.ts';
import { judgeValue } from '../parseManifest.ts';
import { metadataSchema } from '../schema/metadata.ts';
import { configApiVersion, configKind, type ManifestSpec } from '../schema.ts';
import { toFieldPath } from './fieldPath.ts';
import { isPageSecretName, type PageSecret } from './pageSecrets.ts';
import { type DraftPlan, planDraft } from './planDraft.ts';
import { originOf } from './savedFor.ts';
import { listUnits } from './specUnits.ts';

export interface Target {
  readonly namespace: string;
  readonly name: string;
  /** The spec that stands; null for a new config. */
  readonly stored: unknown;
  /** Whether the endpoint that stands was typed on the page. */
  readonly isEndpointTyped: boolean;
}

export type JudgedDraft =
  | { readonly kind: 'fine'; readonly plan: DraftPlan; readonly spec: ManifestSpec }
  | { readonly kind: 'invalid'; readonly problems: readonly FieldProblem[] };

/** Finds all that is wrong with what the draft itself brings. What it keeps may be as wrong as it was before. */
export async function judgeDraft(draft: ConfigDraft, target: Target): Promise<JudgedDraft> {
  // Secrets are named after it: a wrong name is one problem, not many.
  const name = metadataSchema.shape.name.safeParse(target.name).success ? target.name : 'unnamed';
  const plan = planDraft(draft, name, target.stored);
  const parsed = parsePlan(plan, target);
  if (!parsed.ok) return { kind: 'invalid', problems: mergeProblems(parsed.problems, plan.problems) };
  const found = await findDestination(parsed.spec, target.namespace, overlay(plan.secrets, null));
  const own = found.kind === 'resolved' ? [] : found.problems.filter((each) => isOwn(each, plan.secrets));
  const problems = mergeProblems(plan.problems, own.map(toOwnProblem));
  return problems.length > 0 ? { kind: 'invalid', problems } : { kind: 'fine', plan, spec: parsed.spec };
}

/**
 * Finds what the draft would send to; `secrets` reads what is stored.
 *
 * @throws what `secrets.read` throws.
 */
export async function resolveDraft(
  draft: ConfigDraft,
  target: Target,
  secrets: SecretReader,
): Promise<EditorResult<Destination>> {
  const judged = await judgeDraft(draft, target);
  if (judged.kind === 'invalid') return judged;
  const reader = overlay(judged.plan.secrets, secrets, target.name);
  const isTyped = target.isEndpointTyped || originOf(judged.spec.endpoint) !== storedOrigin(target);
  const resolved = await findDestination(
    judged.spec,
    target.namespace,
    reader,
    isTyped ? 'public' : undefined,
  );
  if (resolved.kind === 'resolved') return { kind: 'ok', value: resolved.destination };
  return { kind: 'invalid', problems: mergeProblems(resolved.problems.map(toKeptProblem)) };
}

function storedOrigin({ stored }: Target): string | null {
  return originOf(listUnits(stored).get('endpoint'));
}

function parsePlan(
  { spec }: DraftPlan,
  { namespace, name }: Target,
): { ok: true; spec: ManifestSpec } | { ok: false; problems: FieldProblem[] } {
  const judged = judgeValue({
    apiVersion: configApiVersion,
    kind: configKind,
    metadata: { name, namespace },
    spec,
  });
  if (judged.ok) return { ok: true, spec: judged.manifest.spec };
  const problems = judged.problems.map(({ path, complaint }) => ({ path: toFieldPath(path), complaint }));
  return { ok: false, problems };
}

/** At most one problem for each field, the first. */
function mergeProblems(...lists: ReadonlyArray<readonly FieldProblem[]>): FieldProblem[] {
  const byPath = new Map<string, FieldProblem>();
  for (const problem of lists.flat()) if (!byPath.has(problem.path)) byPath.set(problem.path, problem);
  return [...byPath.values()];
}

/** Reads the draft's own values first, then `stored`; null: there is nothing else. */
function overlay(secrets: readonly PageSecret[], stored: SecretReader | null, config?: string): SecretReader {
  return {
    async read(namespace, name, key, endpoint): Promise<SecretRead> {
      const value = secrets.find((secret) => secret.name === name)?.data.get(key);
      if (value !== undefined) return { kind: 'found', value };
      return stored === null
        ? { kind: 'secret-missing' }
        : await stored.read(namespace, name, key, endpoint, config);
    },
    isSavedOnPage: (name) => config !== undefined && isPageSecretName(config, name),
  };
}

function isOwn({ ref }: SecretProblem, secrets: readonly PageSecret[]): boolean {
  return secrets.some((secret) => secret.name === ref.name && secret.data.has(ref.key));
}

/** Whoever typed a value looks for its input, not for a Secret that is not there yet. */
function toOwnProblem({ ref, complaint }: SecretProblem): FieldProblem {
  const path = toFieldPath(ref.path);
  return { path: ref.key === 'tls.key' ? `${path}.key` : path, complaint };
}

function toKeptProblem(problem: SecretProblem): FieldProblem {
  if (problem.isLostOnPage)
    return { path: toFieldPath(problem.ref.path), complaint: 'was saved here and is gone: enter it again' };
  const complaint = `comes from ${nameSecret(problem)}, which ${problem.complaint}`;
  return { path: toFieldPath(problem.ref.path), complaint };
}
