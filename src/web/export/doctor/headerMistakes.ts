/** What people paste into header rows: repaired where it can mean one thing only, and said; secret from the first moment. */
import { Secret } from '../../../model/secret.ts';
import { readHeaderList } from '../paste/headerList.ts';

interface Row {
  readonly index: number;
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
    // A whole header as the value of a row without a name.
    repair({ name, value }) {
      const [, , own, rest = ''] = name === '' ? (wholeHeader.exec(value) ?? []) : [];
      return own === undefined || !credentials.test(own) ? null : { name: own, value: rest };
    },
    says: (name) => `The value of header ${name} began with its name, which was moved to the name.`,
  },
  {
    repair: ({ name, value }) => (/^[^:]+:$/.test(name) ? { name: name.slice(0, -1), value } : null),
    says: (name) => `The name of header ${name} ended in a colon, which was removed.`,
  },
  {
    // -H 'Authorization: Bearer x', Authorization: Bearer x, Authorization=Bearer x
    repair({ name, value }) {
      const [, , own, rest = ''] = wholeHeader.exec(name) ?? [];
      return own === undefined || value !== '' ? null : { name: own, value: rest };
    },
    says: (name) =>
      `The name of header ${name} held its value too. The value is now treated as a value, and hidden.`,
  },
  {
    repair({ name, value }) {
      const [, , own] = wholeHeader.exec(name) ?? [];
      return own === undefined || value === '' ? null : { name: own, value };
    },
    says: (name) =>
      `Header ${name} had two values, one of them in its name. That one was removed; the other is used.`,
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
  {
    // RFC 7617. Base64 has no colon.
    repair({ name, value }) {
      const [, pair] = /^basic\s+([^\s:]+:\S.*)$/is.exec(value) ?? [];
      if (pair === undefined || !/^(?:proxy-)?authorization$/i.test(name)) return null;
      return { name, value: `Basic ${Buffer.from(pair).toString('base64')}` };
    },
    says: (name) =>
      `The value of header ${name} held a user name and a password as they are. They are now encoded in Base64, as Basic requires.`,
  },
];

export function repairRows<T extends Row>(rows: readonly T[]): RepairedRows<T> {
  const said: string[] = [];
  const headers = splitSettings(rows, said).map((row) => {
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

const headersSetting = /^(?:(?:export|set)\s+)?OTEL_EXPORTER_OTLP_(?:LOGS_)?HEADERS(?:\s*[=:]\s*(.*))?$/is;

/** OTEL_EXPORTER_OTLP_HEADERS=a=b,c=d is a header each. */
function splitSettings<T extends Row>(rows: readonly T[], said: string[]): readonly T[] {
  let next = Math.max(-1, ...rows.map(({ index }) => index)) + 1;
  return rows.flatMap((row) => {
    const value = row.value.reveal();
    const match = headersSetting.exec(row.name === '' ? value : row.name);
    const headers = match === null ? null : readHeaderList(unquote(match[1] ?? value));
    if (headers === null) return [row];
    said.push('The headers of OTEL_EXPORTER_OTLP_HEADERS now have a row each.');
    return headers.map(({ name, value }, n) => {
      const index = n === 0 ? row.index : next++;
      return { ...row, index, name, value: new Secret(value) };
    });
  });
}

function unquote(text: string): string {
  return text.replace(/^(["'])(.*)\1$/s, '$2');
}
