/** Posts the form of a destination as a browser without scripts does, and reads what the page says and offers. */
import type { PageUnderTest } from '../tools/pageUnderTest.ts';

export type Fields = Readonly<Record<string, string>>;

export interface Said {
  readonly status: number;
  readonly text: string;
  readonly html: string;
  /** What the buttons post. */
  readonly fixes: readonly string[];
  readonly labels: readonly string[];
}

export const exportsUrl = '/organizations/acme/audit-logs/export';

export async function tryForm(page: PageUnderTest, fields: Fields, path = '/new/test'): Promise<Said> {
  const response = await fetch(page.origin + exportsUrl + path, {
    method: 'POST',
    headers: { Origin: page.origin },
    body: new URLSearchParams({ maxBatchSize: '5', compression: 'none', timeoutSeconds: '2', ...fields }),
  });
  const html = await response.text();
  const buttons = [...html.matchAll(/<button[^>]* name="fix" value="([^"]*)"[^>]*>([^<]*)</g)];
  return {
    status: response.status,
    html,
    text: toText(html.replace(/<[^>]*>/g, ' ')).replace(/\s+/g, ' '),
    fixes: buttons.map(([, value = '']) => toText(value)),
    labels: buttons.map(([, , label = '']) => toText(label)),
  };
}

function toText(html: string): string {
  return html
    .replaceAll('&quot;', '"')
    .replaceAll('&#39;', "'")
    .replaceAll('&lt;', '<')
    .replaceAll('&gt;', '>')
    .replaceAll('&amp;', '&');
}

export function header(name: string, value: string, index = 0): Fields {
  return { [`headers.${index}.name`]: name, [`headers.${index}.value`]: value };
}
