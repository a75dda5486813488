/** A text with the places marked where a search found it. */
import { escapeHtml } from './html.ts';

/** HTML: escaped, hits inside of `<mark>`; any case matches. */
export function markedHtml(text: string, search: string): string {
  if (search === '') return escapeHtml(text);
  const pattern = new RegExp(search.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&'), 'giu');
  let html = '';
  let at = 0;
  for (const match of text.matchAll(pattern)) {
    html += `${escapeHtml(text.slice(at, match.index))}<mark>${escapeHtml(match[0])}</mark>`;
    at = match.index + match[0].length;
  }
  return html + escapeHtml(text.slice(at));
}
