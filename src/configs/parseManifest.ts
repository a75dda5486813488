/** Turns any value (an API object, a parsed file, a form) into a manifest that can be relied on. */
import { describeIssues } from './problems/describeIssues.ts';
import { describeProblem, type Problem } from './problems/problem.ts';
import { showType, showValue } from './problems/showValue.ts';
import { configApiVersion, configKind, type Manifest, manifestSchema } from './schema.ts';

export type ParsedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  /** One sentence for each problem, all at once; none repeats a header's value. */
  | { readonly ok: false; readonly problems: readonly string[] };

/** Checks everything that the value itself shows; `judgeManifest` checks whether Secrets exist. Never throws. */
export function parseManifest(value: unknown): ParsedManifest {
  const judged = judgeValue(value);
  return judged.ok ? judged : { ok: false, problems: judged.problems.map(describeProblem) };
}

/** The same, with the fields that the problems are about. */
export function judgeValue(
  value: unknown,
):
  | { readonly ok: true; readonly manifest: Manifest }
  | { readonly ok: false; readonly problems: readonly Problem[] } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const complaint = `is ${showType(value)}: it must be a map with apiVersion, kind, metadata and spec`;
    return { ok: false, problems: [{ path: [], complaint }] };
  }
  const foreign = findForeign(value);
  if (foreign.length > 0) return { ok: false, problems: foreign };

  const result = manifestSchema.safeParse(value);
  if (result.success) return { ok: true, manifest: result.data };
  return { ok: false, problems: describeIssues(manifestSchema, value, result.error.issues) };
}

/** Another kind or version: the fields would all be wrong, which says nothing. */
function findForeign(value: object): Problem[] {
  const wanted = { apiVersion: configApiVersion, kind: configKind };
  return Object.entries(wanted).flatMap(([name, expected]) => {
    const found: unknown = Reflect.get(value, name);
    if (typeof found !== 'string' || found === expected) return [];
    return [{ path: [name], complaint: `is ${showValue(found)}: it must be ${expected}` }];
  });
}
