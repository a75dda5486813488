/** What is wrong with one field of a manifest. Whoever shows it chooses the subject: the path, or the label of an input. */
import type { Path } from './schemaWalk.ts';
import { showPath } from './showValue.ts';

export interface Problem {
  /** Empty: the manifest as a whole. */
  readonly path: Path;
  /** Completes a sentence that begins with the field: `is 5000: it must be …`. */
  readonly complaint: string;
}

/** The sentence, as a manifest's author reads it. */
export function describeProblem({ path, complaint }: Problem): string {
  return complain(showPath(path), complaint);
}

export function complain(subject: string, complaint: string): string {
  return `${subject} ${complaint}${/[.!?]$/.test(complaint) ? '' : '.'}`;
}
