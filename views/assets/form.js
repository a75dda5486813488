/*
 * What the form of a destination does beyond htmx: it asks before it throws away what was typed, ends a test that runs, hides a value
 * that was pasted as a name, and fills in what a button of a failed test offers.
 */
import { find, on } from './dom.js';

const form = () => find('#export-form');

/* The server marks what it shows as typed and not saved. */
const isTyped = (control) =>
  control.matches('[type=checkbox], [type=radio]')
    ? control.checked !== control.defaultChecked
    : control instanceof HTMLSelectElement
      ? [...control.options].some((option) => option.selected !== option.defaultSelected) &&
        [...control.options].some((option) => option.defaultSelected)
      : control.matches('input:not([type=hidden]), textarea') && control.value !== control.defaultValue;
function isUnsaved() {
  if (!form() || form().dataset.discarded) return false;
  return Boolean(find('#drawer [data-unsaved]')) || [...form().elements].some(isTyped);
}
/* True: there is nothing to lose, or the viewer lets it go. */
function letGo() {
  if (!isUnsaved()) return true;
  const question = isSaving()
    ? 'This is being saved. Leave before the answer comes?'
    : 'Discard what you typed? It is not saved.';
  if (!confirm(question)) return false;
  form().dataset.discarded = 'true';
  return true;
}
function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/* The request that runs: a test, or the form. */
let running = null;
const isSaving = () => running !== null && running.sourceElement === form();
const isTesting = () => Boolean(running && find('#export-busy.htmx-request'));
on('htmx:before:request', ({ detail: { ctx } }) => {
  if (!isOfForm(ctx)) return;
  running = ctx;
  // What is typed now would not be part of it, and would be gone with the answer.
  if (isSaving()) holdFields(true);
});
on('htmx:finally:request', ({ detail: { ctx } }) => {
  // Who let go of what was typed still has it, because what should have taken its place did not come.
  if (ctx.target?.id === 'drawer-body' && form()) delete form().dataset.discarded;
  if (ctx !== running) return;
  running = null;
  holdFields(false);
});
const isOfForm = ({ sourceElement, request }) =>
  request.method === 'POST' && Boolean(sourceElement.closest?.('#export-form'));

/* What has the focus loses it while it is inert. */
let focused = null;
function holdFields(isHeld) {
  if (isHeld) focused = document.activeElement;
  const fields = find('.export-fields');
  if (fields) fields.inert = isHeld;
  if (isHeld || !focused) return;
  if (document.activeElement === document.body) focused.focus();
  focused = null;
}

/* An answer that is no form never takes the place of one: it says above the buttons why nothing was done. */
on('htmx:after:request', ({ detail: { ctx } }) => {
  if (!isOfForm(ctx) || ctx.response.status < 400) return;
  const isForm = ctx.text.includes('id="export-form"');
  const place = ctx.target.id === 'export-test' ? '#export-test' : '#export-alert';
  Object.assign(
    ctx.hx,
    isForm
      ? { retarget: '#drawer-body', reswap: 'innerMorph' }
      : { retarget: place, reswap: 'innerHTML', reselect: '.notice' },
  );
});
function cancelTest() {
  running.sourceElement.dispatchEvent(new CustomEvent('htmx:abort'));
  const note = document.createElement('p');
  note.className = 'muted';
  note.textContent = 'The test was cancelled.';
  find('#export-test').replaceChildren(note);
}

/* Esc ends what is nearest. A second listener is for the back gesture of phones, which has no key. */
on(
  'keydown',
  (event) => {
    if (event.key !== 'Escape' || event.defaultPrevented || !find('#drawer:modal')) return;
    if (isTesting()) {
      cancelTest();
      stop(event);
    } else if (!letGo()) stop(event);
  },
  true,
);
on('cancel', (event) => event.target.id === 'drawer' && !letGo() && stop(event), true);

const leaves = (link, event) =>
  !link.getAttribute('href').startsWith('#') &&
  link.target !== '_blank' &&
  !(event.ctrlKey || event.metaKey || event.shiftKey);
on(
  'click',
  (event) => {
    const { target } = event;
    if (target.closest('[data-cancel-test]')) {
      if (running) cancelTest();
      return;
    }
    fix(target.closest('[data-fix]'));
    const link = target.closest('a[href]');
    if ((target === find('#drawer') || (link && leaves(link, event))) && !letGo()) stop(event);
  },
  true,
);
on('submit', (event) => event.target !== form() && !letGo() && stop(event), true);
/* Before htmx, which replaces the page on Back. */
window.navigation?.addEventListener(
  'navigate',
  (event) => {
    if (event.navigationType === 'traverse' && event.cancelable && !letGo()) stop(event);
  },
  true,
);
window.addEventListener('beforeunload', (event) => isUnsaved() && event.preventDefault());

function fix(button) {
  const input = button && document.getElementById(button.dataset.fix);
  if (!input) return;
  const { fixValue, fixPrefix } = button.dataset;
  const details = input.closest('details');
  if (details) details.open = true;
  if (fixValue !== undefined) input.value = fixValue;
  else if (!input.value.startsWith(fixPrefix)) input.value = fixPrefix + input.value;
  input.dispatchEvent(new Event('change', { bubbles: true }));
}

/* Authorization: Bearer x, as a name: the value moves to its field, where it is not shown. What came last counts. */
function splitHeader({ target }) {
  if (!/^headers\.\d+\.name$/.test(target.name ?? '')) return;
  const [, , name, text] =
    /^(?:-H|--header)?\s*(["']?)([\w!#$%&'*+.^`|~-]+?)\s*[:=]\s*(\S.*?)\1$/s.exec(target.value) ?? [];
  if (name === undefined) return;
  const value = form()?.elements[target.name.replace(/name$/, 'value')];
  if (!value) return;
  target.value = name;
  value.value = text;
}
/* At once where it was pasted. Who types has only begun with the value at its first letter. */
const isByKeys = ({ inputType, data }) =>
  /^(?:insertCompositionText|delete)/.test(inputType ?? '') || data?.length === 1;
on('input', (event) => !isByKeys(event) && splitHeader(event));
on('change', splitHeader);

/* Whoever enters a time to start from means it. */
on('change', ({ target }) => {
  const choice = target.name === 'startTime' && target.value && find('[name=startFrom][value=Time]');
  if (choice) choice.checked = true;
});
