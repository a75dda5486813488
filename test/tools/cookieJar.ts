/** A browser without a screen: keeps cookies by origin, and follows redirects when told to. */

export interface JarRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly form?: Readonly<Record<string, string>>;
}

export class CookieJar {
  readonly #cookies = new Map<string, Map<string, string>>();

  /** Of a host with its port, since all hosts of tests are 127.0.0.1. */
  cookies(origin: string): Map<string, string> {
    const found = this.#cookies.get(origin) ?? new Map<string, string>();
    this.#cookies.set(origin, found);
    return found;
  }

  /** Does not follow redirects. */
  async fetch(url: string | URL, { method = 'GET', headers = {}, form }: JarRequest = {}): Promise<Response> {
    const { origin } = new URL(url);
    const cookie = [...this.cookies(origin)].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, {
      method,
      redirect: 'manual',
      headers: { ...(cookie && { cookie }), ...(method === 'POST' && { origin }), ...headers },
      ...(form && { body: new URLSearchParams(form) }),
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = '', ...attributes] = line.split(';');
      const at = pair.indexOf('=');
      const [name, value] = [pair.slice(0, at), pair.slice(at + 1)];
      const isOver = attributes.some((item) => /^ *expires=.*1970/i.test(item)) || value === '';
      if (isOver) this.cookies(origin).delete(name);
      else this.cookies(origin).set(name, value);
    }
    // Read at once: an answer that nobody reads holds its connection, and the server's end.
    const body = await response.arrayBuffer();
    return new Response(body.byteLength === 0 ? null : body, {
      status: response.status,
      headers: response.headers,
    });
  }

  /** Follows redirects, and pages that move on by themselves, 20 at most; returns the last answer and its address. */
  async follow(url: string | URL, request: JarRequest = {}): Promise<{ response: Response; url: URL }> {
    let at = new URL(url);
    let response = await this.fetch(at, request);
    for (let hops = 0; hops < 20; hops += 1) {
      const location = response.headers.get('location') ?? (await findNextOf(response));
      if (location === null) return { response, url: at };
      at = new URL(location, at);
      response = await this.fetch(at);
    }
    throw new Error(`More than 20 redirects, the last to ${at.href}.`);
  }
}

/** Where a page moves on to by itself; null: nowhere. */
async function findNextOf(response: Response): Promise<string | null> {
  const html = await response.clone().text();
  const url = /<meta http-equiv="refresh" content="0;url=([^"]*)">/.exec(html)?.[1];
  return url?.replaceAll('&amp;', '&') ?? null;
}
