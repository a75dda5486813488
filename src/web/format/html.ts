/** Escapes the little HTML that is made outside views, where attributes are always quoted, and marks what a search found. */

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Safe between tags and inside a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => entities[character] ?? character);
}

/** Returns HTML: escaped, with hits of any of the terms in `<mark>`; case does not matter. */
export function markedHtml(text: string, terms: readonly string[]): string {
  if (terms.length === 0) return escapeHtml(text);
  // The longest first: of two that begin at one place the regular expression takes the first.
  const sorted = terms.toSorted((a, b) => b.length - a.length);
  const pattern = new RegExp(
    sorted.map((term) => term.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')).join('|'),
    'giu',
  );
  let html = '';
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    html += `${escapeHtml(text.slice(at, match.index))}<mark>${escapeHtml(match[0])}</mark>`;
    at = match.index + match[0].length;
  }
  return html + escapeHtml(text.slice(at));
}

/** Names that are longer, in characters, may not fit in one line of their column. */
const longName = 16;

/** As `markedHtml`, of a name such as `audit_export.settings_viewed`: a long one breaks after its dots and underscores. */
export function markedNameHtml(name: string, terms: readonly string[]): string {
  const html = markedHtml(name, terms);
  return name.length > longName ? html.replace(/[._]/g, '$&<wbr>') : html;
}
