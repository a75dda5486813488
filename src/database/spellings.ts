/** How a term, and a JSON document, can stand in an entry's text. */

/**
 * Lists a term as typed; as JSON escapes it, for quotes, backslashes and control characters; and with the spaces that Postgres
 * puts after `:` and `,`, for a piece of minified JSON. Without repeats; nothing for an empty term.
 */
export function listSpellings(term: string): string[] {
  if (term === '') return [];
  const escaped = JSON.stringify(term).slice(1, -1);
  return [...new Set([term, escaped, spaceJson(term)])];
}

/** Changes only what looks like JSON: a key's closing quote before the colon, the start of a value after the comma. */
function spaceJson(term: string): string {
  return term
    .replace(/"\s*:\s*/g, '": ')
    .replace(/\s*,\s*(?=["[{\d-]|true|false|null)/g, term.includes('"') || /^[[{]/.test(term) ? ', ' : '$&');
}

/** Lists keys and strings of a JSON document as Postgres prints them. Leaves out numbers: 1.0 contains 1. */
export function listTokens(json: string): string[] {
  const tokens = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value === 'string') tokens.add(JSON.stringify(value));
    else if (Array.isArray(value)) value.forEach(visit);
    else if (typeof value === 'object' && value !== null) {
      for (const [key, inner] of Object.entries(value)) {
        tokens.add(`${JSON.stringify(key)}: `);
        visit(inner);
      }
    }
  };
  try {
    visit(JSON.parse(json));
  } catch {
    // Postgres refuses it in a moment.
  }
  return [...tokens];
}
