/** The buttons that fill in the form of a new destination. Nothing is saved or sent. */
import { isFragmentRequest } from '../../reply/reply.ts';
import type { Visit } from '../../visit.ts';
import type { ExportForm } from '../exportForm.ts';
import { readPaste } from '../paste/readPaste.ts';
import { findPreset } from '../presets/presets.ts';
import { sayWhatIsGone, sendForm } from '../sendForm.ts';
import { type FilledForm, fillFromPaste, fillFromPreset } from './filled.ts';

const buttons = ['fill-preset', 'fill-paste'] as const;
type Button = (typeof buttons)[number];

export function isFilling(button: string): button is Button {
  return (buttons as readonly string[]).includes(button);
}

/** Header values that were typed or pasted stay in the browser, if a script kept the page; else they are asked for again. */
export async function fillForm(visit: Visit, form: ExportForm, button: Button): Promise<void> {
  const { body } = visit.request;
  const filled =
    button === 'fill-preset'
      ? fillChosen(form, body?.receiver)
      : fillFromPaste(form, readPaste(String(body?.paste ?? '')));
  const isWhole = !isFragmentRequest(visit.request);
  const notices = isWhole ? sayWhatIsGone(filled.form) : [];
  await sendForm(visit, null, filled.form, { notices, filled: filled.filled });
}

function fillChosen(form: ExportForm, posted: unknown): FilledForm {
  const preset = findPreset(String(posted ?? ''));
  if (preset !== null) return fillFromPreset(form, preset);
  return { form, filled: { title: 'Choose a receiver first.', says: [] } };
}
