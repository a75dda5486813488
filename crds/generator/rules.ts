/**
 * What the API server checks beyond types, limits and the schema's own patterns, by field. Texts and patterns are those
 * of src/configs/schema, so that a manifest is judged alike wherever it is read.
 *
 * Each takes the expression for the field. `oldSelf` is the value before an update: such a rule holds nothing back when the
 * object is created.
 */
import {
  ENDPOINT_CHECKS,
  type EndpointCheck,
  UNREADABLE_ENDPOINT,
} from '../../src/configs/schema/endpoint.ts';
import {
  FORBIDDEN_HEADER_PROBLEM,
  HEADER_VALUE_PATTERN,
  HEADER_VALUE_RULE,
  NO_VALUE_PROBLEM,
  SPEAKING_HEADER_PROBLEM,
  TWO_VALUES_PROBLEM,
} from '../../src/configs/schema/headers.ts';
import { NO_SUCH_DAY, NO_SUCH_DAY_PROBLEM } from '../../src/configs/schema/startFrom.ts';
import { allowedProxyHeader, requestHeaderNames, speakingHeaderPattern } from '../../src/model/ownHeaders.ts';
import { type CelProblem, type CelRule, firstOf, matches, quote } from './cel.ts';

export const RULES: Readonly<Record<string, (field: string) => CelRule[]>> = {
  'spec.organization': (organization) => [
    {
      rule: `${organization} == oldSelf`,
      message: 'cannot be changed: for another organization make another AuditExportConfig',
    },
  ],
  'spec.endpoint': (endpoint) => [
    firstOf([
      ...ENDPOINT_CHECKS.map((check) => toProblem(check, endpoint)),
      { when: `!isURL(${endpoint})`, problem: UNREADABLE_ENDPOINT },
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
    { rule: `has(${header}.value) || has(${header}.valueFrom)`, message: NO_VALUE_PROBLEM },
    { rule: `!has(${header}.value) || !has(${header}.valueFrom)`, message: TWO_VALUES_PROBLEM },
  ],
  'spec.headers[].name': (name) => [
    {
      rule: `!(${name}.lowerAscii() in [${requestHeaderNames.map((each) => `"${each}"`).join(', ')}])`,
      message: `is a header ${FORBIDDEN_HEADER_PROBLEM}`,
    },
    {
      rule: `${name}.lowerAscii() == "${allowedProxyHeader}" || !${matches(`${name}.lowerAscii().replace("_", "-")`, speakingHeaderPattern)}`,
      message: `is a header ${SPEAKING_HEADER_PROBLEM}`,
    },
  ],
  'spec.headers[].value': (value) => [
    {
      rule: `${matches(value, /[\r\n]/)} || ${matches(value, HEADER_VALUE_PATTERN)}`,
      message: `has a character that cannot be sent: ${HEADER_VALUE_RULE}`,
    },
  ],
  'spec.startFrom': (startFrom) => [
    { rule: `!${matches(startFrom, NO_SUCH_DAY)}`, message: NO_SUCH_DAY_PROBLEM },
    {
      rule: `${startFrom} == oldSelf`,
      message: 'cannot be changed: to begin elsewhere make another AuditExportConfig',
    },
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
