/*
 * What the page does beyond htmx, by data- attributes; everything else works without. Elements are looked up each time:
 * Back replaces all children of <body>, so listeners are on `document` and `close`, which does not bubble, is captured.
 */
import { find, on } from './dom.js';
import { fetchOwn } from './session.js';

const drawer = () => find('#drawer');
export const settings = {
  get: (name) => localStorage.getItem(`audit-export.${name}`) ?? (name === 'local' ? 'off' : 'on'),
  set: (name, isOn) => localStorage.setItem(`audit-export.${name}`, isOn ? 'on' : 'off'),
};

function toast(message) {
  const element = find('#toast');
  (drawer().open ? drawer() : document.body).append(element);
  element.textContent = message;
  element.showPopover();
  clearTimeout(toast.timer);
  toast.timer = setTimeout(() => element.hidePopover(), 6_000);
}

/*
 * Requests of the drawer by number, and the number of what it shows: an answer to what was asked for earlier, in what was left or closed
 * since, must neither open it again nor take the place of what somebody types into now.
 */
let asked = 0;
let shown = 0;

/* Drawer: opens whenever its body has been filled; closing it restores the list's address and title. */
function showDrawer() {
  const dialog = drawer();
  if (dialog.matches(':modal') || !find('#drawer-body').childElementCount) return;
  dialog.removeAttribute('open');
  dialog.showModal();
}
on(
  'close',
  ({ target }) => {
    if (target !== drawer()) return;
    shown = ++asked;
    const results = find('#results[data-url]');
    const row = document.querySelector(
      `[data-row][href="${CSS.escape(location.pathname + location.search)}"]`,
    );
    find('#drawer-body').replaceChildren();
    if (results) {
      history.replaceState({ htmx: true }, '', results.dataset.url);
      document.title = results.dataset.title;
    }
    row?.focus();
  },
  true,
);
on('click', (event) => {
  const { target } = event;
  if (target === drawer() || (target.closest('[data-close]') && drawer().open)) {
    event.preventDefault();
    drawer().close();
  }
});

/* Menus: one at a time, closed by Esc and by a click elsewhere. */
export function closeMenus(except) {
  for (const menu of document.querySelectorAll('details.menu[open]'))
    if (!menu.contains(except)) menu.open = false;
}
on('click', ({ target }) => closeMenus(target));
on('focusin', ({ target }) => closeMenus(target));
on('keydown', (event) => {
  const menu = event.key === 'Escape' && document.querySelector('details.menu[open]');
  if (!menu) return;
  menu.open = false;
  menu.querySelector('summary').focus();
  event.preventDefault();
});

/* Times: relative ones are kept up to date, exact ones are local if the viewer chose that. */
export function formatTimes() {
  const isLocal = settings.get('local') === 'on';
  const format = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'medium' });
  const zone = new Intl.DateTimeFormat('en', { timeZoneName: 'short' });
  for (const element of document.querySelectorAll('time[datetime]')) {
    const date = new Date(element.dateTime);
    const seconds = Math.trunc((Date.now() - date) / 1_000);
    if ('ago' in element.dataset) element.textContent = describeAge(seconds);
    else if (element.dataset.zone === 'utc' || (!isLocal && element.dataset.zone !== 'local'))
      element.textContent = `${date.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
    else
      element.textContent = `${format.format(date)} ${zone.formatToParts(date).find(({ type }) => type === 'timeZoneName').value}`;
  }
  for (const box of document.querySelectorAll('[data-setting]'))
    box.checked = settings.get(box.dataset.setting) === 'on';
}
function describeAge(seconds) {
  const distance = Math.abs(seconds);
  if (distance < 5) return 'just now';
  const steps = [
    [60, 1, 'sec'],
    [3_600, 60, 'min'],
    [86_400, 3_600, 'h'],
    [2_592_000, 86_400, 'd'],
    [31_536_000, 2_592_000, 'mo'],
    [Infinity, 31_536_000, 'y'],
  ];
  const [, unit, name] = steps.find(([limit]) => distance < limit);
  return seconds < 0
    ? `in ${Math.floor(distance / unit)} ${name}`
    : `${Math.floor(distance / unit)} ${name} ago`;
}
setInterval(formatTimes, 30_000);
on('change', ({ target }) => {
  if (!target.dataset.setting) return;
  settings.set(target.dataset.setting, target.checked);
  formatTimes();
});

/* Copying: the page's address, that of a link, what an element shows, or the text behind an address. */
on('click', async (event) => {
  const button = event.target.closest('[data-copy]');
  if (!button) return;
  event.preventDefault();
  const { copy } = button.dataset;
  let text = copy === 'link' ? button.href : location.href;
  try {
    if (copy.startsWith('#')) text = find(copy).textContent;
    else if (copy !== 'address' && copy !== 'link') text = await (await fetchOwn(copy)).text();
  } catch (error) {
    const why = error instanceof TypeError ? 'The server did not answer. Try again.' : error.message;
    toast(`Nothing was copied. ${why}`);
    return;
  }
  try {
    await navigator.clipboard.writeText(text);
    toast('Copied.');
  } catch {
    toast('The browser did not allow copying.');
  }
});

/* Requests. session.js shows which failed. */
on('htmx:config:request', (event) => {
  const { sourceElement } = event.detail.ctx;
  if (sourceElement.matches('[data-live]') && (document.hidden || settings.get('live') === 'off'))
    event.preventDefault();
});
on('htmx:before:request', ({ detail: { ctx } }) => {
  ctx.target?.setAttribute('aria-busy', 'true');
  ctx.asked = ctx.target?.closest?.('#drawer') ? ++asked : Infinity;
});
on('htmx:before:response', (event) => {
  const { ctx } = event.detail;
  if (!(ctx.asked < shown)) return;
  event.preventDefault();
  if (ctx.request.method !== 'GET' && ctx.target.id === 'drawer-body')
    toast('You left this before the answer came. Open it again to see whether it was done.');
});
on('htmx:finally:request', ({ detail }) => detail.ctx.target?.removeAttribute?.('aria-busy'));
on('htmx:after:swap', ({ detail }) => {
  const { target, swap, asked: number } = detail.ctx;
  // A form that is morphed is still the same one.
  if (target?.id === 'drawer-body' && swap !== 'innerMorph') shown = Math.max(shown, number ?? 0);
  else if (target === document.body) shown = ++asked;
  formatTimes();
  showDrawer();
  if (target?.id === 'drawer-body') find('.drawer-body')?.scrollTo(0, 0);
  // Bars that come after the list take no focus from anything.
  if (target?.id !== 'histogram' && document.activeElement === document.body)
    find('#results')?.focus({ preventScroll: true });
});
formatTimes();
showDrawer();
