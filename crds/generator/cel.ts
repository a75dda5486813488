/** Small pieces of CEL, the language of the API server's rules. */

/** One entry of `x-kubernetes-validations`. `message` completes "spec.endpoint: Invalid value: …: ". */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
  readonly messageExpression?: string;
  /** Path of the field concerned, if the rule belongs to the map around it. */
  readonly fieldPath?: string;
}

/** Ways to be wrong, in order: the first that holds is what is said. */
export interface CelProblem {
  /** Holds when something is wrong. */
  readonly when: string;
  readonly problem: string;
  /** CEL for `problem`, when it says more. */
  readonly problemExpression?: string;
}

/** One rule with the sentence of the first of `problems` that holds, where rules of their own would all speak at once. */
export function firstOf(problems: readonly CelProblem[]): CelRule {
  const last = problems.at(-1);
  if (last === undefined) throw new Error('no problem, no rule');
  const choices = problems.slice(0, -1).map((each) => `${each.when} ? ${say(each)} :`);
  return {
    rule: ['!(', problems.map(({ when }) => `  ${when}`).join(' ||\n'), ')'].join('\n'),
    message: last.problem,
    messageExpression: [...choices, say(last)].join('\n'),
  };
}

function say({ problem, problemExpression }: CelProblem): string {
  return problemExpression ?? quote(problem);
}

/** Whether the expression `text` matches. */
export function matches(text: string, pattern: RegExp): string {
  return `${text}.matches(${quote(toRe2(pattern))})`;
}

/**
 * `u` is RE2's nature. The patterns themselves have to keep to what both know: no look-around, no `\s`, no `\u`.
 *
 * @throws Error for what has no counterpart there.
 */
function toRe2(pattern: RegExp): string {
  if (/[^iu]/.test(pattern.flags)) throw new Error(`flags of ${pattern} have no counterpart in RE2`);
  if (/\(\?(?!:)|\\[sSbBwWuk]/.test(pattern.source))
    throw new Error(`${pattern} means something else in RE2`);
  return (pattern.ignoreCase ? '(?i)' : '') + pattern.source.replaceAll('\\/', '/');
}

/** A text as CEL writes it: raw where that reads better. */
export function quote(text: string): string {
  return text.includes('\\') && !text.includes('"') ? `r"${text}"` : JSON.stringify(text);
}
