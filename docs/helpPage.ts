/**
 * Turns a document into a view of the page, since the image carries no documents. It knows what these documents are written in:
 * headings, paragraphs, lists, tables, and bold, code and links in a line.
 *
 * Links to other documents lead nowhere there: their text stays, and a sentence that is only such a link goes.
 */

export function makeHelpView(markdown: string): string {
  const [, ...blocks] = markdown
    .replace(/<!--.*?-->/gs, '')
    .trim()
    .split(/\n{2,}/);
  return `${blocks
    .map(makeBlock)
    .filter((html) => html !== '')
    .join('\n')}\n`;
}

function makeBlock(block: string): string {
  const heading = /^## (.*)$/.exec(block)?.[1];
  if (heading !== undefined) return `<h3>${makeLine(heading)}</h3>`;
  if (block.startsWith('|')) return makeTable(block.split('\n'));
  if (/^\d+\. /.test(block)) return makeList('ol', block.split(/^\d+\. /m));
  if (block.startsWith('- ')) return makeList('ul', block.split(/^- /m));
  const text = makeLine(block);
  return text === '' ? '' : `<p>${text}</p>`;
}

function makeList(tag: string, [, ...items]: readonly string[]): string {
  return `<${tag}>\n${items.map((item) => `<li>${makeLine(item)}</li>`).join('\n')}\n</${tag}>`;
}

function makeTable([head = '', , ...rows]: readonly string[]): string {
  const cells = (row: string) => row.replace(/^\||\|$/g, '').split('|');
  const body = rows.map((row) => {
    const [first = '', ...others] = cells(row).map(makeLine);
    return `<tr><th scope="row">${first}</th>${others.map((cell) => `<td>${cell}</td>`).join('')}</tr>`;
  });
  const columns = cells(head).map((cell) => `<th scope="col">${makeLine(cell)}</th>`);
  return `<table class="table">\n<thead><tr>${columns.join('')}</tr></thead>\n<tbody>\n${body.join('\n')}\n</tbody>\n</table>`;
}

function makeLine(text: string): string {
  return text
    .replace(/(^|[.!?]\s+)\[[^\]]*\]\([^)]*\)\./g, '$1')
    .replace(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim()
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replace(/\*\*(.+?)\*\*/g, '<strong>$1</strong>')
    .replace(/\*(.+?)\*/g, '<em>$1</em>')
    .replace(/`(.+?)`/g, '<code>$1</code>');
}
