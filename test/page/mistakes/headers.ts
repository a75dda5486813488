/** Mistakes in the headers. */
import { header } from '../tryForm.ts';
import { bearer, type Mistake, token, withHeaders } from './servers.ts';

export const headers: readonly Mistake[] = [
  {
    what: 'a token without a scheme',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', token)),
    says: /The value of Authorization has one word\. Usually it is “Bearer TOKEN”/,
    button: /^Put “Bearer” before it and test$/,
  },
  {
    what: 'a wrong token',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', 'Bearer wrong')),
    says: /401.*Correct the header that carries the credentials/,
  },
  {
    what: 'no header at all',
    type: () => withHeaders(`Bearer ${token}`, {}),
    says: /No header is set\./,
  },
  {
    what: 'the scheme as the name',
    type: () => withHeaders(`Bearer ${token}`, header('Bearer', token)),
    says: /A header is named Bearer\. Usually the name is Authorization/,
  },
  {
    what: 'the placeholder of a token',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', 'Bearer YOUR_API_TOKEN')),
    says: /The value of Authorization looks like a placeholder/,
  },
  {
    what: 'a whole header as the name',
    type: () => withHeaders(`Bearer ${token}`, header(`Authorization: Bearer ${token}`, '')),
    says: /The name of header Authorization held its value too/,
    isRepaired: true,
  },
  {
    what: 'a whole header as the value',
    type: () => withHeaders(`Bearer ${token}`, header('', `Authorization: Bearer ${token}`)),
    says: /began with its name, which was moved to the name/,
    isRepaired: true,
  },
  {
    what: 'a colon behind the name',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization:', `Bearer ${token}`)),
    says: /The name of header Authorization ended in a colon/,
    isRepaired: true,
  },
  {
    what: 'the scheme twice',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', `Bearer Bearer ${token}`)),
    says: /had its first word twice/,
    isRepaired: true,
  },
  {
    what: 'its own name before the value',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', `Authorization: Bearer ${token}`)),
    says: /began with its name, which was removed/,
    isRepaired: true,
  },
  {
    what: 'quotes around the value',
    type: () => withHeaders(`Bearer ${token}`, header('Authorization', `'Bearer ${token}'`)),
    says: /was in quotes, which were removed/,
    isRepaired: true,
  },
  {
    what: 'user and password that are not encoded',
    type: () =>
      withHeaders(
        `Basic ${Buffer.from(`ada:${token}`).toString('base64')}`,
        header('Authorization', `Basic ada:${token}`),
      ),
    says: /held a user name and a password as they are\. They are now encoded/,
    isRepaired: true,
  },
  {
    what: 'the headers of an environment',
    type: () =>
      withHeaders(
        `Bearer ${token}`,
        header(`OTEL_EXPORTER_OTLP_HEADERS="x-team=audit,Authorization=Bearer%20${token}"`, ''),
      ),
    says: /The headers of OTEL_EXPORTER_OTLP_HEADERS now have a row each/,
    isRepaired: true,
  },
  {
    what: 'a character that no header can hold',
    type: () => ({ endpoint: 'https://otel.example.com', ...header('X-Token', 'schlüssel') }),
    says: /Value of header 1 has a character that cannot be sent/,
  },
  {
    what: 'a line break in a token',
    type: () => ({ endpoint: 'https://otel.example.com', ...header('X-Token', 'one\ntwo') }),
    says: /Value of header 1 has a line break/,
  },
  {
    what: 'Content-Type',
    type: () => ({ endpoint: 'https://otel.example.com', ...header('Content-Type', 'application/json') }),
    says: /is "Content-Type", which is set by the collector itself: remove this header/,
  },
  {
    what: 'Host',
    type: () => ({ endpoint: 'https://otel.example.com', ...header('Host', 'otel') }),
    says: /is "Host", which is set by the collector itself/,
  },
  {
    what: 'one name twice',
    type: () => ({ endpoint: 'https://otel.example.com', ...bearer, ...header('authorization', 'x', 1) }),
    says: /is "authorization", the name of an earlier header: keep one of them/,
  },
];
