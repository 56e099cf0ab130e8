import { describe, expect, test } from 'vitest';
import { formatDuration, stateSpans, wrappedLines } from '../../../src/core/command/lock-view.ts';
import type { Owner } from '../../../src/core/kernel/locks/lock.ts';
import { textOf } from '../../../src/core/output/line.ts';

describe('lengths of time', () => {
  test.each([
    [0, '0 ms'],
    [999, '999 ms'],
    [1000, '1.0 s'],
    [59_999, '59.9 s'],
    [60_000, '1 min 0 s'],
    [312_000, '5 min 12 s'],
    [3_599_999, '59 min 59 s'],
    [3_600_000, '1 h 0 min'],
    [11_100_000, '3 h 5 min'],
    [86_400_000, '1 d 0 h'],
    [187_200_000, '2 d 4 h'],
  ])('%i ms', (ms, text) => {
    expect(formatDuration(ms)).toBe(text);
  });
});

describe('a lock by its state', () => {
  const owner = (of: Partial<Owner>): Owner => ({
    task: 1n,
    pid: 7,
    comm: 'one',
    mode: 'exclusive',
    role: 'owner',
    sure: 'certain',
    evidence: [],
    ...of,
  });
  test.each<[string, readonly Owner[], string]>([
    ['free', [], 'free'],
    ['held', [owner({})], 'held by 7 (one)'],
    ['held for writing', [owner({ sure: 'likely' })], 'held for writing by 7 (one) (likely)'],
    ['being handed over', [owner({ role: 'next' })], 'being handed over to 7 (one)'],
    [
      'held by 3 readers',
      [owner({ role: 'last', mode: 'read', sure: 'hint' })],
      'held by 3 readers, the last that is known: 7 (one) (hint)',
    ],
    ['held', [owner({ role: 'last', mode: 'any' })], 'held, last taken by 7 (one)'],
    ['not done', [owner({ role: 'worker' })], 'not done, it is up to 7 (one)'],
    ['held', [owner({}), owner({ pid: 8, comm: 'two' })], 'held by 7 (one), 8 (two)'],
  ])('%s', (state, owners, text) => {
    expect(textOf(stateSpans({ state, owners }))).toBe(text);
  });
});

test('parts are broken at the width of a screen, and none is lost', () => {
  const parts = Array.from({ length: 40 }, (_, i) => `task-${i}`);
  const lines = wrappedLines('  in ', parts, ', ').map(textOf);
  expect(lines.length).toBeGreaterThan(3);
  expect(lines.every((line) => line.length <= 80)).toBe(true);
  expect(lines.every((line) => line === line.trimEnd())).toBe(true);
  expect(lines.map((line) => line.slice(5)).join(' ')).toBe(parts.join(', '));
  expect(lines.slice(1).every((line) => line.startsWith('     task-'))).toBe(true);
  // What is wider than the screen has a line of its own.
  expect(wrappedLines('> ', ['short', 'x'.repeat(100), 'short'], ' < ')).toHaveLength(3);
  expect(wrappedLines('> ', [], ', ')).toEqual([['> ']]);
});
