/*
 * Rows: all of a row opens its entry, unless somebody selects text in it; more rows take the focus of what loaded them. In an open entry,
 * too, the end of a selection is no click.
 */
import { on } from './dom.js';

const rowOf = (element) => element.closest('.entry, .excerpt');
const selectable = '.json, .facts, .changes';

function isSelecting(row) {
  const selection = getSelection();
  return !selection.isCollapsed && selection.containsNode(row, true);
}

/* Browsers start no selection in a link, so while the button is down it is none. */
let pressed = null;
function release() {
  if (pressed) pressed.link.setAttribute('href', pressed.href);
  pressed = null;
}
on(
  'mousedown',
  ({ target, button }) => {
    release();
    const link = button === 0 && target.closest('.entry a[href], .json a[href], .facts a[href]');
    if (!link) return;
    pressed = { link, href: link.getAttribute('href') };
    link.removeAttribute('href');
  },
  true,
);
for (const end of ['mouseup', 'dragend', 'keydown']) on(end, release, true);
addEventListener('blur', release);

/* Captured, so that a link does not open at the end of a selection. Enter has no detail. */
on(
  'click',
  (event) => {
    const row = rowOf(event.target);
    const area = row ?? event.target.closest(selectable);
    if (!area || event.detail === 0) return;
    if (isSelecting(area)) {
      event.preventDefault();
      event.stopPropagation();
      return;
    }
    if (!row) return;
    if (event.target.closest('a, button')) return;
    const link = (row.matches('.entry') ? row : row.previousElementSibling)?.querySelector('[data-row]');
    const { ctrlKey, metaKey, shiftKey } = event;
    link?.dispatchEvent(
      new MouseEvent('click', { bubbles: true, cancelable: true, ctrlKey, metaKey, shiftKey }),
    );
  },
  true,
);

/* "Load older" goes away with its focus. */
let chosen = null;
on('htmx:before:request', ({ detail: { ctx } }) => {
  const { sourceElement } = ctx;
  if (sourceElement.matches('#more a') && document.activeElement === sourceElement)
    chosen = { ctx, last: [...document.querySelectorAll('[data-row]')].at(-1) };
});
on('htmx:after:swap', ({ detail }) => {
  if (chosen?.ctx !== detail.ctx) return;
  const rows = [...document.querySelectorAll('[data-row]')];
  const first = rows[rows.indexOf(chosen.last) + 1] ?? document.querySelector('#more a') ?? chosen.last;
  chosen = null;
  first?.focus();
});
