import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseArguments } from '../../../src/core/command/arguments.ts';
import {
  type Command,
  counted,
  defineCommand,
  flag,
  many,
  maybe,
  type Operands,
  one,
  option,
  repeated,
  rest,
} from '../../../src/core/command/define.ts';
import { choice, count, signedCount, text, word } from '../../../src/core/command/kinds.ts';
import type { Scope } from '../../../src/core/command/scope.ts';
import { KdbgError, UsageError } from '../../../src/core/errors.ts';

const SCOPE = { input: undefined } as unknown as Scope;

const options = {
  a: flag('a'),
  x: flag('x'),
  F: counted('more'),
  c: option(count, 'COUNT', 'a count'),
  s: repeated(word, 'MEMBER', 'members'),
  16: flag('half words'),
  panic: flag('a long name'),
};

function command(operands: Operands, extra: Partial<Command> = {}): Command {
  const run = function* () {};
  return {
    ...defineCommand({ name: 'cmd', group: 'shell', summary: 's', options, operands, examples: [], run }),
    ...extra,
  };
}

const WORDS = command({ words: many(word, 'WORD', 'words') });
const LINE = command({ first: maybe(word, 'FIRST', 'a word'), line: rest(text, 'LINE', 'the rest') });
const NUMBERS = command({
  number: one(signedCount, 'N', 'a number'),
  mode: maybe(choice('on', 'off'), 'MODE', 'on or off'),
});

const parse = (target: Command, line: string) => parseArguments(target, line, 3, SCOPE);

describe('options and operands', () => {
  test.each([
    ['', { a: false, F: 0, c: undefined, s: [], words: [] }],
    ['-a w', { a: true, words: ['w'] }],
    ['-ax w', { a: true, x: true, words: ['w'] }],
    ['w -a v', { a: true, words: ['w', 'v'] }],
    ['-c3 w', { c: 3, words: ['w'] }],
    ['-c 3 w', { c: 3, words: ['w'] }],
    ['-ac3', { a: true, c: 3 }],
    ['-ac 3', { a: true, c: 3 }],
    ['-c 0x10', { c: 16 }],
    ['-FF', { F: 2 }],
    ['-F -F -F', { F: 3 }],
    ['-s a -s b', { s: ['a', 'b'] }],
    ['-sa,b', { s: ['a,b'] }],
    ['-s "a b"', { s: ['a b'] }],
    ['-16 w', { 16: true, words: ['w'] }],
    ['-panic', { panic: true, a: false, c: undefined }],
    ['-- -a', { a: false, words: ['-a'] }],
    ['-3 -0x10', { words: ['-3', '-0x10'] }],
    ['-(1 + 2)', { words: ['-(1 + 2)'] }],
    ['-', { words: ['-'] }],
    ['"-a"', { a: false, words: ['-a'] }],
    ['\'-a\' "x y"', { words: ['-a', 'x y'] }],
  ])('cmd %s', (line, expected) => {
    expect(parse(WORDS, line)).toMatchObject(expected);
  });

  test.each([
    ['-a one two  "three"  -x', { a: true, x: false, first: 'one', line: 'two  "three"  -x' }],
    ["note the writer's lock", { first: 'note', line: "the writer's lock" }],
    ['-- -a b', { first: '-a', line: 'b' }],
    ['', { first: undefined, line: '' }],
  ])('the rest of a line: cmd %s', (line, expected) => {
    expect(parse(LINE, line)).toMatchObject(expected);
  });

  test.each<[Command, string, number | undefined, string]>([
    [WORDS, ' -Z', 5, 'cmd has no option -Z'],
    [WORDS, ' -aZ', 6, 'cmd has no option -Z'],
    [WORDS, ' --help', 5, 'cmd has no option --help'],
    [WORDS, ' -toString', 5, 'cmd has no option -t'],
    [WORDS, ' -c', 4, '-c wants COUNT'],
    [WORDS, ' -c x', 7, '"x" is not a count'],
    [WORDS, ' -cx', 6, '"x" is not a count'],
    [WORDS, ' w "open', 6, 'not closed'],
    [NUMBERS, ' 1 maybe', 6, 'none of on, off'],
    [NUMBERS, ' "q" on', 5, 'not a count'],
    [NUMBERS, ' 1 on 2', 9, 'one argument too many'],
    [NUMBERS, '', undefined, 'cmd wants N'],
  ])('%#: the caret stands where the mistake is', (target, line, column, message) => {
    try {
      parse(target, line);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).message).toContain(message);
      expect((error as UsageError).column).toBe(column);
      return;
    }
    expect.unreachable();
  });

  it('takes any text for arguments or says what is wrong', () => {
    const piece = fc.constantFrom(
      '-',
      '--',
      '-a',
      '-c',
      '-c3',
      '-s',
      '-16',
      '-panic',
      '-__proto__',
      '-toString',
      '"',
      "'",
      '(',
      ')',
      ' ',
      'x',
      '-1',
      '0x',
      '\ud800',
    );
    const line = fc.oneof(
      fc.array(piece, { maxLength: 20 }).map((all) => all.join(' ')),
      fc.array(piece).map((all) => all.join('')),
      fc.string(),
    );
    fc.assert(
      fc.property(line, fc.constantFrom(WORDS, LINE, NUMBERS), (given, target) => {
        try {
          const args = parse(target, given);
          expect(typeof args['a']).toBe('boolean');
          expect(Object.keys(args).every((name) => name in options || name in (target.operands ?? {}))).toBe(true);
        } catch (error) {
          if (!(error instanceof KdbgError)) throw error;
          if (error instanceof UsageError && error.column !== undefined) {
            expect(error.column).toBeGreaterThanOrEqual(3);
            expect(error.column).toBeLessThanOrEqual(3 + given.length);
          }
        }
      }),
      { numRuns: 10_000 },
    );
  });
});
