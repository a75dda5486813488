/** Mistakes in the text of the endpoint. */
import { type Mistake, receive, token, typeTls } from './servers.ts';

export const endpoints: readonly Mistake[] = [
  {
    what: 'no scheme',
    type: async () => ({ endpoint: await receive() }),
    says: /The scheme is missing/,
    button: /^Use http:\/\/127\.0\.0\.1:\d+, without encryption, and test$/,
  },
  {
    what: 'the scheme twice',
    type: () => typeTls((host) => `https://https://${host}`),
    says: /The scheme is there twice/,
    button: /^Use https:\/\/127\.0\.0\.1:\d+ and test$/,
  },
  {
    what: 'http in front of https',
    type: () => typeTls((host) => `http://https://${host}/v1/logs`),
    says: /The scheme is there twice/,
    button: /^Use https:/,
  },
  {
    what: 'one slash',
    type: () => typeTls((host) => `https:/${host}`),
    says: /The scheme is misspelt/,
    button: /^Use https:/,
  },
  {
    what: 'a letter missing in the scheme',
    type: () => typeTls((host) => `htps://${host}`),
    says: /The scheme is misspelt/,
    button: /^Use https:/,
  },
  {
    what: 'a user name and a password in the URL',
    type: () => ({ endpoint: `https://ada:${token}@otel.example.com` }),
    says: /send an Authorization header instead/,
  },
  {
    what: 'an IPv6 address without brackets',
    type: () => ({ endpoint: 'http://2001:db8::1:4318' }),
    says: /Put an IPv6 address in brackets, such as http:\/\/\[2001:db8::1\]:4318/,
  },
  {
    what: 'a port that is none',
    type: () => ({ endpoint: 'https://otel.example.com:43180000' }),
    says: /has a host or port that cannot be read/,
  },
  {
    what: 'the placeholder of a documentation',
    type: () => ({ endpoint: 'https://otlp-gateway-<zone>.grafana.net/otlp' }),
    says: /Put your own value in place of the placeholder/,
  },
  {
    what: 'a fragment',
    type: () => ({ endpoint: 'https://otel.example.com/#/logs' }),
    says: /has a fragment/,
  },
  {
    what: 'a whole curl command',
    type: async () => ({
      endpoint: `curl -X POST 'http://${await receive()}/v1/logs' -H 'Content-Type: application/json' -d '{}'`,
    }),
    says: /This is a whole command\. Enter only its URL here/,
    button: /^Use http:.*\/v1\/logs, without encryption, and test$/,
  },
  {
    what: 'a line of an environment, with a path that SDKs complete',
    type: async () => ({
      endpoint: `export OTEL_EXPORTER_OTLP_ENDPOINT="http://${await receive({ path: '/otlp/v1/logs' })}/otlp"`,
    }),
    says: /This is a whole setting\. Enter only the URL here/,
    button: /^Use http:.*\/otlp\/v1\/logs, without/,
  },
  {
    what: 'a line of a Collector’s configuration',
    type: () => typeTls((host) => `logs_endpoint: https://${host}/v1/logs`),
    says: /This is a whole setting/,
    button: /^Use https:.*\/v1\/logs and test$/,
  },
  {
    what: 'the path of traces',
    type: async () => ({ endpoint: `http://${await receive()}/v1/traces` }),
    says: /A receiver of another signal would take the records and lose them/,
    button: /^Use http:.*\/v1\/logs and test$/,
  },
];
