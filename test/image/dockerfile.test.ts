import { describe, expect, test } from 'vitest';
import { parseDockerfile } from './dockerfile.ts';
import { makeContextFilter } from './dockerignore.ts';

/** As it stands in a Dockerfile; written out, it would look like a template of this language. */
const braced = (name: string) => `$\{${name}}`;

describe('the reader of Dockerfiles', () => {
  test('reads stages, variables, continued lines and exec forms', () => {
    const text = [
      '# first',
      'ARG TAG=1.2',
      `FROM base:${braced('TAG')} AS one`,
      'RUN ["npm", "ci"]',
      'FROM base:$TAG',
      'ARG VERSION=3',
      'LABEL a.b="x y" \\',
      `      c="${braced('VERSION')}"`,
      'COPY --from=one /a /b ./',
      'USER 7:8',
    ].join('\n');
    expect(parseDockerfile(text, { VERSION: '4' })).toEqual([
      { name: 'one', base: 'base:1.2', steps: [{ kind: 'run', command: ['npm', 'ci'] }] },
      {
        name: null,
        base: 'base:1.2',
        steps: [
          { kind: 'label', values: { 'a.b': 'x y', c: '4' } },
          { kind: 'copy', from: 'one', sources: ['/a', '/b'], target: './' },
          { kind: 'user', uid: 7, gid: 8 },
        ],
      },
    ]);
  });

  test.each([
    ['RUN npm ci', 'not in exec form'],
    ['CMD node cmd/collector.ts', 'not in exec form'],
    ['USER node', 'not UID:GID'],
    ['COPY --chown=1:1 a b', 'no other flag'],
    ['COPY *.ts ./', 'wildcards'],
    ['VOLUME /data', 'VOLUME is not understood'],
    [`ENV A=${braced('NOWHERE')}`, 'NOWHERE is not declared'],
    ['FROM node', 'not IMAGE:TAG'],
    ['LABEL a', 'not NAME=VALUE'],
    ['EXPOSE 8080/tcp', 'not a list of ports'],
    ['RUN ["a"] \\', 'continued by nothing'],
  ])('fails at %s, and names the line', (instruction, why) => {
    expect(() => parseDockerfile(`FROM base:1\n${instruction}`)).toThrow(why);
    expect(() => parseDockerfile(`FROM base:1\n${instruction}`)).toThrow('line 2');
  });
});

describe('the reader of .dockerignore', () => {
  test('lets the last pattern that matches a path, or a folder above it, decide', () => {
    const isSent = makeContextFilter('*\n!package.json\n!cmd/*.ts\n!src\n**/*.test.ts');
    const paths = [
      'package.json',
      'cmd/collector.ts',
      'src/a/b.ts',
      'cmd/demo/receiver.ts',
      'src/a/b.test.ts',
      'test/a.ts',
      'notpackage.json',
    ];
    expect(paths.filter(isSent)).toEqual(['package.json', 'cmd/collector.ts', 'src/a/b.ts']);
  });

  test('fails at a pattern it does not understand', () => {
    expect(() => makeContextFilter('[a-z]?')).toThrow('[a-z]?');
  });
});
