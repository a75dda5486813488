/**
 * Reads a .dockerignore, by the rules of Docker's documentation ("Build context"): the last pattern that matches a path
 * or a folder above it decides, `!` makes an exception, `*` stops at a slash, and `**` does not.
 */

/** Whether a path of the build context, relative and with slashes, is sent to the build. @throws Error on a pattern that is not understood. */
export function makeContextFilter(text: string): (path: string) => boolean {
  const rules = text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const isException = line.startsWith('!');
      return { isException, pattern: toRegExp(isException ? line.slice(1) : line) };
    });
  return (path) => {
    const parts = path.split('/');
    const above = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    const last = rules.findLast(({ pattern }) => above.some((one) => pattern.test(one)));
    return last === undefined || last.isException;
  };
}

function toRegExp(pattern: string): RegExp {
  if (!/^[\w./*-]+$/.test(pattern) || pattern.startsWith('/')) {
    throw new Error(`.dockerignore: the pattern "${pattern}" is not understood`);
  }
  const source = pattern
    .replace(/\/$/, '')
    .split('/')
    .map((part) => (part === '**' ? '**' : part.replaceAll('.', '\\.').replaceAll(/\*+/g, '[^/]*')))
    .join('/')
    .replaceAll('**/', '(?:.*/)?')
    .replaceAll('/**', '/.*')
    .replace(/^\*\*$/, '.*');
  return new RegExp(`^${source}$`);
}
