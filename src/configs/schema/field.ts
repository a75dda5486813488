/**
 * How a field of AuditExportConfig is declared: its zod type, what it means (into the CRD and the docs) and what it
 * must be (into the sentence a person reads when it is not).
 */
import { z } from 'zod';

export interface Expectation {
  /** Completes "it must be …". */
  readonly expected: string;
  /** Stands after the path when the pattern does not match, where the value must not be repeated. */
  readonly mismatch?: string;
}

export const expectations = z.registry<Expectation>();

/** Gives `schema` its description and its expectation. Call it last: zod's methods make new schemas without them. */
export function field<T extends z.ZodType>(
  schema: T,
  text: { readonly description: string } & Expectation,
): T {
  const { description, ...expectation } = text;
  const described = schema.meta({ description });
  expectations.add(described, expectation);
  return described;
}

/** An integer within limits; what it must be is said with them. */
export function wholeNumber(
  limits: { readonly min: number; readonly max: number; readonly default: number },
  description: string,
) {
  const { min, max } = limits;
  const expected = `a whole number from ${min} to ${max}`;
  return field(z.int().min(min).max(max).default(limits.default), { description, expected });
}
