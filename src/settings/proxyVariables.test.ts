import { expect, it } from 'vitest';
import { findProxyVariables } from './proxyVariables.ts';

it('finds the variables of a proxy in either case, and none that is empty', () => {
  const env = {
    HTTPS_PROXY: 'http://proxy:3128',
    http_proxy: 'x',
    all_proxy: '',
    NO_PROXY: 'a',
    PATH: '/bin',
  };
  expect(findProxyVariables(env)).toEqual(['HTTPS_PROXY', 'http_proxy']);
});
