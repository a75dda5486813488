/* The bars over the list: arrow keys move along them, Shift or dragging takes several, Enter or letting go shows only that time. */
import { on } from './dom.js';
import { describe, isLocal } from './ranges.js';

const barsOf = (svg) => [...svg.querySelectorAll('a')];
const drawing = (element) => element?.closest?.('[data-bars]');
const barOf = (element) => element?.closest?.('[data-bars] a');

/* The bars that are taken, from the one where it began to the one where it is now; null: none are. */
let taken = null;

const words = ({ dataset: { low, high } }) =>
  isLocal() ? describe({ from: low, to: high }) : `${shown(low)} to ${shown(high)} UTC`;
const shown = (utc) => utc.replace('T', ' ');

/* In the zone that is shown. */
function nameBars() {
  for (const bar of document.querySelectorAll('[data-bars] a'))
    bar.setAttribute('aria-label', `${bar.dataset.words}, ${words(bar)}`);
  for (const link of document.querySelectorAll('.histogram-table a')) link.textContent = words(link);
}

function spanOf(svg) {
  const bars = barsOf(svg);
  const [first, last] = [bars.indexOf(taken.from), bars.indexOf(taken.to)].sort((a, b) => a - b);
  return bars.slice(Math.max(0, first), last + 1);
}

function show(svg) {
  const span = taken ? spanOf(svg) : [];
  for (const bar of barsOf(svg)) bar.classList.toggle('is-taken', span.includes(bar));
  const now = svg.closest('.histogram').querySelector('[data-bar-words]');
  if (span.length > 1) {
    const [first, last] = [span[0], span.at(-1)];
    now.textContent = words({ dataset: { low: first.dataset.low, high: last.dataset.high } });
  } else {
    const bar =
      svg.querySelector('a:hover') ?? (barOf(document.activeElement) ? document.activeElement : null);
    now.textContent = bar ? bar.getAttribute('aria-label') : now.dataset.barWords;
  }
}

/* htmx derives the header from the source, which has another target. */
const headers = { 'HX-Target': 'main#main' };
function open(address) {
  htmx.ajax('GET', address, { source: '#histogram', target: '#main', swap: 'innerHTML', headers });
}

/* The address of a bar, up to the end of another. */
function addressOf(span) {
  const url = new URL(span[0].getAttribute('href'), location.href);
  url.searchParams.set('to', span.at(-1).dataset.high);
  url.searchParams.sort();
  return url.pathname + url.search;
}

function zoom(svg) {
  const span = spanOf(svg);
  taken = null;
  if (span.length > 0) open(addressOf(span));
}

const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
on('keydown', (event) => {
  const bar = barOf(event.target);
  if (!bar || event.ctrlKey || event.metaKey || event.altKey) return;
  const svg = drawing(bar);
  if (event.key === 'Escape' && taken) {
    taken = null;
    event.preventDefault();
    show(svg);
  } else if (event.key === 'Enter' && taken) {
    event.preventDefault();
    zoom(svg);
  } else if (Object.hasOwn(moves, event.key)) {
    event.preventDefault();
    const bars = barsOf(svg);
    const at = Math.min(bars.length - 1, Math.max(0, bars.indexOf(bar) + moves[event.key]));
    taken = event.shiftKey ? { from: taken?.from ?? bar, to: bars[at] } : null;
    bars[at].focus();
    show(svg);
  }
});
on('focusin', ({ target }) => {
  const svg = drawing(target);
  if (!svg) return;
  for (const bar of barsOf(svg)) bar.setAttribute('tabindex', bar === target ? '0' : '-1');
  show(svg);
});
on('focusout', ({ target, relatedTarget }) => {
  const svg = drawing(target);
  if (!svg || drawing(relatedTarget) === svg) return;
  if (!drag) taken = null;
  show(svg);
});

/*
 * Dragging, by a mouse or one finger. A press and a release on one bar are a click on its link. Where a finger turns out to scroll or
 * to zoom, the browser cancels.
 */
let drag = null;
on('pointerdown', (event) => {
  const bar = barOf(event.target);
  if (!bar || event.button !== 0 || !event.isPrimary) return;
  drag = { svg: drawing(bar), from: bar, pointer: event.pointerId };
});
on('pointermove', (event) => {
  const svg = drag?.svg ?? drawing(event.target);
  if (!svg) return;
  if (drag?.pointer === event.pointerId) {
    const bar = barAt(svg, event.clientX);
    if (taken || bar !== drag.from) taken = { from: drag.from, to: bar };
  }
  show(svg);
});
on('pointerup', ({ pointerId }) => {
  if (drag?.pointer !== pointerId) return;
  const { svg } = drag;
  drag = null;
  if (svg.isConnected && taken) zoom(svg);
});
on('pointercancel', ({ pointerId }) => {
  if (drag?.pointer !== pointerId) return;
  const { svg } = drag;
  drag = null;
  taken = null;
  if (svg.isConnected) show(svg);
});
on('pointerout', ({ target, relatedTarget }) => {
  const svg = drawing(target);
  if (svg && drawing(relatedTarget) !== svg && !drag) show(svg);
});
on('dragstart', (event) => drawing(event.target) && event.preventDefault());

function barAt(svg, x) {
  const bars = barsOf(svg);
  const { left, width } = svg.getBoundingClientRect();
  const at = Math.floor(((x - left) / width) * bars.length);
  return bars[Math.min(bars.length - 1, Math.max(0, at))];
}

on('click', (event) => {
  const link = barOf(event.target) ?? event.target.closest?.('.histogram-table a');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  open(link.getAttribute('href'));
});
on('htmx:after:swap', nameBars);
on('change', ({ target }) => {
  if (target.dataset.setting === 'local') nameBars();
});
nameBars();
