/*
 * What the page does when its answers do not come: a bar says that the viewer was signed out, or that the page is not up to date,
 * and stays until that is over. Nothing that was typed is touched, so a form can be saved afterwards.
 */
import { find, on } from './dom.js';

const words = {
  out: 'You were signed out. What you typed is still here: sign in, then go on in this tab.',
  proxy:
    'Something in front of this page answers instead of it. You may have been signed out: sign in, then go on here.',
  away: 'Not up to date: the server does not answer. This tries again by itself.',
  stale: 'Not up to date: the server did not answer what you did last. Do it again.',
  unread:
    'Not up to date: what is shown here cannot be read right now, or is gone. This tries again by itself.',
  unsure: 'The server did not answer what you did last. Look whether it was done before you do it again.',
};
let state = null;
/* Something that the viewer did had no answer, and nothing was answered since: `stale`; `unsure` if it may have changed something. */
let missed = null;
const missedBy = ({ request, sourceElement }) =>
  request.method === 'POST' && sourceElement.matches('form') ? 'unsure' : 'stale';
let since = null;
/* A poll of the open drawer was answered without what it asked for. */
let isUnread = false;

/* An open drawer makes everything outside it inert, and Back replaces all of <body>. */
function show() {
  const bar = find('#session-bar');
  if (!bar) return;
  const drawer = find('#drawer');
  const place = drawer.open ? drawer : document.body;
  if (bar.parentElement !== place) place.prepend(bar);
  // The list says of itself that it is not up to date (stale.js).
  const isSaid = (state === 'away' || state === 'stale') && !drawer.open && find('#stale');
  bar.hidden = state === null || Boolean(isSaid);
  if (bar.hidden) return;
  const at = state === 'away' ? ` (since ${since.toLocaleTimeString()})` : '';
  const text = words[state] + at;
  if (bar.firstElementChild.textContent !== text) bar.firstElementChild.textContent = text;
  bar.lastElementChild.hidden = state !== 'out' && state !== 'proxy';
}
function set(found) {
  const next = found ?? missed ?? (isUnread ? 'unread' : null);
  if (next !== null && state === null) since = new Date();
  state = next;
  show();
}
for (const name of ['htmx:after:swap', 'close', 'popstate']) on(name, show, true);
function forget({ target }) {
  if (!isUnread || target.closest('[data-live]')) return;
  isUnread = false;
  if (state === 'unread') set(null);
}
for (const name of ['htmx:after:swap', 'close']) on(name, forget, true);

/* An answer of the page itself says so; a login page of a proxy does not. */
const isOurs = (response) => response.headers.has('x-audit-export');
const judge = (response) => (!isOurs(response) ? 'proxy' : response.status === 401 ? 'out' : null);

async function check() {
  try {
    const response = await fetch('/session?live=1', { redirect: 'manual', cache: 'no-store' });
    set(response.type === 'opaqueredirect' ? 'proxy' : judge(response));
  } catch {
    set('away');
  }
}
const checkAgain = () => ['out', 'proxy', 'away'].includes(state) && !document.hidden && check();
setInterval(checkAgain, 3_000);
on('visibilitychange', checkAgain);

const isPoll = ({ sourceElement }) => sourceElement.matches('[data-live]');
on('htmx:before:response', (event) => {
  const { ctx } = event.detail;
  const next = judge(ctx.response);
  if (next !== null) event.preventDefault();
  // A form is still open after a sign-in, but a list may have the rows of a former search.
  const isMissed = next === 'proxy' || (next === 'out' && ctx.request.method === 'GET');
  if (!isPoll(ctx)) missed = isMissed ? missedBy(ctx) : null;
  const { status } = ctx.response;
  if (isPoll(ctx) && ctx.sourceElement.closest('#drawer')) isUnread = status === 204 || status >= 500;
  if (next !== null || state !== null || isUnread) set(next);
});
on('htmx:error', ({ detail }) => {
  if (!detail.ctx) return;
  if (!isPoll(detail.ctx) && missed !== 'unsure') missed = missedBy(detail.ctx);
  void check();
});

/*
 * Fetches an address of the page. Throws an Error whose message says why there is no answer to use, in the words of the page where
 * it gave some.
 */
export async function fetchOwn(address, options) {
  const headers = { Accept: 'text/plain, */*;q=0.1' };
  const response = await fetch(address, { ...options, headers, redirect: 'manual' });
  const found = response.type === 'opaqueredirect' ? 'proxy' : judge(response);
  if (found !== null) {
    set(found);
    throw new Error(
      found === 'out'
        ? 'You were signed out. Sign in and try again.'
        : 'Something in front of this page answered instead of it. You may have been signed out: sign in and try again.',
    );
  }
  if (response.ok) return response;
  const isText = response.headers.get('content-type')?.startsWith('text/plain');
  throw new Error(
    isText
      ? await response.text()
      : `The server answered ${response.status}. Try again, or tell the operator.`,
  );
}
