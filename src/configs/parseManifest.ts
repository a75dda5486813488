/** From any value (an API object, a parsed file, a form) to a manifest that can be relied on. */
import { describeIssues, type FieldSentence } from './problems/describeIssues.ts';
import { showType, showValue } from './problems/showValue.ts';
import { configApiVersion, configKind, type Manifest, manifestSchema } from './schema.ts';

export type ParsedManifest =
  | { readonly ok: true; readonly manifest: Manifest }
  /** One sentence for each problem, all at once; none repeats a header's value. */
  | {
      readonly ok: false;
      readonly problems: readonly string[];
      /** The same with the fields they are about; absent where the whole is wrong. */
      readonly fields?: readonly FieldSentence[];
    };

/** Checks everything that can be known without looking elsewhere; whether a Secret exists is `judgeManifest`'s. Never throws. */
export function parseManifest(value: unknown): ParsedManifest {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return {
      ok: false,
      problems: [
        `The manifest is ${showType(value)}: it must be a map with apiVersion, kind, metadata and spec.`,
      ],
    };
  }
  const foreign = describeForeign(value);
  if (foreign.length > 0) return { ok: false, problems: foreign };

  const result = manifestSchema.safeParse(value);
  if (result.success) return { ok: true, manifest: result.data };
  const fields = describeIssues(manifestSchema, value, result.error.issues);
  return { ok: false, problems: fields.map(({ sentence }) => sentence), fields };
}

/** Of another kind or version: the fields would all be wrong, which says nothing. */
function describeForeign(value: object): string[] {
  const { apiVersion, kind } = value as { readonly apiVersion?: unknown; readonly kind?: unknown };
  const problems: string[] = [];
  if (typeof apiVersion === 'string' && apiVersion !== configApiVersion) {
    problems.push(`apiVersion is ${showValue(apiVersion)}: it must be ${configApiVersion}.`);
  }
  if (typeof kind === 'string' && kind !== configKind) {
    problems.push(`kind is ${showValue(kind)}: it must be ${configKind}.`);
  }
  return problems;
}
