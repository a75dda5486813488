/* What the list does beyond htmx: narrowing long menus, downloads that say how far they are; the rest is in modules of its own. */
import { closeMenus } from './app.js';
import { find, on } from './dom.js';
import './facets.js';
import './histogram.js';
import './keys.js';
import './ranges.js';
import './rows.js';
import { fetchOwn } from './session.js';
import './stale.js';

on('input', ({ target }) => {
  if (target.dataset.checks) find(target.dataset.checks).checked = true;
  const list = target.dataset.narrow && find(target.dataset.narrow);
  if (!list) return;
  const wanted = target.value.trim().toLowerCase();
  for (const item of list.querySelectorAll('li'))
    item.hidden = !item.textContent.toLowerCase().includes(wanted);
  for (const group of list.querySelectorAll('fieldset'))
    group.hidden = !group.querySelector('li:not([hidden])');
});

/* Downloads: saved only when complete. Without JavaScript the same links are the browser's own downloads. */
let download = null;
on('click', async (event) => {
  const link = event.target.closest('a[data-download]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  closeMenus();
  if (download) return;
  download = new AbortController();
  const panel = find('#progress');
  const say = (words) => (panel.firstElementChild.textContent = words);
  panel.lastElementChild.textContent = 'Cancel';
  say('Preparing …');
  panel.showPopover();
  try {
    const response = await fetchOwn(link.href, { signal: download.signal });
    const parts = await readParts(response, (rows, bytes) =>
      say(`${rows.toLocaleString('en')} entries, ${formatBytes(bytes)}`),
    );
    const saved = document.createElement('a');
    saved.href = URL.createObjectURL(new Blob(parts.list));
    saved.download = nameOf(response);
    saved.click();
    setTimeout(() => URL.revokeObjectURL(saved.href), 60_000);
    say(`Downloaded ${parts.rows.toLocaleString('en')} entries, ${formatBytes(parts.bytes)}.`);
  } catch (error) {
    if (download.signal.aborted) say('Download cancelled; nothing was saved.');
    else
      say(
        `The download failed; nothing was saved. ${error instanceof TypeError ? 'Try again.' : error.message}`,
      );
  }
  download = null;
  panel.lastElementChild.textContent = 'Close';
});
on('click', ({ target }) => {
  if (!target.closest('[data-cancel]')) return;
  if (download) download.abort();
  else find('#progress').hidePopover();
});

const nameOf = (response) =>
  decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(response.headers.get('content-disposition'))[1]);

/* Rows end at a line feed outside quotes; JSON has no line feed inside its strings. */
async function readParts(response, report) {
  const parts = {
    list: [],
    rows: response.headers.get('content-type').startsWith('text/csv') ? -1 : 0,
    bytes: 0,
  };
  const isCsv = parts.rows < 0;
  let isQuoted = false;
  for (const reader = response.body.getReader(); ; ) {
    const { done, value } = await reader.read();
    if (done) return parts;
    for (const byte of value) {
      if (isCsv && byte === 34) isQuoted = !isQuoted;
      else if (byte === 10 && !isQuoted) parts.rows++;
    }
    parts.list.push(value);
    parts.bytes += value.length;
    report(Math.max(0, parts.rows), parts.bytes);
  }
}
function formatBytes(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1e3)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}
