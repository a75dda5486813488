/**
 * Reads a Dockerfile. Strict on purpose: a test lays out what the file says, so an instruction or a flag that is not
 * understood here must fail it rather than be left out.
 */

export interface Stage {
  readonly name: string | null;
  /** Variables replaced. */
  readonly base: string;
  readonly steps: readonly Step[];
}

/** Only the exec forms of RUN, CMD and ENTRYPOINT: the shell forms would need a shell in the image. */
export type Step =
  | { readonly kind: 'workdir'; readonly path: string }
  | {
      readonly kind: 'copy';
      readonly from: string | null;
      readonly sources: string[];
      readonly target: string;
    }
  | { readonly kind: 'run'; readonly command: string[] }
  | { readonly kind: 'env'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'label'; readonly values: Readonly<Record<string, string>> }
  | { readonly kind: 'user'; readonly uid: number; readonly gid: number }
  | { readonly kind: 'expose'; readonly ports: number[] }
  | { readonly kind: 'entrypoint'; readonly command: string[] }
  | { readonly kind: 'cmd'; readonly command: string[] };

/** @throws Error naming the line, and what is not understood. */
export function parseDockerfile(text: string, args: Readonly<Record<string, string>> = {}): Stage[] {
  const stages: Array<{ name: string | null; base: string; steps: Step[] }> = [];
  /** ARGs from before the first FROM are seen by FROM lines only. */
  const globals: Record<string, string> = {};
  let locals: Record<string, string> = {};
  for (const { line, text: instruction } of instructionsOf(text)) {
    const fail = (why: string): never => {
      throw new Error(`Dockerfile line ${line}: ${why} (${instruction})`);
    };
    const [, word = '', raw = ''] = /^([A-Z]+)\s+(.*)$/.exec(instruction) ?? fail('not an instruction');
    const stage = stages.at(-1);
    const variables = stage === undefined || word === 'FROM' ? globals : locals;
    const rest = raw.replaceAll(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => {
      const name = braced ?? bare ?? '';
      return variables[name] ?? fail(`the variable ${name} is not declared`);
    });
    if (word === 'ARG') {
      const [, name = '', value = ''] = /^(\w+)(?:=(\S*))?$/.exec(rest) ?? fail('not NAME=VALUE');
      variables[name] = args[name] ?? value;
    } else if (word === 'FROM') {
      const [, base = '', name] =
        /^(\S+:\S+)(?: AS ([a-z]+))?$/.exec(rest) ?? fail('not IMAGE:TAG [AS name]');
      stages.push({ name: name ?? null, base, steps: [] });
      locals = {};
    } else if (stage === undefined) {
      fail('comes before the first FROM');
    } else {
      stage.steps.push(parseStep(word, rest, fail));
    }
  }
  return stages;
}

type Fail = (why: string) => never;

function parseStep(word: string, rest: string, fail: Fail): Step {
  switch (word) {
    case 'WORKDIR':
      return /^\/[\w/.-]*$/.test(rest) ? { kind: 'workdir', path: rest } : fail('not an absolute path');
    case 'COPY': {
      const words = rest.split(/\s+/);
      const flags = words.filter((one) => one.startsWith('--'));
      const paths = words.filter((one) => !one.startsWith('--'));
      const from = flags[0]?.startsWith('--from=') ? flags[0].slice('--from='.length) : null;
      if (flags.length > (from === null ? 0 : 1)) fail('no other flag than --from is understood');
      if (paths.some((path) => /[*?["]/.test(path))) fail('wildcards and the JSON form are not understood');
      const target = paths.pop();
      if (target === undefined || paths.length === 0) return fail('lacks a source or a target');
      return { kind: 'copy', from, sources: paths, target };
    }
    case 'RUN':
      return { kind: 'run', command: parseExec(rest, fail) };
    case 'ENV':
      return { kind: 'env', values: parsePairs(rest, fail) };
    case 'LABEL':
      return { kind: 'label', values: parsePairs(rest, fail) };
    case 'USER': {
      const [, uid, gid] = /^(\d+):(\d+)$/.exec(rest) ?? fail('not UID:GID in numbers');
      return { kind: 'user', uid: Number(uid), gid: Number(gid) };
    }
    case 'EXPOSE':
      return /^\d+( \d+)*$/.test(rest)
        ? { kind: 'expose', ports: rest.split(' ').map(Number) }
        : fail('not a list of ports');
    case 'ENTRYPOINT':
      return { kind: 'entrypoint', command: parseExec(rest, fail) };
    case 'CMD':
      return { kind: 'cmd', command: parseExec(rest, fail) };
    default:
      return fail(`the instruction ${word} is not understood`);
  }
}

function parseExec(text: string, fail: Fail): string[] {
  let command: unknown;
  try {
    command = JSON.parse(text);
  } catch {
    fail('not in exec form');
  }
  return Array.isArray(command) && command.length > 0 && command.every((one) => typeof one === 'string')
    ? command
    : fail('not in exec form');
}

function parsePairs(text: string, fail: Fail): Record<string, string> {
  const pair = /([\w.-]+)=(?:"([^"\\]*)"|([^\s"]+))(?:\s+|$)/gy;
  const pairs = [...text.matchAll(pair)];
  if (pairs.map(([whole]) => whole).join('') !== text || pairs.length === 0) fail('not NAME=VALUE');
  return Object.fromEntries(pairs.map(([, name, quoted, bare]) => [name, quoted ?? bare ?? '']));
}

/** Comment lines left out, continued lines joined. */
function instructionsOf(text: string): Array<{ line: number; text: string }> {
  const found: Array<{ line: number; text: string }> = [];
  let open: { line: number; text: string } | null = null;
  for (const [index, line] of text.split('\n').entries()) {
    if (line.trim() === '' || line.trim().startsWith('#')) continue;
    const part = line.trim().replace(/\s*\\$/, '');
    if (open === null) open = { line: index + 1, text: part };
    else open.text += ` ${part}`;
    if (line.trimEnd().endsWith('\\')) continue;
    found.push(open);
    open = null;
  }
  if (open !== null) throw new Error(`Dockerfile line ${open.line}: the last line is continued by nothing`);
  return found;
}
