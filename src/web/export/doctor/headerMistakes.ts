/** What people paste into header rows: repaired where it can mean one thing only, and said; secret from the first moment. */
import { Secret } from '../../../model/secret.ts';

interface Row {
  readonly name: string;
  readonly value: Secret;
}

interface RepairedRows<T extends Row> {
  readonly headers: readonly T[];
  /** One sentence each, without a value. */
  readonly repairs: readonly string[];
}

interface Typed {
  readonly name: string;
  readonly value: string;
}

interface Repair {
  /** null: it has nothing to repair. */
  readonly repair: (row: Typed) => Typed | null;
  readonly says: (name: string) => string;
}

const credentials = /authorization|key|token|secret|password/i;
const wholeHeader = /^(?:-H|--header)?\s*(["']?)([!#$%&'*+.^_`|~0-9A-Za-z-]+?)\s*[:=]\s*(.*?)\1$/s;

/** In this order: each sees what the one before has made. */
const repairs: readonly Repair[] = [
  {
    // -H 'Authorization: Bearer x', Authorization: Bearer x, Authorization=Bearer x
    repair({ name, value }) {
      const [, , own, rest = ''] = wholeHeader.exec(name) ?? [];
      return own === undefined ? null : { name: own, value: value === '' ? rest : value };
    },
    says: (name) =>
      `The name of header ${name} held its value too. The value is now treated as a value, and hidden.`,
  },
  {
    repair({ name, value }) {
      const [, , own, rest = ''] = wholeHeader.exec(value) ?? [];
      return own === undefined || own.toLowerCase() !== name.toLowerCase() ? null : { name, value: rest };
    },
    says: (name) => `The value of header ${name} began with its name, which was removed.`,
  },
  {
    repair({ name, value }) {
      const [, quote = '', inner = ''] = /^(["'`])(.*)\1$/s.exec(value) ?? [];
      return inner === '' || inner.includes(quote) || !credentials.test(name) ? null : { name, value: inner };
    },
    says: (name) => `The value of header ${name} was in quotes, which were removed.`,
  },
  {
    repair({ name, value }) {
      const [twice] = /^(bearer|basic|token|apikey)\s+(?=\1\s)/i.exec(value) ?? [];
      return twice === undefined ? null : { name, value: value.slice(twice.length) };
    },
    says: (name) => `The value of header ${name} had its first word twice.`,
  },
];

export function repairRows<T extends Row>(rows: readonly T[]): RepairedRows<T> {
  const said: string[] = [];
  const headers = rows.map((row) => {
    const typed: Typed = { name: row.name, value: row.value.reveal() };
    const repaired = repairs.reduce((current, { repair, says }) => {
      const next = repair(current);
      if (next === null) return current;
      said.push(says(next.name));
      return { name: next.name.trim(), value: next.value.trim() };
    }, typed);
    return repaired === typed ? row : { ...row, name: repaired.name, value: new Secret(repaired.value) };
  });
  return { headers, repairs: [...new Set(said)] };
}
