/** What the part of the form shows that fills it in. */
import type { SetupView } from '../../views/formViews.ts';
import { formUrl } from '../addresses.ts';
import type { FormInput } from '../fieldViews.ts';
import { findPreset } from '../presets/presets.ts';
import { presetTable } from '../presets/presetTable.ts';
import { fromPaste } from './completeHeaders.ts';

export function makeSetupView({ organization, form, filled }: FormInput): SetupView {
  const preset = findPreset(form.values.preset);
  return {
    formUrl: formUrl(organization, null),
    isOpen: filled !== undefined,
    receivers: presetTable.map(({ id, name }) => ({ id, name })),
    filledFrom: preset?.id ?? (form.values.preset === fromPaste ? fromPaste : ''),
    chosen: preset?.id ?? '',
    about: preset === null ? null : { name: preset.name, text: preset.receiver, source: preset.source },
    title: filled?.title ?? '',
    says: filled?.says ?? [],
  };
}
