import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parseLine, type Statement, splitStatements, type Vocabulary } from '../../../src/core/command/grammar.ts';
import { expandAlias } from '../../../src/core/command/resolve.ts';
import { splitWords } from '../../../src/core/command/words.ts';
import { KdbgError, UsageError } from '../../../src/core/errors.ts';

const ALIASES = [
  ['un', 'ps UN | bt'],
  ['two', 'ps; bt'],
  ['last', 'ps -l'],
  ['stacks', 'bt -a'],
  ['ll', '!ls -l'],
  ['loop', 'loop2 -x'],
  ['loop2', 'loop -y'],
].map(([name, line]) => ({ name: name as string, line: line as string, origin: 'runtime' as const }));

const VOCABULARY: Vocabulary = {
  takesInput: (name) => ['bt', 'ps', 'struct'].includes(name),
  expand: (text) => expandAlias(text, ALIASES),
};

const parse = (line: string) => parseLine(line, VOCABULARY);

/** `stage | stage > file` and so on: the shape of what was parsed. */
function shape(statement: Statement): string {
  if (statement.kind === 'shell') return `!${statement.command}`;
  if (statement.kind === 'source') return `<${statement.path}`;
  const { stages, sink, argumentFile } = statement;
  const to =
    sink === undefined
      ? ''
      : sink.kind === 'shell'
        ? ` |sh ${sink.command}`
        : ` >${sink.append ? '>' : ''} ${sink.path}`;
  return (
    stages.map((stage) => `[${stage.text}]`).join('') + (argumentFile === undefined ? '' : ` < ${argumentFile}`) + to
  );
}

describe('statements', () => {
  test.each([
    ['ps', '[ps]'],
    ['  ps  ;; bt ;', '[ps] [bt]'],
    ['ps\nbt', '[ps] [bt]'],
    ['# a comment; bt', ''],
    ["ps; # it's a comment; bt", '[ps]'],
    ['// comment\nps', '[ps]'],
    ['!ls; pwd', '!ls; pwd'],
    ['!', '!'],
    ['|', '!'],
    ['| less; x', '!less; x'],
    ['< cmds', '<cmds'],
    ['< "my cmds"', '<my cmds'],
    ['ps | bt', '[ps][bt]'],
    ['ps | bt | struct', '[ps][bt][struct]'],
    ['ps | bt | grep x | wc', '[ps][bt] |sh grep x | wc'],
    ['log | grep -i oom', '[log] |sh grep -i oom'],
    ['log | grep bt | bt', '[log] |sh grep bt | bt'],
    ['log ! grep x', '[log] |sh grep x'],
    ["log | grep 'a;b'", "[log] |sh grep 'a;b'"],
    ['p a != b', '[p a != b]'],
    ['p (a | b)', '[p (a | b)]'],
    ['p a || b', '[p a || b]'],
    ['p a[b | c]', '[p a[b | c]]'],
    ['log -s "a | b"', '[log -s "a | b"]'],
    ['p task->mm', '[p task->mm]'],
    ['p a >= b', '[p a >= b]'],
    ['p a <= b', '[p a <= b]'],
    ['eval 1<<4', '[eval 1<<4]'],
    ['ps > out', '[ps] > out'],
    ['ps >> out', '[ps] >> out'],
    ['ps>out', '[ps] > out'],
    ['ps > "my out"', '[ps] > my out'],
    ['rd < addrs', '[rd] < addrs'],
    ['rd < addrs > out', '[rd] < addrs > out'],
    ['rd > out < addrs', '[rd] < addrs > out'],
    ['rd < addrs | wc -l', '[rd] < addrs |sh wc -l'],
    ["record note the writer's lock; ps", "[record note the writer's lock] [ps]"],
    ['un', '[ps UN][bt]'],
    ['un -a', '[ps UN][bt -a]'],
    ['last 3', '[ps -l 3]'],
    ['two', '[ps] [bt]'],
    ['log; two -f', '[log] [ps] [bt -f]'],
    ['ps | stacks -f', '[ps][bt -a -f]'],
    ['ps | last', '[ps][ps -l]'],
    ['\\un x', '[\\un x]'],
    ['ps | \\bt', '[ps][\\bt]'],
    ['ll /', '!ls -l /'],
  ])('%s', (line, expected) => {
    expect(parse(line).map(shape).join(' ')).toBe(expected);
  });

  test.each([
    ['ps |', 3, 'wants a command'],
    ['ps | | x', 5, 'a command is missing'],
    ['> out', 0, 'a command is missing'],
    ['ps > ', 4, 'a file name is missing'],
    ['ps > a b', 7, 'one file name'],
    ['ps > a > b', 7, 'one place'],
    ['rd < a < b', 7, 'one file'],
    ['<', 1, 'wants a file'],
    ['ps | bt |', 8, 'wants a command'],
    ['loop', undefined, 'leads back to itself'],
  ])('%s is malformed', (line, column, message) => {
    try {
      parse(line);
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect((error as UsageError).message).toContain(message);
      expect((error as UsageError).column).toBe(column);
      return;
    }
    expect.unreachable();
  });

  it('knows the column of every stage, after an alias was replaced too', () => {
    for (const line of ['ps | bt', '  ps   |   bt -a', 'un -f', 'ps | stacks -f | struct']) {
      for (const statement of parse(line)) {
        if (statement.kind !== 'pipeline') continue;
        for (const { text, column } of statement.stages) {
          expect(statement.source.slice(column, column + text.length)).toBe(text);
        }
      }
    }
  });

  it('knows the line of every statement', () => {
    expect(splitStatements('a; b\n\nc').map(({ text, line }) => [text, line])).toEqual([
      ['a', 1],
      ['b', 1],
      ['c', 3],
    ]);
  });
});

describe('words', () => {
  test.each([
    ['a b', ['a', 'b']],
    ['  a\tb ', ['a', 'b']],
    ['"a b" c', ['a b', 'c']],
    ["'a b' c", ['a b', 'c']],
    ['a"b c"d', ['ab cd']],
    ['(a + b) c', ['(a + b)', 'c']],
    ['struct page (sym + 8)', ['struct', 'page', '(sym + 8)']],
    ["(c == 'x') y", ["(c == 'x')", 'y']],
    ["the writer's lock isn't", ['the', "writer's", 'lock', "isn't"]],
    ['""', ['']],
  ])('%s', (text, expected) => {
    expect(splitWords(text).map((word) => word.text)).toEqual(expected);
  });

  it('points at the quote that is not closed', () => {
    expect(() => splitWords('a "b', 10)).toThrow(expect.objectContaining({ column: 12 }));
  });
});

describe('any line', () => {
  const piece = fc.constantFrom(
    '|',
    '||',
    '!',
    '!=',
    '>',
    '>>',
    '<',
    '<<',
    '->',
    ';',
    '\n',
    '"',
    "'",
    '(',
    ')',
    '[',
    ']',
    '#',
    '//',
    '\\',
    ' ',
    '  ',
    '-',
    '*',
    'ps',
    'bt',
    'un',
    'two',
    'loop',
    'x',
    '\u0000',
    '\ud800',
    '\u202e',
  );
  const line = fc.oneof(
    fc.array(piece, { maxLength: 40 }).map((parts) => parts.join('')),
    fc.string({ maxLength: 80 }),
  );

  it('gives statements or a KdbgError', () => {
    fc.assert(
      fc.property(line, (text) => {
        try {
          for (const statement of parse(text)) {
            if (statement.kind !== 'pipeline') continue;
            for (const stage of statement.stages) {
              expect(statement.source.slice(stage.column, stage.column + stage.text.length)).toBe(stage.text);
              const words = splitWords(stage.text, stage.column);
              for (const word of words) {
                expect(statement.source.slice(word.column, word.column + word.raw.length)).toBe(word.raw);
              }
            }
          }
        } catch (error) {
          if (!(error instanceof KdbgError)) throw error;
        }
      }),
      { numRuns: 10_000 },
    );
  });

  it('takes time in proportion to its length', () => {
    for (const unit of ['(', ' ', '|', '"', "'", ';', '# ', '> ', 'un ', 'a ']) {
      const text = unit.repeat(60_000 / unit.length);
      const started = performance.now();
      try {
        parse(text);
      } catch (error) {
        expect(error).toBeInstanceOf(UsageError);
      }
      expect(performance.now() - started).toBeLessThan(2_000);
    }
    expect(() => parse('x'.repeat(70_000))).toThrow(UsageError);
  });
});
