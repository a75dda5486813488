/** The ways in which a term can stand in an entry's text. */

/**
 * As typed; as JSON escapes it, for quotes, backslashes and control characters; and with the spaces that Postgres puts
 * behind `:` and `,`, for a piece of minified JSON. Without repeats; none of an empty term.
 */
export function listSpellings(term: string): string[] {
  if (term === '') return [];
  const escaped = JSON.stringify(term).slice(1, -1);
  return [...new Set([term, escaped, spaceJson(term)])];
}

/** Only what looks like JSON: a key's closing quote before the colon, the start of a value behind the comma. */
function spaceJson(term: string): string {
  return term
    .replace(/"\s*:\s*/g, '": ')
    .replace(/\s*,\s*(?=["[{\d-]|true|false|null)/g, term.includes('"') || /^[[{]/.test(term) ? ', ' : '$&');
}
