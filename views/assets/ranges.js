/* Custom ranges: typed and shown in the zone of the times in the list, sent in UTC. Without this all of it is UTC. */
import { settings } from './app.js';
import { find, on } from './dom.js';

export const isLocal = () => settings.get('local') === 'on';

/* Texts such as 2026-02-03T14:05, as long as they were given. */
function toLocal(utc) {
  const date = new Date(`${utc}Z`);
  return new Date(date - date.getTimezoneOffset() * 60_000).toISOString().slice(0, utc.length);
}
const toUtc = (local) => new Date(local).toISOString().slice(0, local.length);

function zoneOf(date) {
  if (!isLocal()) return 'UTC';
  const parts = new Intl.DateTimeFormat('en', { timeZoneName: 'short' }).formatToParts(date);
  return parts.find(({ type }) => type === 'timeZoneName').value;
}

/* Summer time may begin or end in between. */
export function describe({ from, to }) {
  const shown = (utc) => toLocal(utc).replace('T', ' ');
  const zone = (utc) => zoneOf(new Date(`${utc}Z`));
  if (!from) return `Before ${shown(to)} ${zone(to)}`;
  if (!to) return `Since ${shown(from)} ${zone(from)}`;
  const first = zone(from) === zone(to) ? shown(from) : `${shown(from)} ${zone(from)}`;
  return `${first} to ${shown(to)} ${zone(to)}`;
}

/* The exact time stands in the hidden input before the visible one, which then has no name: a form sends it once. */
function showRanges() {
  for (const input of document.querySelectorAll('input[data-utc]')) {
    const { utc } = input.dataset;
    input.removeAttribute('name');
    input.value = utc && isLocal() ? toLocal(utc) : utc;
  }
  const typed = find('#from')?.dataset.utc || find('#to')?.dataset.utc;
  for (const element of document.querySelectorAll('[data-zone-name]'))
    element.textContent = zoneOf(typed ? new Date(`${typed}Z`) : new Date());
  for (const chip of document.querySelectorAll('[data-from]')) {
    chip.dataset.words ??= chip.textContent;
    chip.textContent = isLocal() ? describe(chip.dataset) : chip.dataset.words;
  }
}

/* Captured, so that it comes before what sends the form. */
on(
  'change',
  ({ target }) => {
    if (target.dataset.utc === undefined) return;
    const isTime = target.value !== '' && isLocal();
    target.dataset.utc = isTime ? toUtc(target.value) : target.value;
    target.previousElementSibling.value = target.dataset.utc;
  },
  true,
);
on('htmx:after:swap', showRanges);
/* After app.js, which keeps the choice. */
on('change', ({ target }) => {
  if (target.dataset.setting === 'local') showRanges();
  if (target.name === 'range' && target.value === 'custom' && target.checked) find('#from')?.focus();
});
showRanges();
