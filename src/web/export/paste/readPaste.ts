/** Reads a configuration that someone pasted into the form, whatever it comes from. */
import { readCollectorBlock } from './collectorBlock.ts';
import { readEnvironment } from './environment.ts';
import { type Pasted, PastedDraft } from './pasted.ts';

/** More than any exporter needs, certificates included, and read in some tens of milliseconds whatever it holds. */
const mostCharacters = 16_384;

/** Never throws. What cannot be taken is said in a sentence that repeats no value. */
export function readPaste(text: string): Pasted {
  if (text.length > mostCharacters)
    return refuse('What you pasted is too long: paste only the exporter, or its settings.');
  return (
    readEnvironment(text) ??
    readCollectorBlock(text) ??
    refuse(
      'Nothing was taken: this is neither an otlphttp exporter of a Collector nor lines of OTEL_EXPORTER_OTLP_… settings.',
    )
  );
}

function refuse(why: string): Pasted {
  const draft = new PastedDraft();
  draft.say(why);
  return draft.finish();
}
