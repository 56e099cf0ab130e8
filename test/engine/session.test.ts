/** What running lines gives: order, statuses, JSON, carets, interruption, files. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it, test } from 'vitest';
import { complete } from '../../src/core/command/complete.ts';
import { textOf } from '../../src/core/output/line.ts';
import type { Output, RunMode } from '../../src/engine/protocol.ts';
import { Session } from '../../src/engine/session.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { NOT_RECORDING } from '../support/fake-session.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-session-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function open(options: { cancelled?: () => boolean; interrupted?: () => boolean; statements?: number[] } = {}) {
  const fake = new FakeKernel();
  const notices: string[] = [];
  const { cancelled = () => false, interrupted, statements } = options;
  const kernel = fake.kernel({ cancelled, notice: (text: string) => notices.push(text) });
  const session = new Session({
    kernel,
    recorder: NOT_RECORDING,
    pid: 1,
    cancelled,
    ...(interrupted === undefined ? {} : { interrupted }),
    ...(statements === undefined ? {} : { onStatement: (number) => void statements.push(number) }),
    notices,
    failures: [],
    replay: undefined,
  });
  const outputs = (line: string, mode: Partial<RunMode> = {}): Output[] => [
    ...session.execute(line, { json: false, rc: false, ...mode }),
  ];
  const answers = (line: string): Record<string, unknown>[] =>
    outputs(line, { json: true }).flatMap((each) => (each.kind === 'json' ? [JSON.parse(each.line)] : []));
  const errors = (line: string, mode: Partial<RunMode> = {}): (readonly string[])[] =>
    outputs(line, mode).flatMap((each) => (each.kind === 'error' ? [each.lines] : []));
  const shown = (line: string): string[] =>
    outputs(line).flatMap((each) => (each.kind === 'lines' ? each.lines.map(textOf) : []));
  return { session, outputs, answers, errors, shown };
}

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('statements', () => {
  it('runs what follows a failure', () => {
    const { answers } = open();
    expect(
      answers('eval 1; nosuch; eval 2 +; eval "x; eval 3').map(({ command, status }) => [command, status]),
    ).toEqual([
      ['eval 1', 0],
      ['nosuch', 1],
      ['eval 2 +', 2],
      ['eval "x; eval 3', 2],
    ]);
  });

  it('answers in JSON with the command, its status, rows, notices and error', () => {
    const [answer] = open().answers('eval 0x10');
    expect(answer).toEqual({ command: 'eval 0x10', status: 0, rows: [{ value: '0x10' }], notices: [] });
    const [wrong] = open().answers('ascii zz');
    expect(wrong).toMatchObject({ status: 2, rows: [], error: expect.stringContaining('"zz" is not a hex word') });
  });

  it('lets a statement use the alias that one before it made', () => {
    const { answers } = open();
    expect(answers('alias both "eval 1; eval 2"; both').map(({ command }) => command)).toEqual([
      'alias both "eval 1; eval 2"',
      'eval 1',
      'eval 2',
    ]);
  });

  it('numbers statements, so that a late stop hits no other', () => {
    const statements: number[] = [];
    const { outputs } = open({ statements });
    const begun = outputs('eval 1; eval 2').flatMap((each) => (each.kind === 'begin' ? [each.statement] : []));
    expect(begun).toEqual([1, 2]);
    expect(statements).toEqual(begun);
  });

  it('remembers lines as they were typed, once', () => {
    const { outputs, answers } = open();
    outputs('eval 1; eval 2');
    outputs('h');
    expect(answers('history')[0]).toMatchObject({
      rows: [
        { number: 1, line: 'eval 1; eval 2' },
        { number: 2, line: 'h' },
        { number: 3, line: 'history' },
      ],
    });
  });

  it('ends at exit, with its status or none', () => {
    const exits = (line: string) =>
      open()
        .outputs(line)
        .filter((each) => each.kind === 'exit');
    expect(exits('exit; eval 1')).toEqual([{ kind: 'exit', status: undefined }]);
    expect(exits('q 3')).toEqual([{ kind: 'exit', status: 3 }]);
    expect(exits('exit 256')).toEqual([]);
  });
});

describe('a mistake is shown where it is', () => {
  test.each([
    ['eval 1 +', 'eval 1 +', 'e'],
    ['ascii 41 -Z', 'ascii 41 -Z', 'Z'],
    ['px  1 + nosuch', 'p -x  1 + nosuch', 'nosuch'],
    ['repeat eval 7 + )', 'repeat eval 7 + )', ')'],
    ['alias a "eval 9 +"; a )', 'eval 9 + )', ')'],
  ])('%s', (line, source, at) => {
    const { errors } = open();
    const [lines = []] = errors(line);
    expect(lines[0]).toBe(`  ${source}`);
    const column = at === 'e' ? source.length : source.lastIndexOf(at);
    expect(lines[1]).toBe(`  ${' '.repeat(column)}^`);
  });

  it('keeps the caret near in a long line', () => {
    const [lines = []] = open().errors(`eval ${'1 + '.repeat(200)})`);
    expect(lines[0]?.length).toBeLessThan(110);
    expect(lines[0]?.[(lines[1] as string).length - 1]).toBe(')');
  });

  it('suggests commands', () => {
    expect(open().errors('evl 1')[0]?.[0]).toBe('no command "evl"; did you mean eval?');
    expect(open().errors('help strct')[0]?.join()).toContain('did you mean struct?');
  });
});

describe('interruption', () => {
  it('keeps what was found and runs nothing more of the line', () => {
    let stopped = false;
    const { outputs } = open({ cancelled: () => stopped });
    const seen: string[] = [];
    const session = open({ cancelled: () => stopped }).session;
    for (const output of session.execute('repeat -n 5 -s 1 eval 1; eval 2', { json: false, rc: false })) {
      if (output.kind === 'lines') seen.push(...output.lines.map(textOf));
      if (output.kind === 'pause') stopped = true;
      if (output.kind === 'end') expect(output.status).toBe(130);
    }
    expect(seen[0]).toContain('hexadecimal: 1');
    expect(seen.join()).not.toContain('hexadecimal: 2');
    stopped = false;
    expect(outputs('eval 3').at(-1)).toEqual({ kind: 'end', status: 0 });
  });

  it('goes on after a statement whose reader went away', () => {
    let refused = false;
    const { session } = open({ cancelled: () => refused, interrupted: () => false });
    const seen: string[] = [];
    for (const output of session.execute('repeat -n 5 -s 1 eval 1; eval 2', { json: false, rc: false })) {
      if (output.kind === 'lines') seen.push(...output.lines.map(textOf));
      if (output.kind === 'pause') refused = true;
      if (output.kind === 'end') refused = false;
    }
    expect(seen.join()).toContain('hexadecimal: 2');
  });
});

describe('files', () => {
  it('runs the lines of a file and tells where one fails', () => {
    const path = file('commands', '# a comment\neval 1\n\nnosuch; eval 2\n');
    const { errors, shown } = open();
    expect(errors(`< ${path}`)).toEqual([[`${path}:4: no command "nosuch"`]]);
    expect(shown(`< ${path}`).filter((line) => line.startsWith('hex'))).toEqual(['hexadecimal: 1', 'hexadecimal: 2']);
  });

  it('runs a command once for each line of its argument file', () => {
    const path = file('words', '41\n# no\n\n42 43\n');
    expect(
      open()
        .answers(`ascii < ${path}`)
        .map(({ command, rows }) => [command, (rows as []).length]),
    ).toEqual([
      ['ascii 41', 1],
      ['ascii 42 43', 2],
    ]);
  });

  it('is not caught by a file that runs itself, is binary, is a device, or is not there', () => {
    const self = join(folder, 'self');
    file('self', `eval 1\n< ${self}\n`);
    const { errors } = open();
    expect(errors(`< ${self}`).at(-1)?.[0]).toContain('nest too deeply');
    expect(errors(`< ${file('binary', new Uint8Array([10, 10, 0]))}`)[0]?.[0]).toContain(':3: not a text file');
    expect(errors('< /dev/zero')[0]?.[0]).toContain('no regular file');
    expect(errors(`< ${folder}`)[0]?.[0]).toContain('directory');
    expect(errors(`< ${folder}/none`)[0]?.[0]).toContain('no such file');
    expect(errors(`< ${file('huge', 'x\n'.repeat(600_000))}`)[0]?.[0]).toContain('too large');
  });

  it('takes 500 mutated files of commands', () => {
    const piece = fc.constantFrom(
      'eval 1',
      'alias a "b; c"',
      'a',
      'set radix 16',
      '\u0000',
      '"',
      '|',
      '< x',
      '\n',
      '; ',
      'help',
      '\\',
      '(',
      'nosuch',
      '-Z',
      '\r\n',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 30 }), (parts) => {
        const { outputs } = open();
        for (const output of outputs(parts.join(' ').replaceAll('!', ''), { rc: true, origin: 'rc' })) {
          if (output.kind === 'error') expect(output.status).toBeLessThan(70);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe('completion', () => {
  const { session } = open();
  const candidates = (line: string) => complete(line, line.length, session.scope());
  const names = (line: string) => candidates(line).candidates.map(({ text }) => text);

  test.each<[string, string, number]>([
    ['his', 'history', 0],
    ['eval 1; his', 'history', 8],
    ['ascii -', '', 6],
    ['eval -', '-b', 5],
    ['help his', 'history', 5],
    ['repeat -n 3 his', 'history', 12],
    ['repeat his', 'history', 7],
    ['\\his', '', 0],
    ['? his', 'history', 2],
  ])('%s', (line, expected, start) => {
    if (expected === '') return expect(names(line)).toEqual([]);
    expect(names(line)).toContain(expected);
    expect(candidates(line).start).toBe(start);
    return undefined;
  });

  it("offers nothing in what is the shell's, a comment or a file's name", () => {
    for (const line of ['!his', 'log | his', 'log | grep ', 'log > his', '# his', 'eval 1; !his', '< his']) {
      expect(names(line), line).toEqual([]);
    }
  });

  it('never throws and stays in the line', () => {
    const piece = fc.constantFrom(
      'ps',
      'help',
      'repeat',
      'alias',
      'set',
      'struct',
      '*',
      '-',
      '-n',
      '|',
      '!',
      ';',
      '"',
      "'",
      '(',
      '.',
      '->',
      ' ',
      '\\',
      '\n',
      'x',
      '\ud800',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), fc.nat(), (parts, seed) => {
        const line = parts.join('');
        const cursor = line.length === 0 ? 0 : seed % (line.length + 1);
        const { start, end } = complete(line, cursor, session.scope());
        expect(start).toBeGreaterThanOrEqual(0);
        expect(start).toBeLessThanOrEqual(end);
        expect(end).toBe(cursor);
      }),
      { numRuns: 10_000 },
    );
  });
});

it('any line runs to an end without an internal error', () => {
  const { outputs } = open();
  const piece = fc.constantFrom(
    'eval',
    'ascii',
    'help',
    'alias',
    'history',
    'set',
    'btop',
    'ptob',
    'rd',
    'p',
    'sym',
    'struct',
    '1',
    '-b',
    '41',
    '"',
    "'",
    '(',
    ')',
    '|',
    ';',
    '\\',
    '*',
    '*x',
    'a',
    '"x y"',
    '0xffffffffffffffff',
    '-1',
    '$1',
    'constructor',
    '__proto__',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 10 }), (parts) => {
      for (const output of outputs(parts.join(' '))) {
        if (output.kind === 'error') expect(output.status, output.lines.join()).toBeLessThan(70);
        if (output.kind === 'end') expect(output.status).toBeLessThan(70);
      }
    }),
    { numRuns: 2_000 },
  );
});
