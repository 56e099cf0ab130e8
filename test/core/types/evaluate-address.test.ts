import { beforeEach, describe, expect, test } from 'vitest';
import { FaultError, UsageError } from '../../../src/core/errors.ts';
import { evaluateAddress, evaluateAddresses } from '../../../src/core/types/evaluate-address.ts';
import { ExpressionKernel, RUNQUEUES_OFFSET } from '../../support/c-types.ts';

let kernel: ExpressionKernel;
beforeEach(() => {
  kernel = new ExpressionKernel();
});

describe('hex first', () => {
  test.each([
    ['ffff888002000000', 0xffff_8880_0200_0000n],
    ['0xffff888002000000', 0xffff_8880_0200_0000n],
    [' FFFF888002000000 ', 0xffff_8880_0200_0000n],
    ['add', 0xaddn],
    ['1000', 0x1000n],
    ['0x10', 0x10n],
    ['12345', 0x12345n],
  ])('%s', (text, address) => {
    expect(evaluateAddress(text, kernel.environment)).toBe(address);
    expect(kernel.notices).toEqual([]);
  });

  test('but a symbol of that name is the symbol, and says so', () => {
    expect(evaluateAddress('fade', kernel.environment)).toBe(0xffff_ffff_8200_0100n);
    expect(kernel.notices).toEqual(['fade is taken as the symbol; as an address it is written 0xfade']);
    expect(evaluateAddress('0xfade', kernel.environment)).toBe(0xfaden);
  });
});

describe('a symbol is its place', () => {
  const INIT = 0xffff_ffff_8300_0000n;
  test.each([
    ['init_task', INIT],
    ['init_task + 0x10', INIT + 0x10n],
    ['0x10 + init_task', INIT + 0x10n],
    ['init_task + 8 - 4', INIT + 4n],
    ['&init_task', INIT],
    ['init_task.tasks', INIT + 24n],
    ['init_task.tasks + 8', INIT + 32n],
    ['&init_task.pid', INIT + 4n],
    ['init_task.comm', INIT + 8n],
    // A pointer leads where it points.
    ['init_task.parent', INIT],
    ['init_task.tasks.next', 0xffff_8880_0200_0018n],
    ['task_pointer->parent', INIT],
    ['container_of(init_task.tasks.next, struct task_struct, tasks)', 0xffff_8880_0200_0000n],
    ['(struct task_struct *)untyped', 0xffff_8880_0200_0000n],
    ['(void *)0x1000', 0x1000n],
    ['untyped + 16', 0xffff_8880_0200_0010n],
    ['schedule', 0xffff_ffff_8100_1000n],
    ['schedule+0x1c', 0xffff_ffff_8100_101cn],
    ['ffff888002000000+0x10', 0xffff_8880_0200_0010n],
    ['schedule.cold', 0xffff_ffff_8100_9000n],
    ['schedule.cold+4', 0xffff_ffff_8100_9004n],
    ['-1', 0xffff_ffff_ffff_ffffn],
    ['runqueues:2', RUNQUEUES_OFFSET + 0xffff_8881_0020_0000n],
    ['runqueues:2 + 8', RUNQUEUES_OFFSET + 0xffff_8881_0020_0008n],
    ['runqueues:2.curr', 0xffff_8880_0200_0000n],
    ['&runqueues:2.curr', RUNQUEUES_OFFSET + 0xffff_8881_0020_0008n],
    ['per_cpu(runqueues, 2)', RUNQUEUES_OFFSET + 0xffff_8881_0020_0000n],
  ])('%s', (text, address) => {
    expect(evaluateAddress(text, kernel.environment)).toBe(address);
  });

  test('of whatever type: jiffies is an address and no count', () => {
    const [symbol] = kernel.fake.symbols.all('jiffies');
    expect(evaluateAddress('jiffies', kernel.environment)).toBe(symbol?.address);
    expect(evaluateAddress('jiffies + 8', kernel.environment)).toBe((symbol?.address ?? 0n) + 8n);
    expect(evaluateAddress('task_pointer', kernel.environment)).not.toBe(kernel.second);
    expect(evaluateAddress('*task_pointer', kernel.environment)).toBe(kernel.second);
  });
});

describe('several', () => {
  test('addresses, one a CPU', () => {
    expect(evaluateAddresses('runqueues:0,3', kernel.environment)).toEqual([
      { cpu: 0, address: RUNQUEUES_OFFSET + 0xffff_8881_0000_0000n },
      { cpu: 3, address: RUNQUEUES_OFFSET + 0xffff_8881_0030_0000n },
    ]);
    expect(evaluateAddresses('init_task', kernel.environment)).toEqual([{ cpu: undefined, address: kernel.initTask }]);
    expect(evaluateAddresses('runqueues:', kernel.environment)).toMatchObject([{ cpu: 1 }]);
  });

  test('are too many where one is wanted', () => {
    expect(() => evaluateAddress('runqueues:all', kernel.environment)).toThrow(
      'several CPUs are named; one address is wanted here',
    );
  });
});

test.each([
  ['nothere', 0, 'no symbol "nothere"'],
  ['init_task + nothere', 12, 'no symbol "nothere"'],
  ['runqueues', 0, 'runqueues is a per-CPU variable: every CPU has its own'],
  ['1 +', 3, 'expected a value, the expression ends'],
  ['', 0, 'expected a value, the expression ends'],
])('%s is an error at its column', (text, column, message) => {
  let caught: unknown;
  try {
    evaluateAddress(text, kernel.environment);
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(UsageError);
  expect(caught).toMatchObject({ column, source: text, message });
});

test('what cannot be read on the way is a fault', () => {
  expect(() => evaluateAddress('init_task.tasks.next->next->next', kernel.environment)).toThrow(FaultError);
});
