/** One row of the settings table, and how rows are written. */
import type { ValueKind } from './values.ts';

export interface Setting<T> extends ValueKind<T> {
  /** The environment variable; `NAME_FILE` names a file that holds the value. */
  readonly name: string;
  readonly presence:
    | { readonly kind: 'required' }
    | { readonly kind: 'optional' }
    /** As written in the environment. */
    | { readonly kind: 'default'; readonly value: string };
  /** What a number measures; empty when it counts things. */
  readonly unit: 'ms' | 'bytes' | 'days' | '';
  /** The value is never printed. */
  readonly secret: boolean;
  /** One or two sentences for the operator. */
  readonly doc: string;
}

type Details = Pick<Setting<unknown>, 'doc'> & Partial<Pick<Setting<unknown>, 'unit' | 'secret'>>;

export function required<T>(name: string, kind: ValueKind<T>, details: Details): Setting<T> {
  return makeSetting(name, { kind: 'required' }, kind, details);
}

export function optional<T>(name: string, kind: ValueKind<T>, details: Details): Setting<T | null> {
  return makeSetting<T | null>(name, { kind: 'optional' }, kind as ValueKind<T | null>, details);
}

export function withDefault<T>(
  name: string,
  value: string,
  kind: ValueKind<T>,
  details: Details,
): Setting<T> {
  return makeSetting(name, { kind: 'default', value }, kind, details);
}

function makeSetting<T>(
  name: string,
  presence: Setting<T>['presence'],
  kind: ValueKind<T>,
  details: Details,
): Setting<T> {
  return { unit: '', secret: false, ...kind, ...details, name, presence };
}
