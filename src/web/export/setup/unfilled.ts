/** What a preset left open and nobody filled in: such a destination is neither tested nor saved. */
import type { FieldProblem } from '../../../configs/configEditor.ts';
import { type ExportForm, filledHeaders } from '../exportForm.ts';
import { findPreset, findPresetHeader } from '../presets/presets.ts';

/** Empty: nothing is open, or the form was not filled from a preset. */
export function findUnfilled(form: ExportForm): FieldProblem[] {
  const preset = findPreset(form.values.preset);
  if (preset === null) return [];
  const open = [...form.values.endpoint.matchAll(/<([^<>]+)>/g)].map(([part, name = '']) => {
    const what = preset.parts[name] ?? 'your own value';
    return { path: 'endpoint', complaint: `still has ${part} in it: replace it by ${what}` };
  });
  const empty = filledHeaders(form).flatMap(({ name, value }, index) => {
    const header = findPresetHeader(preset.id, name);
    if (header === null || header.value !== undefined || value.reveal() !== '') return [];
    return [
      { path: `headers.${index}.value`, complaint: `is empty: enter the ${header.enter} of ${preset.name}` },
    ];
  });
  return [...open, ...empty];
}
