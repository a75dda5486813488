/** Mistakes that the endpoint's text shows by itself, before anything is sent. */
import { withoutQuery } from '../addresses.ts';
import { appendLogsPath } from '../paste/pasted.ts';
import { type Remedy, setEndpoint } from './remedy.ts';

interface Mistake {
  readonly pattern: RegExp;
  readonly says: string;
  /** What to use instead; absent: only a person knows. */
  readonly instead?: (...parts: string[]) => string;
  /** It could be sent to, and records would be lost there. */
  readonly losesRecords?: true;
}

const grpc = 'That address is for OTLP over gRPC. Use the OTLP/HTTP port, usually 4318.';

/** The first that matches counts. */
const mistakes: readonly Mistake[] = [
  {
    pattern: /^(?:\$\s*)?(?:curl|wget|https?|xh)\s.*?(https?:\/\/[^\s'"\\]+)/is,
    says: 'This is a whole command. Enter only its URL here, and its headers under Headers.',
    instead: (url) => url,
  },
  {
    // A line of an environment, or of a Collector’s configuration.
    pattern:
      /^(?:(?:export|set)\s+|-\s+)?((?:OTEL_EXPORTER_OTLP_)?(?:LOGS_)?ENDPOINT)\s*[=:]\s*["']?(https?:\/\/[^\s"']+)$/i,
    says: 'This is a whole setting. Enter only the URL here.',
    instead: (name, url) => (/logs/i.test(name) ? url : appendLogsPath(url)),
  },
  {
    pattern: /^https?:\/\/(https?)(?::\/{1,2}|\/\/)(.+)$/i,
    says: 'The scheme is there twice.',
    instead: (scheme, rest) => `${scheme}://${rest}`,
  },
  {
    pattern: /^https?:\/\/[^/?#]*[<>{}$]/i,
    says: 'Put your own value in place of the placeholder.',
  },
  {
    pattern: /^https?:\/\/[0-9a-f]*:[0-9a-f:]*:[0-9a-f:.]*(?:[/?].*)?$/i,
    says: 'Put an IPv6 address in brackets, such as http://[2001:db8::1]:4318.',
  },
  {
    pattern: /^grpc:\/\/([^/?#:@]+|\[[^\]]+\])(?::\d+)?(?:[/?#].*)?$/i,
    says: grpc,
    instead: (host) => `http://${host}:4318`,
  },
  {
    pattern: /^grpcs:\/\/([^/?#:@]+|\[[^\]]+\])(?::\d+)?(?:[/?#].*)?$/i,
    says: grpc,
    instead: (host) => `https://${host}:4318`,
  },
  {
    pattern: /^(?:[a-z][a-z0-9+.-]*:\/\/)?[^/?#\s]*@/i,
    says: 'Remove the user name and password from the URL, and send an Authorization header instead.',
  },
  {
    pattern: /^(?!https?:\/\/)h?t{0,2}ps?(?::\/?|\/\/|;\/\/|:\\\\|:\/\/)([^/\\].*)$/i,
    says: 'The scheme is misspelt.',
    instead: (rest) => `https://${rest}`,
  },
  {
    pattern: /^((?:[a-z0-9-]+\.)*[a-z0-9-]+(?::\d{1,5})?(?:[/?].*)?)$/i,
    says: 'The scheme is missing.',
    instead: (rest) => `${isLocal(rest) ? 'http' : 'https'}://${rest}`,
  },
  {
    pattern: /^(https?:\/\/[^?#]*?)\/(?:v1\/(?:traces|metrics)|v1development\/profiles)\/?(\?.*)?$/i,
    says: 'A receiver of another signal would take the records and lose them. Logs usually go to /v1/logs.',
    instead: (base, query) => `${base}/v1/logs${query}`,
    losesRecords: true,
  },
];

export interface TypedMistake {
  readonly remedy: Remedy;
  readonly losesRecords: boolean;
}

/** null: nothing to see. The text is the viewer's own, but its query may hold a key, which no sentence repeats. */
export function findTypedMistake(endpoint: string): TypedMistake | null {
  for (const { pattern, says, instead, losesRecords = false } of mistakes) {
    const match = pattern.exec(endpoint);
    if (match === null) continue;
    const better = instead?.(...match.slice(1).map((part) => part ?? ''));
    const isUsable = better !== undefined && URL.canParse(better);
    const fix = isUsable ? setEndpoint(better, { shown: withoutQuery(better), typed: endpoint }) : null;
    return { remedy: { says, fix }, losesRecords };
  }
  return null;
}

/** Hosts without a dot are services of the same machine or cluster, which rarely speak TLS. */
function isLocal(rest: string): boolean {
  return !/^[^/:?]*\./.test(rest) || /^127\./.test(rest);
}
