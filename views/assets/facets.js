/* Menus of values: counted when they open, one of "include" and "not" at a time, and what is entered becomes a choice. */
import { find, on } from './dom.js';

const picksOf = (facet) => [...facet.querySelectorAll('input.pick')];
const keyOf = ({ name, value }) => JSON.stringify([name, value]);

/* Scripts make a choice of what is entered, so a form does not send the search itself. */
function takeNames() {
  for (const input of document.querySelectorAll('input[data-exact]')) input.removeAttribute('name');
}
on(
  'toggle',
  ({ target }) => {
    if (target.matches?.('.facet') && target.open)
      htmx.trigger(target.querySelector('.facet-values'), 'open');
  },
  true,
);

/* Captured, so that it comes before what sends the form. */
on(
  'change',
  ({ target }) => {
    if (!target.matches('.facet-option input:checked')) return;
    for (const other of target.closest('.facet-option').querySelectorAll('input'))
      if (other !== target) other.checked = false;
  },
  true,
);

on('keydown', (event) => {
  const { target, key } = event;
  if (key !== 'Enter' || !target.matches?.('input[data-exact]')) return;
  event.preventDefault();
  const value = target.value;
  if (value === '') return;
  const facet = target.closest('.facet');
  const box = boxFor(facet, target.dataset.exact, value);
  target.value = '';
  target.dispatchEvent(new Event('input', { bubbles: true }));
  box.checked = true;
  box.dispatchEvent(new Event('change', { bubbles: true }));
});

function boxFor(facet, name, value) {
  const known = picksOf(facet).find((pick) => pick.name === name && pick.value === value);
  if (known) return known;
  const item = document.createElement('li');
  const label = document.createElement('label');
  const box = document.createElement('input');
  const words = document.createElement('bdi');
  label.className = 'check';
  Object.assign(box, { type: 'checkbox', className: 'pick', name, value });
  words.textContent = value;
  label.append(box, words);
  item.append(label);
  facet.querySelector('[data-entered]').append(item);
  return box;
}

/* What was ticked while the counts were on their way stays as it is. */
let held = new Map();
on('htmx:before:swap', ({ detail: { ctx } }) => {
  const facet = ctx.target?.closest?.('.facet');
  if (facet) held = new Map(picksOf(facet).map((pick) => [keyOf(pick), pick.checked]));
});
on('htmx:after:swap', ({ detail: { ctx } }) => {
  takeNames();
  const facet = ctx.target?.matches?.('.facet-values') && ctx.target.closest('.facet');
  if (!facet) return;
  for (const pick of picksOf(ctx.target)) pick.checked = held.get(keyOf(pick)) ?? pick.checked;
  const listed = new Set(picksOf(ctx.target).map(keyOf));
  for (const entered of facet.querySelectorAll('[data-entered] input'))
    if (listed.has(keyOf(entered))) entered.closest('li').remove();
  find(`#${facet.dataset.facet}`).dispatchEvent(new Event('input', { bubbles: true }));
});
takeNames();
