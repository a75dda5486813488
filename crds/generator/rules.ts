/**
 * What the API server checks beyond types, limits and the schema's own patterns, by field. Texts and patterns are those
 * of src/configs/schema, so that a manifest is judged alike wherever it is read.
 *
 * Each takes the expression for the field. `oldSelf` is the value before an update: such a rule holds nothing back when the
 * object is created.
 */
import { type EndpointCheck, endpointChecks, unreadableEndpoint } from '../../src/configs/schema/endpoint.ts';
import {
  forbiddenHeaderProblem,
  headerValuePattern,
  headerValueRule,
  noValueProblem,
  speakingHeaderProblem,
  twoValuesProblem,
} from '../../src/configs/schema/headers.ts';
import { noSuchDay, noSuchDayProblem, setOnceProblem } from '../../src/configs/schema/startFrom.ts';
import { allowedProxyHeader, requestHeaderNames, speakingHeaderPattern } from '../../src/model/ownHeaders.ts';
import { type CelProblem, type CelRule, firstOf, matches, quote } from './cel.ts';

export const celRules: Readonly<Record<string, (field: string) => CelRule[]>> = {
  'spec.organization': (organization) => [
    {
      rule: `${organization} == oldSelf`,
      message: 'cannot be changed: for another organization make another AuditExportConfig',
    },
  ],
  'spec.endpoint': (endpoint) => [
    firstOf([
      ...endpointChecks.map((check) => toProblem(check, endpoint)),
      { when: `!isURL(${endpoint})`, problem: unreadableEndpoint },
    ]),
  ],
  'spec.headers': (headers) => [
    {
      // The list's key compares exactly; to HTTP, names are equal whatever their case.
      rule: `${headers}.all(a, !${headers}.exists(b, b.name != a.name && b.name.lowerAscii() == a.name.lowerAscii()))`,
      message: 'has a header twice, in upper and lower case: keep one of them',
    },
  ],
  'spec.headers[]': (header) => [
    { rule: `has(${header}.value) || has(${header}.valueFrom)`, message: noValueProblem },
    { rule: `!has(${header}.value) || !has(${header}.valueFrom)`, message: twoValuesProblem },
  ],
  'spec.headers[].name': (name) => [
    {
      rule: `!(${name}.lowerAscii() in [${requestHeaderNames.map((each) => `"${each}"`).join(', ')}])`,
      message: `is a header ${forbiddenHeaderProblem}`,
    },
    {
      rule: `${name}.lowerAscii() == "${allowedProxyHeader}" || !${matches(`${name}.lowerAscii().replace("_", "-")`, speakingHeaderPattern)}`,
      message: `is a header ${speakingHeaderProblem}`,
    },
  ],
  'spec.headers[].value': (value) => [
    {
      rule: `${matches(value, /[\r\n]/)} || ${matches(value, headerValuePattern)}`,
      message: `has a character that cannot be sent: ${headerValueRule}`,
    },
  ],
  'spec.startFrom': (startFrom) => [
    { rule: `!${matches(startFrom, noSuchDay)}`, message: noSuchDayProblem },
    { rule: `${startFrom} == oldSelf`, message: setOnceProblem },
  ],
};

/**
 * The API server repeats the value of the field that a rule stands with, also into the log of a pipeline. These may hold
 * credentials, be it by mistake: their rules stand with the map around them, whose value is not repeated.
 */
export function mayHoldCredentials(path: string): boolean {
  return path === 'spec.endpoint' || path.startsWith('spec.headers[].');
}

function toProblem(check: EndpointCheck, endpoint: string): CelProblem {
  const { refuse, unless, require, problem, showsValue } = check;
  const problemExpression = `"is \\"" + ${endpoint}.split("?")[0] + ${quote(`": ${problem}`)}`;
  const said = { problem, ...(showsValue && { problemExpression }) };
  if (require !== undefined) return { ...said, when: `!${matches(endpoint, require)}` };
  if (refuse === undefined) throw new Error(`the check "${problem}" checks nothing`);
  const refused = matches(endpoint, refuse);
  return { ...said, when: unless === undefined ? refused : `(${refused} && !${matches(endpoint, unless)})` };
}
