/**
 * Turns what zod found into problems for people: what is wrong with which field, its value, and how to fix it.
 *
 * Nothing below `spec.headers` is ever repeated, not even where a name was expected: anyone who mixes up name and value has
 * put the credentials there.
 */

import type { z } from 'zod';
import { valueAt } from '../../basics/valueAt.ts';
import type { Problem } from './problem.ts';
import { allFieldPaths, expectationAt, fieldsAt, type Path } from './schemaWalk.ts';
import { showPath, showType, showValue } from './showValue.ts';
import { suggestName } from './suggest.ts';

type Issue = z.core.$ZodIssue;

/** `schema` is what refused `input` with `issues`; at most one problem for each field. */
export function describeIssues(schema: z.core.$ZodType, input: unknown, issues: readonly Issue[]): Problem[] {
  const unknown = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => ({ parent: issue.path, name: key })) : [],
  );
  const misspelt = new Set(unknown.map(({ parent }) => showPath(parent)));
  const meant = new Set(
    unknown.flatMap(({ parent, name }) => {
      const path = suggestField(schema, parent, name);
      return path === null ? [] : [showPath(path)];
    }),
  );
  const said = new Set<string>();
  const problems: Problem[] = [];
  for (const issue of issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        problems.push(describeUnknownField(schema, issue.path, key));
      }
      continue;
    }
    const path = showPath(issue.path);
    // "endpoint is missing" beside "endpiont: did you mean endpoint?" is the same problem again, and so is
    // "has neither value nor valueFrom" beside "vaule".
    if (meant.has(path) && valueAt(input, issue.path) === undefined) continue;
    if (issue.code === 'custom' && misspelt.has(path)) continue;
    if (said.has(path)) continue;
    said.add(path);
    problems.push({ path: issue.path, complaint: findComplaint(schema, input, issue) });
  }
  return problems;
}

function findComplaint(schema: z.core.$ZodType, input: unknown, issue: Issue): string {
  if (issue.code === 'custom') return issue.message;

  const { expected, mismatch } = nearestExpectation(schema, issue.path);
  const value = valueAt(input, issue.path);
  const mustBe = `it must be ${expected}`;
  if (issue.code === 'too_big' && typeof value === 'string') {
    return `is ${value.length} characters long: ${mustBe}`;
  }
  if (issue.code === 'too_big' && Array.isArray(value)) return `has ${value.length} items: ${mustBe}`;
  if (value === '') return `is empty: ${mustBe}`;
  const isSecret = isUnderHeaders(issue.path);
  if (isSecret && issue.code === 'invalid_format' && mismatch !== undefined) return mismatch;
  const shown = isSecret ? showType(value) : showValue(value);
  const quotes = issue.code === 'invalid_type' && issue.expected === 'string' && isPlainScalar(value);
  return `is ${shown}: ${mustBe}${quotes ? '; put it in quotes' : ''}`;
}

/** A value inside a map of labels has no schema of its own with an expectation: its map has. */
function nearestExpectation(schema: z.core.$ZodType, path: Path) {
  for (let length = path.length; length >= 0; length--) {
    const expectation = expectationAt(schema, path.slice(0, length));
    if (expectation !== undefined) {
      return length === path.length ? expectation : { expected: 'text', mismatch: undefined };
    }
  }
  return { expected: 'something else', mismatch: undefined };
}

function isUnderHeaders(path: Path): boolean {
  return path[0] === 'spec' && path[1] === 'headers';
}

function isPlainScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'boolean';
}

function describeUnknownField(schema: z.core.$ZodType, parent: Path, name: string): Problem {
  const suggestion = suggestField(schema, parent, name);
  // `- {Bearer abc}` is a map with a credential for a name.
  if (isUnderHeaders(parent) && suggestion === null) {
    const allowed = fieldsAt(schema, parent).join(', ');
    return { path: parent, complaint: `has a field that does not belong there: it can have ${allowed}` };
  }
  const complaint = 'is not a field of AuditExportConfig';
  const wayOut = suggestion === null ? 'remove it' : `did you mean ${showPath(suggestion)}?`;
  return { path: [...parent, name], complaint: `${complaint}: ${wayOut}` };
}

/** A field of the same map that is spelt much like `name`, else one elsewhere (a matter of indentation), else null. */
function suggestField(schema: z.core.$ZodType, parent: Path, name: string): Path | null {
  const sibling = suggestName(name, fieldsAt(schema, parent));
  if (sibling !== null) return [...parent, sibling];
  if (isUnderHeaders(parent)) return null;
  const paths = allFieldPaths(schema).filter(isWrittenByPeople);
  const match = suggestName(
    name,
    paths.map((path) => path.at(-1) ?? ''),
  );
  return paths.find((path) => path.at(-1) === match) ?? null;
}

function isWrittenByPeople([top, field]: readonly string[]): boolean {
  return top === 'spec' || (top === 'metadata' && ['name', 'namespace', 'labels'].includes(field ?? ''));
}
