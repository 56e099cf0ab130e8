import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { LESSON_LIMITS } from '../../../src/core/formats/lesson.ts';
import { parseLesson } from '../../../src/core/formats/lesson-text.ts';

const LESSON = `# Two mutexes

- order: 2
- about: who waits

It has hung, and
nobody knows why.

- one
- two
  and more

<!-- for the author
only -->
## Who?

Look at it:

    ps UN

    bt

\`\`\`
# no heading
\`\`\`

- task: Find *one*,
  any one.
- check: pid 131 | pid 0 | symbol a.b | number 0x10..20 | text x \\| y | choice b
- option: a => no
- option: b => yes
- wrong: pid 1 => it
  waits
- hint: \`ps\`
- hint: \`ps UN\`
- expert: \`ps UN\`
- reason: so
## Read only
Text.
`;

describe('a lesson', () => {
  const lesson = parseLesson(LESSON, 'x.lesson.md');

  test('has a title, its fields and an introduction', () => {
    expect(lesson).toMatchObject({ title: 'Two mutexes', order: 2, about: 'who waits' });
    expect(lesson.introduction).toEqual([
      { kind: 'paragraph', text: 'It has hung, and nobody knows why.' },
      { kind: 'item', text: 'one' },
      { kind: 'item', text: 'two and more' },
    ]);
  });

  test('has steps with all their fields', () => {
    const [who, read] = lesson.steps;
    expect(who).toMatchObject({
      title: 'Who?',
      task: 'Find *one*, any one.',
      options: [
        { letter: 'a', text: 'no' },
        { letter: 'b', text: 'yes' },
      ],
      wrong: [{ checks: [{ kind: 'pid', pid: 1 }], say: 'it waits' }],
      hints: ['`ps`', '`ps UN`'],
      expert: ['ps UN'],
      reason: 'so',
    });
    expect(who?.checks).toEqual([
      { kind: 'pid', pid: 131 },
      { kind: 'pid', pid: 0 },
      { kind: 'symbol', name: 'a.b' },
      { kind: 'number', from: 16, to: 20 },
      { kind: 'text', text: 'x | y' },
      { kind: 'choice', letter: 'b' },
    ]);
    expect(who?.prose).toEqual([
      { kind: 'paragraph', text: 'Look at it:' },
      { kind: 'literal', lines: ['ps UN', '', 'bt', ''] },
      { kind: 'literal', lines: ['# no heading'] },
    ]);
    expect(read).toMatchObject({ title: 'Read only', checks: [], prose: [{ kind: 'paragraph', text: 'Text.' }] });
  });

  test('knows the lines of its steps', () => {
    const lines = LESSON.split('\n');
    for (const { title, lines: at } of lesson.steps) expect(lines[at.heading]).toBe(`## ${title}`);
    expect(lines[lesson.steps[0]?.lines.fields ?? 0]).toMatch(/^- task:/);
  });
});

test.each([
  ['', 'x is no lesson: it has no title ("# TITLE")'],
  ['text', 'x:1: a lesson begins with its title: "# TITLE"'],
  ['## a', 'x:1: a lesson begins with its title: "# TITLE"'],
  ['# a\n# b', 'x:2: a lesson has one title; steps are "## "'],
  ['# a\n### b', 'x:2: a lesson has a title (#) and steps (##), and no deeper headings'],
  ['# a\n## ', 'x:2: the title is missing'],
  ['# a\n## b\n## b', 'x:3: a step with this title begins in line 2 already'],
  ['# a\n- chek: pid 1', 'x:2: "chek" is no field of a lesson (the first step begins with "## "): order, about'],
  ['# a\n## b\n- chek: pid 1', 'x:3: "chek" is no field of a step: task, check, reason, option, wrong, hint, expert'],
  ['# a\n- order: first', 'x:2: "first" is no order: a number'],
  ['# a\n## b\n- task: c\n- task: d', 'x:4: "task" stands here twice'],
  ['# a\n## b\n- hint:', 'x:3: "hint" is empty'],
  ['# a\n## b\n- check: pid x', 'x:3: the check "pid" wants a PID, not "x"'],
  [
    '# a\n## b\n- check: pid 1 |',
    'x:3: "" is no kind of check: pid, address, symbol, number, text, choice, ran, shows',
  ],
  [`# a\n## b\n- check: pid 1${' | pid 1'.repeat(40)}`, 'x:3: more than 40 checks'],
  ['# a\n## b\n- check: number 3..2', 'x:3: the check "number" wants a number, or two with .. between, not "3..2"'],
  ['# a\n## b\n- check: toString 1', 'x:3: "toString" is no kind of check'],
  ['# a\n## b\n- check: choice a', 'x:3: the step has no option "a"'],
  ['# a\n## b\n- option: yes', 'x:3: an option is a letter and a text: "a => TEXT"'],
  ['# a\n## b\n- wrong: pid 1', 'x:3: "wrong" is a check and what to say: "pid 1 => TEXT"'],
  [`# a\n${'b'.repeat(LESSON_LIMITS.characters + 1)}`, 'x:2: this line is too long'],
  [
    `# a\n${'## b\n'.repeat(LESSON_LIMITS.steps + 2)}`,
    `x:${LESSON_LIMITS.steps + 2}: more than ${LESSON_LIMITS.steps} steps`,
  ],
  [`# a\n## b\n${'- hint: c\n'.repeat(LESSON_LIMITS.ofAField + 1)}`, 'more than 40 times "hint"'],
  ['x'.repeat(LESSON_LIMITS.bytes + 1), 'x is too large for a lesson (256 KiB at most)'],
])('what is wrong is told with its line: %#', (text, message) => {
  expect(() => parseLesson(text, 'x')).toThrow(DataError);
  expect(() => parseLesson(text, 'x')).toThrow(message);
});

test('any text is a lesson or a DataError, in bounded time', () => {
  const pieces = fc.constantFrom(
    '# ',
    '## ',
    '- ',
    'check: ',
    'pid 1',
    ' | ',
    '=>',
    '\n',
    '\n\n',
    '    ',
    '`',
    '*',
    '<!--',
    '-->',
    '```',
    'a',
    '\\',
    '\u0000',
    'number ',
    '..',
    'option: a => b',
  );
  const text = fc.oneof(
    fc.array(pieces, { maxLength: 60 }).map((all) => `# t\n${all.join('')}`),
    fc
      .tuple(fc.nat(LESSON.length), fc.nat(20), fc.string({ maxLength: 12 }))
      .map(([at, cut, put]) => LESSON.slice(0, at) + put + LESSON.slice(at + cut)),
  );
  fc.assert(
    fc.property(text, (given) => {
      try {
        const { steps } = parseLesson(given, 'x');
        expect(steps.length).toBeLessThanOrEqual(LESSON_LIMITS.steps);
      } catch (error) {
        expect(error).toBeInstanceOf(DataError);
      }
    }),
    { numRuns: 10_000 },
  );
});
