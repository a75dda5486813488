/** Rules of views that no type checker knows. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const directory = new URL('../../views/', import.meta.url);
const views = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) =>
  name.endsWith('.eta'),
);

describe.each(views)('%s', (name) => {
  const view = readFileSync(new URL(name, directory), 'utf8');

  it('prints raw only what was made by rendering', () => {
    const raw = [...view.matchAll(/<%~\s*(.*?)\s*%>/gs)].map((match) => match[1] ?? '');
    const allowed =
      /^(?:(?:include|layout|block|icon|time|ago|marked|markedName|json)\(|it\.(?:body|drawer)$)/;
    expect(raw.filter((expression) => !allowed.test(expression))).toEqual([]);
  });

  it('quotes every attribute that holds a value', () => {
    expect([...view.matchAll(/=<%[=~].*?%>/g)].map(String)).toEqual([]);
  });

  it('needs nothing that the policy forbids', () => {
    expect(view).not.toMatch(/<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|js:|<script(?![^>]*\ssrc=)/i);
    const triggers = [...view.matchAll(/hx-trigger="([^"]*)"/g)].map((match) => match[1] ?? '');
    expect(triggers.filter((trigger) => trigger.includes('['))).toEqual([]);
  });
});
