/** What a pasted configuration says about a destination, whichever form it had. */
import { Secret } from '../../../model/secret.ts';

/** Absent: the text does not say. */
export interface Pasted {
  readonly endpoint?: string;
  /** In their order. A value that the text only refers to, such as `${env:TOKEN}`, is empty. */
  readonly headers: ReadonlyArray<{ readonly name: string; readonly value: Secret }>;
  /** By the names of their inputs. */
  readonly values: Readonly<Partial<Record<PastedField, string>>>;
  /** One sentence for each line that is not taken, or not as it stands. None repeats a value. */
  readonly remarks: readonly string[];
}

export type PastedField =
  | 'compression'
  | 'timeoutSeconds'
  | 'tls.serverName'
  | 'tls.insecureSkipVerify'
  | 'tls.caSecretRef';

/** Gathers it, line by line. */
export class PastedDraft {
  endpoint: string | undefined;
  readonly values: Partial<Record<PastedField, string>> = {};
  readonly #headers = new Map<string, { name: string; value: Secret }>();
  readonly #remarks = new Set<string>();

  say(remark: string): void {
    this.#remarks.add(remark);
  }

  /** The last of a name counts, as in every exporter. */
  setHeader(name: string, value: string): void {
    if (!headerName.test(name))
      this.say('A header whose name has other characters than a header may have was left out.');
    else if (isReference(value)) {
      this.say(`The value of header ${name} is only referred to: enter the value itself.`);
      this.#headers.set(name.toLowerCase(), { name, value: new Secret('') });
    } else this.#headers.set(name.toLowerCase(), { name, value: new Secret(value) });
  }

  /** Below the address of all signals, exporters append the path of logs; that of logs they use as it is. */
  setEndpoint(text: string, of: 'all-signals' | 'logs', setting: string): void {
    if (isReference(text)) {
      this.say(`${setting} is only referred to: enter the URL itself.`);
      return;
    }
    const credentials = /^(https?:\/\/)[^/?#]*@/i;
    if (credentials.test(text)) {
      this.say(
        `The user name and password in ${setting} were left out: send them in an Authorization header.`,
      );
    }
    const url = text.replace(credentials, '$1');
    if (of === 'logs') {
      if (!hasPath(url)) this.say(`${setting} has no path, so /v1/logs is appended here.`);
      this.endpoint = url;
    } else {
      if (endsInLogs.test(url)) this.say(`${setting} ends in /v1/logs already: it was not appended again.`);
      this.endpoint = appendLogsPath(url);
    }
  }

  setCompression(text: string, setting: string): void {
    if (isOneOf(text, ['gzip', 'zstd', 'none'])) this.values.compression = text;
    else if (text === '') this.values.compression = 'none';
    else
      this.say(
        `The compression in ${setting} is not available here: gzip stays, which every receiver takes.`,
      );
  }

  /** Whole seconds from 1 to 300, rounded up. */
  setTimeoutMs(milliseconds: number, setting: string): void {
    const seconds = Math.ceil(milliseconds / 1_000);
    if (seconds >= 1 && seconds <= 300) this.values.timeoutSeconds = String(seconds);
    else this.say(`${setting} is not between 1 and 300 seconds: the timeout stays as it is.`);
  }

  finish(): Pasted {
    const headers = [...this.#headers.values()];
    const { endpoint, values } = this;
    return { ...(endpoint !== undefined && { endpoint }), headers, values, remarks: [...this.#remarks] };
  }
}

/** RFC 9110, section 5.6.2: token. */
const headerName = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/** `${env:TOKEN}`, `$TOKEN`, `$(TOKEN)`, `<token>`, also behind a scheme: somebody else fills it in. */
function isReference(text: string): boolean {
  return /(?:^|\s)(?:\$\{[^}]*\}|\$\([^)]*\)|\$\w+|%\w+%|\{\{.*\}\}|<[^>]*>)\s*$|\$\{[^}]*\}/.test(text);
}

const endsInLogs = /^[^?]*\/v1\/logs\/?(?:\?.*)?$/;

function hasPath(url: string): boolean {
  return !/^https?:\/\/[^/?#]*\/?(?:\?.*)?$/i.test(url);
}

/** The address of logs below that of all signals. Without a path the page appends it itself, and shows the shorter address. */
export function appendLogsPath(base: string): string {
  if (!hasPath(base) || endsInLogs.test(base)) return base;
  const [, place = base, query = ''] = /^([^?]*?)\/?(\?.*)?$/s.exec(base) ?? [];
  return `${place}/v1/logs${query}`;
}

function isOneOf(text: string, choices: readonly string[]): boolean {
  return choices.includes(text);
}
