/* "Not up to date": from the first request of the list that fails until one of its kind has an answer. */
import { formatTimes } from './app.js';
import { find, on } from './dom.js';

/* What failed, by kind: since when, and how to ask again. */
const failures = new Map();
const words = {
  list: 'The server did not answer, so the entries below are not what was asked for last.',
  more: 'The server did not answer, so older entries are missing.',
  watch: 'The server does not answer, so new entries are not counted.',
};
const kinds = { results: 'list', main: 'list', more: 'more' };
const kindOf = ({ sourceElement, target }) =>
  sourceElement?.matches('[data-live]') ? 'watch' : kinds[target?.id];

function note({ detail: { ctx } }) {
  const kind = ctx && kindOf(ctx);
  if (!kind) return;
  const since = failures.get(kind)?.since ?? new Date();
  const { action, headers: sent } = ctx.request;
  // htmx would derive them from another source. The server answers with what they name.
  const headers = { 'HX-Target': sent['HX-Target'], 'HX-Source': sent['HX-Source'] };
  failures.set(kind, { since, action, headers, target: `#${ctx.target.id}`, swap: ctx.swap });
  show();
}
on('htmx:error', note);
on('htmx:response:error', (event) => {
  if (event.detail.ctx.response.status >= 500 && kindOf(event.detail.ctx) === 'watch') note(event);
});
on('htmx:after:request', ({ detail: { ctx } }) => {
  const kind = kindOf(ctx);
  if (!kind || ctx.response.status >= 500) return;
  if (kind === 'list') failures.clear();
  else failures.delete(kind);
  show();
});

function show() {
  const bar = find('#stale');
  if (!bar) return;
  const [kind] = Object.keys(words).filter((each) => failures.has(each));
  bar.hidden = kind === undefined;
  if (bar.hidden) return;
  bar.querySelector('time').dateTime = failures.get(kind).since.toISOString();
  bar.querySelector('[data-why]').textContent = words[kind];
  formatTimes();
}
on('htmx:after:swap', show);

function tryAgain() {
  const results = find('#results');
  const failed = failures.get('list') ?? failures.get('more');
  if (failed) htmx.ajax('GET', failed.action, { ...failed, source: results });
  else if (failures.size > 0 && results?.dataset.url)
    htmx.ajax('GET', results.dataset.url, { source: results, target: '#results', swap: 'outerHTML' });
}
on('click', ({ target }) => {
  if (target.closest('[data-again]')) tryAgain();
});
addEventListener('online', tryAgain);
