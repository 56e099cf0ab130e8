import { describe, expect, test } from 'vitest';
import { callerStacks } from '../../../src/core/command/trace-stacks.ts';
import { parseTrace } from '../../support/trace-fixture.ts';

const call = (comm: string, pid: number, stack: readonly string[], name = 'vfs_read'): readonly string[] => [
  `${comm.padStart(16)}-${pid}       [001] .....   100.000001: ${name} <-ksys_read`,
  ...(stack.length === 0 ? [] : [`${comm.padStart(16)}-${pid}       [001] .....   100.000002: <stack trace>`]),
  ...stack.map((frame) => ` => ${frame}`),
];

describe('stacks of callers', () => {
  test('the same ones are counted together, most frequent first, above the function itself', () => {
    const groups = callerStacks(
      parseTrace([
        ...call('cat', 7, ['[FTRACE TRAMPOLINE]', 'vfs_read', 'ksys_read', 'do_syscall_64']),
        ...call('dd', 8, ['vfs_read', 'kernel_read']),
        ...call('sh', 9, ['vfs_read', 'ksys_read', 'do_syscall_64']),
      ]),
    );
    expect(groups.map(({ count, frames }) => [count, frames.map(({ name }) => name)])).toEqual([
      [2, ['ksys_read', 'do_syscall_64']],
      [1, ['kernel_read']],
    ]);
    expect([...(groups[0]?.tasks ?? [])]).toEqual([
      [7, 'cat'],
      [9, 'sh'],
    ]);
  });

  test('an entry without a stack has its caller alone', () => {
    const [group] = callerStacks(parseTrace(call('cat', 7, [])));
    expect(group?.frames.map(({ name }) => name)).toEqual(['ksys_read']);
  });

  test('a stack that does not have the function is taken as a whole', () => {
    const [group] = callerStacks(parseTrace(call('cat', 7, ['ksys_read', 'do_syscall_64'])));
    expect(group?.frames.map(({ name }) => name)).toEqual(['ksys_read', 'do_syscall_64']);
  });

  test('tasks are counted up to a bound', () => {
    const many = Array.from({ length: 100 }, (_, i) => call(`t${i}`, i + 1, ['vfs_read', 'ksys_read']));
    expect(callerStacks(parseTrace(many.flat()))[0]).toMatchObject({ count: 100, tasks: { size: 16 } });
  });
});
