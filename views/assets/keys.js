/* Keys: letters move, search and explain unless they are turned off; an open drawer scrolls wherever its focus is. */
import { closeMenus, settings } from './app.js';
import { find, on } from './dom.js';

const showHelp = () => {
  closeMenus();
  find('#help').showModal();
};

/*
 * While an input method composes, its keys are its own: Esc ends what it offers, Enter takes it. Captured, and before all others. Safari
 * says 229 of the key that ends it, when it composes no more.
 */
on(
  'keydown',
  (event) => {
    if (!event.isComposing && event.keyCode !== 229) return;
    event.stopImmediatePropagation();
    if (event.key === 'Escape') event.preventDefault();
  },
  true,
);

/* Where a letter leads: to an element to focus, or to one to click. */
function listActions() {
  const rows = [...document.querySelectorAll('[data-row]')];
  const at = rows.indexOf(document.activeElement);
  const focus = (element) => {
    element?.focus();
    element?.scrollIntoView({ block: 'nearest' });
  };
  return {
    '/': () => focus(find('#q')),
    j: () => focus(rows[at + 1]),
    k: () => focus(rows[Math.max(0, at - 1)]),
    '?': showHelp,
  };
}
const drawerActions = {
  j: () => find('#chevron-down-entry')?.click(),
  k: () => find('#chevron-up-entry')?.click(),
  '?': showHelp,
};

on('keydown', (event) => {
  const isTyping = event.target.closest('input, select, textarea, [contenteditable]');
  if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
  const isDrawer = find('#drawer').matches(':modal');
  if (find('#help').open) return;
  if (isDrawer && scroll(event)) return;
  const actions = isDrawer ? drawerActions : listActions();
  if (settings.get('keys') === 'off' || !Object.hasOwn(actions, event.key)) return;
  event.preventDefault();
  actions[event.key]();
});
on('click', ({ target }) => {
  if (target.closest('[data-help]')) showHelp();
});

const steps = {
  ArrowDown: () => 40,
  ArrowUp: () => -40,
  PageDown: (page) => page,
  PageUp: (page) => -page,
  ' ': (page, isShifted) => (isShifted ? -page : page),
  Home: () => -Infinity,
  End: () => Infinity,
};

/* Focus is often on the title, outside what scrolls. A browser scrolls what has focus, so this leaves that alone. */
function scroll(event) {
  if (!Object.hasOwn(steps, event.key) || event.defaultPrevented) return false;
  if (event.key === ' ' && event.target.closest('button, summary, a[role="button"]')) return false;
  const body = find('.drawer-body');
  const scrolled = body && body.scrollHeight > body.clientHeight ? body : find('#drawer-body');
  const by = steps[event.key](scrolled.clientHeight * 0.9, event.shiftKey);
  if (Number.isFinite(by)) scrolled.scrollBy(0, by);
  else scrolled.scrollTo(0, by < 0 ? 0 : scrolled.scrollHeight);
  event.preventDefault();
  return true;
}
