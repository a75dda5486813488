/** Marks the places in a text where a search found something. */
import { escapeHtml } from './html.ts';

/** Returns HTML: escaped, with hits in `<mark>`; case does not matter. */
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
