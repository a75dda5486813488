/*
 * What the page does when its answers do not come: a bar says that the viewer was signed out, and stays
 * until that is over. Nothing that was typed is touched, so a form can be saved afterwards.
 */
import { find, on } from './dom.js';

const words = {
  out: 'You were signed out. What you typed is still here: sign in, then go on in this tab.',
  proxy:
    'Something in front of this page answers instead of it. You may have been signed out: sign in, then go on here.',
};
let state = null;

/* An open drawer makes everything outside it inert, and Back replaces all of <body>. */
function show() {
  const bar = find('#session-bar');
  if (!bar) return;
  const drawer = find('#drawer');
  const place = drawer.open ? drawer : document.body;
  if (bar.parentElement !== place) place.prepend(bar);
  bar.hidden = state === null;
  if (state === null) return;
  const text = words[state];
  if (bar.firstElementChild.textContent !== text) bar.firstElementChild.textContent = text;
}
function set(next) {
  state = next;
  show();
}
for (const name of ['htmx:after:swap', 'close', 'popstate']) on(name, show, true);

/* An answer of the page itself says so; a login page of a proxy does not. */
const isOurs = (response) => response.headers.has('x-audit-export');
const judge = (response) => (!isOurs(response) ? 'proxy' : response.status === 401 ? 'out' : null);

async function check() {
  try {
    const response = await fetch('/session?live=1', { redirect: 'manual', cache: 'no-store' });
    set(response.type === 'opaqueredirect' ? 'proxy' : judge(response));
  } catch {
    // No answer at all says nothing about the session; the list says that it is not up to date.
  }
}
setInterval(() => state && !document.hidden && check(), 3_000);
on('visibilitychange', () => state && !document.hidden && check());

on('htmx:before:response', (event) => {
  const next = judge(event.detail.ctx.response);
  if (next !== null) event.preventDefault();
  if (next !== null || state !== null) set(next);
});
on('htmx:error', () => check());

/*
 * Fetches an address of the page. Throws an Error whose message says why there is no answer to use.
 */
export async function fetchOwn(address, options) {
  const response = await fetch(address, { ...options, redirect: 'manual' });
  if (response.type === 'opaqueredirect' || judge(response) !== null) {
    set(response.type === 'opaqueredirect' ? 'proxy' : judge(response));
    throw new Error('You were signed out. Sign in and try again.');
  }
  if (response.ok) return response;
  if (response.status === 403)
    throw new Error('You may no longer read this: you are no admin of this organization.');
  if (response.status === 404) throw new Error('It is no longer there.');
  if (response.status === 429) throw new Error(`Too many for now; try again ${describeWait(response)}.`);
  if (response.status === 503)
    throw new Error('The server is busy, or its database is away. Try again in a moment.');
  throw new Error(`The server answered ${response.status}. Try again, or tell the operator.`);
}
function describeWait(response) {
  const seconds = Number(response.headers.get('retry-after'));
  if (!(seconds > 0)) return 'later';
  return seconds < 120 ? `in ${seconds} seconds` : `in ${Math.ceil(seconds / 60)} minutes`;
}
