/** Leads each problem to the input that it is about, and begins its sentence with the label of that input. */
import type { FieldProblem } from '../../configs/configEditor.ts';
import { complain } from '../../configs/problems/problem.ts';
import type { ProblemLink } from '../views/exportViews.ts';
import { type ExportForm, filledHeaders } from './exportForm.ts';
import { idOf, labelOfHeader, labels } from './fieldViews.ts';

export function placeProblems(
  problems: readonly FieldProblem[],
  form: ExportForm,
): { byName: Map<string, string>; links: ProblemLink[] } {
  const byName = new Map<string, string>();
  const links: ProblemLink[] = [];
  for (const problem of problems) {
    const { name, label } = findInput(problem, form);
    const message = isTimeMissing(problem, form) ? missingTime : complain(label, problem.complaint);
    if (name !== null && !byName.has(name)) byName.set(name, message);
    links.push({ href: name === null ? null : `#${idOf(name)}`, message });
  }
  return { byName, links };
}

const missingTime = 'Enter the time to start from, or choose Now or the beginning.';

function isTimeMissing({ path }: FieldProblem, { values }: ExportForm): boolean {
  return path === 'startFrom' && values.startFrom === 'Time' && values.startTime === '';
}

/** `name` null: the problem is about no input. */
function findInput({ path }: FieldProblem, form: ExportForm): { name: string | null; label: string } {
  const [, index, part] = /^headers\.(\d+)\.(name|value)$/.exec(path) ?? [];
  const row = index === undefined ? undefined : filledHeaders(form)[Number(index)];
  if (row !== undefined) {
    const number = form.headers.indexOf(row) + 1;
    return {
      name: `headers.${row.index}.${part}`,
      label: labelOfHeader(part === 'name' ? part : 'value', number),
    };
  }
  if (path === 'startFrom' && form.values.startFrom === 'Time') {
    return { name: 'startTime', label: labels.get('startTime') ?? '' };
  }
  const known = [...labels.keys()].filter((name) => path === name || path.startsWith(`${name}.`));
  const [name] = known.sort((a, b) => b.length - a.length);
  if (name === undefined) return { name: null, label: path || 'This destination' };
  const label = labels.get(name) ?? name;
  const item = /^\d+$/.exec(path.slice(name.length + 1))?.[0];
  return { name, label: item === undefined ? label : `Item ${Number(item) + 1} of “${label}”` };
}
