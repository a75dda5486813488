/** The table that a run prints. */
import { type Figure, meetsGoal } from './figure.ts';

export type Result =
  | { readonly kind: 'measured'; readonly figure: Figure }
  | { readonly kind: 'failed'; readonly name: string; readonly problem: string };

const detailWidth = 100;

/** One line per figure, with its details indented below. */
export function renderTable(results: readonly Result[]): string {
  const rows = results.map((result) =>
    result.kind === 'failed'
      ? { cells: [result.name, '', '', 'failed'], detail: result.problem }
      : { cells: toCells(result.figure), detail: result.figure.detail },
  );
  const head = ['figure', 'measured', 'goal', ''];
  const widths = head.map((title, column) =>
    Math.max(title.length, ...rows.map(({ cells }) => cells[column]?.length ?? 0)),
  );
  const toLine = (cells: readonly string[]) =>
    cells
      .map((cell, column) =>
        column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd();
  return [toLine(head), ...rows.flatMap(({ cells, detail }) => [toLine(cells), ...wrap(detail)])].join('\n');
}

function toCells(figure: Figure): string[] {
  const { ratio, goal } = figure;
  return [
    figure.figure,
    ratio >= 100 ? ratio.toFixed(0) : ratio.toFixed(2),
    goal,
    meetsGoal(figure) ? 'met' : 'missed',
  ];
}

function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + word.length >= detailWidth) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((part) => `    ${part}`);
}
