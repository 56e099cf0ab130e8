import { describe, expect, test } from 'vitest';
import { cpuListAt, formatRanges, parseCpuList, selectCpus } from '../../../src/core/types/cpu-list.ts';

const EXISTING = [0, 1, 2, 3, 8];

test.each([
  ['0', [0]],
  ['1,3', [1, 3]],
  ['3,1,1-2', [1, 2, 3]],
  ['0-3', [0, 1, 2, 3]],
  ['3-8', [3, 8]],
  ['all', EXISTING],
  ['a', EXISTING],
  ['', [2]],
])('"%s"', (text, expected) => {
  expect(selectCpus(parseCpuList(text), EXISTING, 2)).toEqual(expected);
});

describe('refuses', () => {
  test.each(['x', '1,', '1-', '-1', '1 2', 'al', 'allx', '123456', '1,,2'])('%s', (text) => {
    expect(() => parseCpuList(text)).toThrow(`"${text}" is not a list of CPUs`);
  });
  test.each([
    ['4', 'no cpu "4" (there are 0-3,8)'],
    ['0-4', 'no cpu "4"'],
    ['3-1', 'no cpu "3"'],
    ['99999', 'no cpu "99999"'],
  ])('%s', (text, message) => {
    expect(() => selectCpus(parseCpuList(text), EXISTING, 0)).toThrow(message);
  });
});

test('finds a list within a text', () => {
  expect(cpuListAt('x:1,3-5.y', 2)).toBe('1,3-5');
  expect(cpuListAt('f(x:1,3)', 4, false)).toBe('1');
  expect(cpuListAt('x:all.y', 2)).toBe('all');
  expect(cpuListAt('x:ally', 2)).toBe('');
  expect(cpuListAt('x:.y', 2)).toBe('');
  expect(formatRanges([0, 1, 2, 5, 7, 8])).toBe('0-2,5,7-8');
  expect(formatRanges([])).toBe('');
});
