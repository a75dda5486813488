/** `spec.filter`: which of the organization's entries go. */
import { z } from 'zod';
import { field } from './field.ts';

const maxItems = 100;
const maxLength = 256;

function textList(text: { description: string; item: string; expected: string }) {
  const item = field(
    z
      .string()
      .min(1)
      .max(maxLength)
      .regex(/^[^\p{Cc}]+$/u),
    { description: text.item, expected: `text of 1 to ${maxLength} characters on one line` },
  );
  return field(z.array(item).max(maxItems).default([]), {
    description: text.description,
    expected: text.expected,
  });
}

export const filterSchema = field(
  z
    .strictObject({
      eventTypes: textList({
        description: 'Event types that go; empty: all. `*` stands for any characters.',
        item: 'An event type, or a pattern with `*`.',
        expected: `a list of at most ${maxItems} event types, such as ["flow.*"]`,
      }),
      excludeEventTypes: textList({
        description: 'Event types that do not go, whatever eventTypes says. `*` stands for any characters.',
        item: 'An event type, or a pattern with `*`.',
        expected: `a list of at most ${maxItems} event types, such as ["flow.viewed"]`,
      }),
      projects: textList({
        description: 'Projects whose entries go; empty: all, and what belongs to no project.',
        item: 'A project id.',
        expected: `a list of at most ${maxItems} projects, such as ["web"]`,
      }),
    })
    .optional(),
  {
    description: 'Which entries go; absent: all of them. A change begins with the next window.',
    expected: 'a map such as {eventTypes: ["flow.*"]}',
  },
);
