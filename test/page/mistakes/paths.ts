/** Mistakes about the path. */
import { answer, type Mistake, receive } from './servers.ts';

const login = { status: 200, type: 'text/html', body: '<title>Log in</title>' };

export const paths: readonly Mistake[] = [
  {
    what: 'a path without /v1/logs',
    type: async () => ({ endpoint: `http://${await receive({ path: '/otlp/v1/logs' })}/otlp` }),
    says: /OTLP answers at http:.*\/otlp\/v1\/logs\./,
    button: /\/otlp\/v1\/logs and test$/,
  },
  {
    what: 'a wrong path',
    type: async () => ({ endpoint: `http://${await receive()}/logs` }),
    says: /OTLP answers at http:.*\/v1\/logs\./,
    button: /^Use http:.*\/v1\/logs and test$/,
  },
  {
    what: 'a slash at the end',
    type: async () => ({ endpoint: `http://${await receive()}/v1/logs/` }),
    says: /OTLP answers at http:.*\/v1\/logs\./,
    button: /\/v1\/logs and test$/,
  },
  {
    what: 'the intake for another format, which answers 400',
    type: async () => ({
      endpoint: `http://${await receive({ path: '/otlp/v1/logs', otherwise: { status: 400 } })}/loki/api/v1/push`,
    }),
    says: /OTLP answers at http:.*\/otlp\/v1\/logs\./,
    button: /\/otlp\/v1\/logs and test$/,
  },
  {
    what: 'the address of the receiver’s pages',
    type: async () => ({ endpoint: `http://${await receive({ otherwise: login })}/explore` }),
    says: /OTLP answers at http:.*\/v1\/logs\./,
    button: /\/v1\/logs and test$/,
  },
  {
    what: 'a page that leads to a login',
    type: async () => ({
      endpoint: `http://${await receive({ otherwise: { status: 302, location: '/login' } })}/app`,
    }),
    says: /OTLP answers at http:.*\/v1\/logs\./,
    button: /\/v1\/logs and test$/,
  },
  {
    what: 'pages where no OTLP is',
    type: () => answer(200, '<title>Log in</title>', 'text/html'),
    says: /What answered is not an OTLP receiver.*may be a web page or a login page/,
  },
  {
    what: 'a tenant that does not exist',
    type: () => answer(404, '{"message": "tenant not found"}', 'application/json'),
    says: /404.*tenant not found/,
  },
];
