/**
 * Renders views by name, with the data each takes: templates are untyped, views.ts has their types.
 *
 * `<%= %>` escapes everything; `<%~ %>` is only for `include`, the bodies that a layout gets and the functions below, which a
 * test checks. Every view has
 *   icon('close', 16)   an <svg> of views/assets/icons.svg, hidden from screen readers, so put a word beside it
 *   time(at)            <time> with the exact time, in the reader's choice of zone; time(at, 'utc' | 'local') in that one
 *   ago(at)             <time> with the distance from now
 *   marked(text, terms) the text with <mark> around what was searched for
 *   markedName(…)       the same of a name, which breaks after its dots and underscores
 *   logsUrl(name)       the address of an organization's audit logs
 *   json(text, …)       JSON that folds; see JsonHtmlOptions
 */
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import { escapeHtml, markedHtml, markedNameHtml } from '../format/html.ts';
import { type JsonHtmlOptions, renderJsonHtml } from '../format/jsonHtml.ts';
import { agoElement, timeElement } from '../format/time.ts';
import { logsUrl } from '../urls.ts';
import type { Views } from '../views/views.ts';
import { useAssets } from './assets.ts';

/** The data of the frame around every full page. */
export interface Shell {
  readonly title: string;
  readonly organization: string | null;
  /** Organizations to switch to; null: too many, or not known. */
  readonly organizations: readonly string[] | null;
  readonly viewerName: string | null;
  /** null: there is nothing to sign out of. */
  readonly logoutUrl: string | null;
  /** The drawer's content when the page opens; empty: it is closed. */
  readonly drawer: string;
  /** Where the page moves on to by itself; null: nowhere. */
  readonly moveTo: string | null;
  /** Addresses of assets, by name. */
  readonly assets: Readonly<Record<string, string>>;
}

class ViewEngine extends Eta {
  icon(name: string, size = 16): string {
    const url = `${useAssets().urls['icons.svg']}#${escapeHtml(name)}`;
    return `<svg width="${size}" height="${size}" aria-hidden="true" focusable="false"><use href="${url}"></use></svg>`;
  }

  readonly time = timeElement;
  readonly ago = agoElement;
  readonly marked = markedHtml;
  readonly markedName = markedNameHtml;
  readonly logsUrl = (organization: string): string => logsUrl(organization);

  json(text: string, options: JsonHtmlOptions & { readonly wholeUrl: string | null }): string {
    const { html, isCut } = renderJsonHtml(text, options);
    const whole =
      isCut && options.wholeUrl !== null
        ? `<p class="j-whole"><a class="button" href="${escapeHtml(options.wholeUrl)}" hx-get="${escapeHtml(options.wholeUrl)}" hx-target="#drawer-body">${options.isCut ? 'Show more of it' : 'Show all of it'}</a></p>`
        : '';
    return `${html}${whole}`;
  }
}

const eta = new ViewEngine({
  views: fileURLToPath(new URL('../../../views', import.meta.url)),
  cache: true,
  autoEscape: true,
  autoTrim: false,
  functionHeader: `const ${['icon', 'time', 'ago', 'marked', 'markedName', 'json', 'logsUrl'].map((name) => `${name} = this.${name}.bind(this)`).join(', ')};`,
});

/** Renders a part of a page. */
export function render<K extends keyof Views>(name: K, data: Views[K]): string {
  return eta.render(name, data as object);
}

/** Renders a whole page: the view inside `layout.eta`. */
export function renderPage<K extends keyof Views>(name: K, data: Views[K], shell: Shell): string {
  return eta.render('layout', { ...shell, body: render(name, data) });
}
