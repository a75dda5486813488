import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { csvCell, csvHeader, csvRow } from './csv.ts';
import { entryJson } from './entryJson.ts';
import { escapeHtml, markedHtml, markedNameHtml } from './html.ts';
import { describeDocument, parseJsonText } from './json.ts';
import { renderJsonHtml } from './jsonHtml.ts';
import { formatRelative, formatUtc } from './time.ts';

const text = fc.string({ unit: 'grapheme', maxLength: 60 });

/** What a browser shows of HTML made here. */
function textOf(html: string): string {
  return html
    .replace(/<[^>]*>/g, '')
    .replace(
      /&lt;|&gt;|&quot;|&#39;|&amp;/g,
      (entity) => ({ '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" })[entity] ?? '&',
    );
}

describe('marks', () => {
  it('change nothing that is read, whatever is searched for in whatever', () => {
    fc.assert(
      fc.property(
        text,
        fc.array(fc.string({ unit: 'grapheme', minLength: 1 }), { maxLength: 3 }),
        (given, terms) => {
          expect(textOf(markedHtml(given, terms))).toBe(given);
          expect(textOf(markedNameHtml(given, terms))).toBe(given);
        },
      ),
    );
  });

  it('surround every hit in any case, and take no character for a pattern', () => {
    expect(markedHtml('one two onetwo', ['one', 'onetwo'])).toBe('<mark>one</mark> two <mark>onetwo</mark>');
    expect(markedHtml('a.B A.b axb <a.b', ['A.B'])).toBe(
      '<mark>a.B</mark> <mark>A.b</mark> axb &lt;<mark>a.b</mark>',
    );
    for (const search of '\\^$.*+?()[]{}|/-<>&"\'')
      expect(markedHtml(search, [search])).toBe(`<mark>${escapeHtml(search)}</mark>`);
  });
});

describe('a name', () => {
  it('breaks between its words if it is long, in a mark too', () => {
    expect(markedNameHtml('audit_export.settings_viewed', ['s_viewed'])).toBe(
      'audit_<wbr>export.<wbr>setting<mark>s_<wbr>viewed</mark>',
    );
    expect(markedNameHtml('flow.run_failed', [])).toBe('flow.run_failed');
  });
});

describe('JSON as HTML', () => {
  const links = {
    filterUrl: (document: string) => `/?${new URLSearchParams({ has: document })}`,
    maxNodes: 10_000,
  };

  it('shows every document as the text that it is', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 5, stringUnit: 'grapheme' }), (json) => {
        const { html, isCut } = renderJsonHtml(json, links);
        const counts = /<span class="j-count">[^<]*<\/span>/g;
        expect(isCut || textOf(html.replace(counts, '')).replace(/\s/g, '')).toBe(json.replace(/\s/g, ''));
      }),
    );
  });

  it('links each value to a document that says where it is, with numbers as they were written', () => {
    const { html } = renderJsonHtml('{"a": {"b c": [1.50, 12345678901234567890]}}', links);
    const hrefs = [...html.matchAll(/href="\/\?has=([^"]*)"/g)].map((match) =>
      new URLSearchParams(`has=${match[1]}`).get('has'),
    );
    expect(hrefs).toEqual(['{"a": {"b c": [1.50]}}', '{"a": {"b c": [12345678901234567890]}}']);
  });

  it('stops at its size, and says how much is left', () => {
    const { html, isCut } = renderJsonHtml(JSON.stringify(Array.from({ length: 50 }, (_, n) => n)), {
      ...links,
      maxNodes: 11,
    });
    expect(isCut).toBe(true);
    expect(textOf(html)).toContain('… 40 more');
  });

  it('takes depth without a stack', () => {
    const depth = 50_000;
    expect(parseJsonText('['.repeat(depth) + ']'.repeat(depth))).not.toBeNull();
    expect(renderJsonHtml('['.repeat(depth) + ']'.repeat(depth), links).html).toContain('more characters');
  });

  it('takes no broken text for a document', () => {
    for (const broken of ['', '{', '}', '{"a"}x', '{"a": }', '[1] [2]', 'nul', '{1: 2}', '"a']) {
      expect(parseJsonText(broken), broken).toBeNull();
    }
  });
});

describe('the name of a document', () => {
  it.each([
    ['{"request": {"ip": "10.0.0.1"}}', 'request.ip = 10.0.0.1'],
    ['{"tags": ["x"]}', 'tags[] = x'],
    ['{"n": 12345678901234567890}', 'n = 12345678901234567890'],
    ['{"a": 1, "b": 2}', '{"a": 1, "b": 2}'],
    ['{"a": {}}', 'a ∋ {}'],
  ])('of %s is %s', (document, name) => {
    expect(describeDocument(document)).toBe(name);
  });
});

describe('CSV', () => {
  /** RFC 4180, as a reader of it would. */
  function parseCsv(csv: string): string[][] {
    const rows: string[][] = [];
    for (const line of csv.matchAll(
      /((?:"(?:[^"]|"")*"|[^",\r\n]*)(?:,(?:"(?:[^"]|"")*"|[^",\r\n]*))*)\r\n/g,
    )) {
      const cells = [...`,${line[1]}`.matchAll(/,(?:"((?:[^"]|"")*)"|([^",\r\n]*))/g)];
      rows.push(cells.map((cell) => cell[1]?.replaceAll('""', '"') ?? cell[2] ?? ''));
    }
    return rows;
  }
  const entry = {
    id: '1',
    uid: 'u',
    occurredAt: '2026-01-01T00:00:00.000000Z',
    eventType: 'a.b',
    sessionType: 'user',
  };

  const apostrophe = /^'(?=[=+\-@\t\r\n＝＋－＠])|(?<=[;\t\r\n][ \u00a0"]*)'(?=[=+\-@＝＋－＠])/g;

  it('gives back every value that no spreadsheet takes for a formula', () => {
    fc.assert(
      fc.property(text, fc.option(text), fc.json(), (actorId, project, metadata) => {
        // One that a value brings along cannot be told from one that was put there.
        fc.pre([actorId, project ?? '', metadata].every((value) => value.search(apostrophe) < 0));
        const row = csvRow({ ...entry, leftOut: [], actorId, actorName: null, project, metadata });
        const expected = [
          entry.id,
          entry.uid,
          entry.occurredAt,
          'a.b',
          actorId,
          '',
          'user',
          project ?? '',
          metadata,
        ];
        const [cells] = parseCsv(row);
        expect(cells?.slice(0, 9).map((cell) => cell.replace(apostrophe, ''))).toEqual(expected);
      }),
    );
  });

  it('makes text of what would be a formula', () => {
    for (const start of ['=', '+', '-', '@', '\t', '\r']) {
      expect(parseCsv(`${csvCell(`${start}cmd|' /C calc'!A0`)}\r\n`)[0]?.[0]).toMatch(/^'/);
    }
    // What splits elsewhere than at commas.
    for (const separator of [';', '\t', '\r', '\n', '; ', ';"', '\t \u00a0']) {
      for (const start of ['=', '+', '-', '@', '＝']) {
        const cell = csvCell(`a${separator}${start}cmd|' /C calc'!A0`);
        for (const part of cell.split(/[;\t\r\n]/)) expect(part).not.toMatch(/^[\s"]*[=+\-@＝]/);
      }
    }
    expect(csvCell('a;b')).toBe('"a;b"');
    expect(csvHeader).toBe(
      '\uFEFFid,uid,occurred_at,event_type,actor_id,actor_name,session_type,project,metadata,what\r\n',
    );
  });
});

describe('NDJSON', () => {
  it('keeps the metadata as Postgres has it', () => {
    const line = entryJson({
      id: '1',
      uid: 'u',
      occurredAt: 't',
      eventType: 'a',
      actorId: null,
      actorName: 'A "B"',
      sessionType: 'user',
      project: null,
      metadata: '{"n": 12345678901234567890.10}',
      leftOut: [],
    });
    expect(line).toBe(
      '{"id":"1","uid":"u","occurredAt":"t","eventType":"a","actorId":null,"actorName":"A \\"B\\"","sessionType":"user","project":null,"what":"n 12345678901234567890.10","metadata":{"n": 12345678901234567890.10}}',
    );
  });
});

describe('times', () => {
  it.each([
    [3, 'just now'],
    [59, '59 sec ago'],
    [3_599, '59 min ago'],
    [86_399, '23 h ago'],
    [29 * 86_400, '29 d ago'],
    [400 * 86_400, '1 y ago'],
    [-120, 'in 2 min'],
  ])('%i seconds are %s', (seconds, words) => {
    const now = new Date('2026-06-01T12:00:00Z');
    expect(formatRelative(new Date(now.getTime() - seconds * 1_000), now)).toBe(words);
  });

  it('are shown in UTC', () => {
    expect(formatUtc('2026-02-03T14:05:09.123456Z')).toBe('2026-02-03 14:05:09');
  });
});

describe('the beginning of a JSON text', () => {
  const whole = '{"a": [1, -2.50, true, null, "x\\"y"], "b": {"c": "long text", "d": []}, "e": 12345}';

  it('is shown as far as it goes, and holds no value that the whole has not', () => {
    const scalars = (text: string, isCut: boolean): string[] => {
      const found: string[] = [];
      const visit = (node: ReturnType<typeof parseJsonText>): void => {
        if (!node) return;
        if ('members' in node) for (const { value } of node.members) visit(value);
        else if (!node.isCut) found.push(text.slice(node.start, node.end));
      };
      visit(parseJsonText(text, isCut));
      return found;
    };
    const all = scalars(whole, false);
    expect(all).toEqual(['1', '-2.50', 'true', 'null', '"x\\"y"', '"long text"', '12345']);
    for (let length = 1; length < whole.length; length++) {
      const start = whole.slice(0, length);
      expect(parseJsonText(start), start).toBeNull();
      const kept = scalars(start, true);
      expect(kept, start).toEqual(all.slice(0, kept.length));
      const { html, isCut } = renderJsonHtml(start, { filterUrl: () => '/', maxNodes: 100, isCut: true });
      expect(isCut).toBe(true);
      expect(html.match(/<div/g)?.length).toBe(html.match(/<\/div/g)?.length);
    }
  });

  it('shows the beginning of a string that it cuts', () => {
    const { html } = renderJsonHtml(`{"blob": "${'z'.repeat(5_000)}`, {
      filterUrl: () => '/',
      maxNodes: 9,
      isCut: true,
    });
    expect(textOf(html)).toContain(`"blob": "${'z'.repeat(900)}`);
    expect(html).not.toContain('<a ');
  });
});
