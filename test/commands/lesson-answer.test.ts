/** Answers as people write them: with what stands around them where they were found, and ones that mean nothing. */
import { resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, test } from 'vitest';
import { openReplay, type ReplaySession } from '../support/replay-session.ts';

const RECORDING = resolve(import.meta.dirname, '../../recordings/mutex-deadlock.kdbg');

let file = '';
let session: ReplaySession;

beforeAll(() => {
  session = openReplay(RECORDING, {
    path: 'hang.lesson.md',
    read: () => file,
    write: () => undefined,
    progress: () => undefined,
    keepProgress: () => undefined,
  });
});
afterAll(() => session.close());

const run = (...lines: string[]): readonly string[] => lines.flatMap((line) => session.run(line).lines);

/** A lesson of two steps; the first has this check. */
function step(check: string, ...fields: string[]): void {
  file = `# a\n## b\n- check: ${check}\n${fields.map((field) => `- ${field}\n`).join('')}## c\n- check: number 8\n`;
  run('lesson start', 'lesson restart');
}

test.each([
  ['pid 136', ['136 (lab_ab)', 'lab_ab (136)', 'lab_ab, 136', '[lab_ab]', '"lab_ab"'], ['137 (lab_ba)']],
  [
    'address ffffffffc0658280',
    [
      'mutex ffffffffc0658280  lab_root.mutex_a [kdbg_lab]',
      'lab_root.mutex_a [kdbg_lab]',
      'mutex FFFFFFFFC0658280',
      '$1 = (struct mutex *) 0xffffffffc0658280',
    ],
    ['mutex ffffffffc06582a0  lab_root.mutex_b [kdbg_lab]'],
  ],
  [
    'symbol __mutex_lock.constprop.0',
    [
      '#3 [ffffd1f4c042be98] __mutex_lock.constprop.0 at ffffffff9941343d',
      '__mutex_lock.constprop.0 at ffffffff9941343d',
    ],
    ['#1 [ffffd1f4c042be78] schedule at ffffffff9941154a'],
  ],
  ['number 7', ['{7}', 'sig = {7},', 'counter = 0x7', '7 (lab_ab)', 'lab_ab (7)'], ['{8}']],
  ['text /mnt/share', ['/mnt/share/', '"/mnt/share"', '/mnt/share.'], ['/mnt', '/']],
  ['text vault.journal', ['vault.journal [kdbg_lab]'], ['[kdbg_lab]']],
  ['text LAB_READ', ['op = LAB_READ,', 'lab_read'], ['op = LAB_READ_BRIEFLY']],
])('of %s, as it was printed', (check, right, wrong) => {
  for (const answer of right) {
    step(check);
    expect([answer, run(`answer ${answer}`)[0]]).toEqual([answer, 'Right.']);
  }
  step(check);
  for (const answer of wrong) expect([answer, run(`answer ${answer}`)[0]]).toEqual([answer, 'No, that is not it.']);
});

describe('an answer that means nothing', () => {
  test.each([
    ['number 7', 'seven', ['"seven" is no number in digits', 'this step wants a number']],
    ['address ffffffffc0658280', 'the first one', ['expected an operator', 'this step wants an address']],
    ['pid 136', 'ffff8a5482218001', ['did you mean ffff8a5482218000 (lab_ab), without the flags?']],
  ])('to %s is told so, and is no wrong one: %s', (check, given, says) => {
    step(check);
    const printed = run(`answer ${given}`).join(' ');
    for (const text of says) expect(printed).toContain(text);
    expect(run('lesson list')[0]).not.toContain('wrong');
  });

  it('is a list of several', () => {
    step('pid 137');
    expect(run('answer 136, 137')[0]).not.toBe('Right.');
  });

  it('may be one that the lesson knows', () => {
    step('number 7', 'wrong: text all => How many are that?');
    expect(run('answer all')).toEqual(['No. How many are that?']);
  });
});

it('is one of the options, by its letter or its text', () => {
  const options = ['option: a => It runs', 'option: b => It waits'];
  for (const right of ['b', 'B)', '(b)', 'b) It waits', 'it waits.']) {
    step('choice b', ...options);
    expect([right, run(`answer ${right}`)[0]]).toEqual([right, 'Right.']);
  }
  step('choice b', ...options);
  expect(run('answer a')[0]).toBe('No, that is not it.');
  expect(run('answer c').join(' ')).toContain('"c" is none of a, b');
});

it('to the last step ends the lesson when all are passed', () => {
  step('number 7');
  const back = run('lesson goto 2', 'answer 8');
  expect(back).toContain('Back to a step that was left out:');
  expect(back.at(-1)).toBe('"answer NUMBER" tells what you found');
  expect(run('answer 7').slice(-2)).toEqual([
    'This was the last step: all steps are passed.',
    '"kdbg train" lists the other lessons; Ctrl-D leaves this one.',
  ]);
  expect(run('lesson goto 2').at(-1)).toBe('"lesson solution" tells why');
});

it('is asked for in lines of the width that is wanted', () => {
  step('pid 136 | address ffffffffc0658280 | symbol schedule', 'hint: look');
  const ways = run('lesson -w 40').slice(-3);
  expect(ways.join(' ')).toBe(
    '"answer PID" or "answer ADDRESS" or "answer SYMBOL" tells what you found, "lesson hint" helps (1 left)',
  );
  for (const line of ways) expect(line.length).toBeLessThanOrEqual(40);
});

it('is told in its first spelling', () => {
  step('text vault.journal | text journal | pid 136', 'reason: so');
  expect(run('lesson solution')[0]).toBe('The answer: vault.journal or 136');
});

it('that was a text of the author is not taken for one', () => {
  step('number 7');
  expect(run('lesson hint two; they wait').join(' ')).toContain('is put in quotes');
  expect(run('8')).toContain('if that is your answer: answer 8');
});
