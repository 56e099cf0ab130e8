/** `!!` and `!N`, and what can be said of a line before it runs. */
import { describe, expect, it } from 'vitest';
import { commandAt, malformed } from '../../src/app/line-check.ts';
import { recall } from '../../src/app/recall.ts';

describe('a recalled line', () => {
  it.each([
    ['!!', 'bt 2'],
    ['!1', 'ps'],
    ['!! | head', 'bt 2 | head'],
    [' !2 ', 'bt 2'],
  ])('%s', (typed, line) => expect(recall(typed, ['ps', 'bt 2'])).toEqual({ line, isRecalled: true }));

  it.each(['!ls', '!1x', 'ps', '!'])('%s is none', (typed) => {
    expect(recall(typed, ['ps'])).toEqual({ line: typed, isRecalled: false });
  });

  it.each([
    ['!7', [], /no line 7/],
    ['!!', [], /no line before this one/],
    ['!0', ['ps'], /no line 0/],
  ])('%s that does not exist', (typed, lines, trouble) => {
    expect(recall(typed, lines)).toEqual({ trouble: expect.stringMatching(trouble) });
  });
});

describe('a line before it runs', () => {
  it('is wrong in its form at a place', () => {
    expect(malformed('ps; bt "1')).toMatchObject({ column: 7, message: expect.stringContaining('not closed') });
    expect(malformed('ps UN | bt; eval (1 + 2)')).toBeUndefined();
    expect(malformed('nosuch command')).toBeUndefined();
  });

  it.each([
    ['bt -', 'bt'],
    ['ps UN | bt ', 'bt'],
    ['ps; struct task_struct.', 'struct'],
    ['*', '*'],
    ['', undefined],
    ['ps | ', undefined],
  ])('%s: the cursor is in %s', (before, name) => expect(commandAt(before)).toBe(name));
});
