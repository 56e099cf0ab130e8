import { beforeEach, describe, expect, test } from 'vitest';
import { FaultError, UsageError } from '../../../src/core/errors.ts';
import {
  bareName,
  evaluate,
  evaluateEach,
  evaluateInteger,
  parseFor,
  typeOfExpression,
} from '../../../src/core/types/evaluate.ts';
import { EXPRESSION_LENGTH_MAX } from '../../../src/core/types/expression.ts';
import { typeName } from '../../../src/core/types/type-name.ts';
import { Value } from '../../../src/core/types/value.ts';
import { ExpressionKernel, RUNQUEUES_OFFSET, TASK } from '../../support/c-types.ts';
import { INT, pointerTo } from '../../support/fake-kernel.ts';

let kernel: ExpressionKernel;
beforeEach(() => {
  kernel = new ExpressionKernel();
  const hidden = pointerTo({ kind: 'forward', name: 'hidden', union: false });
  kernel.variables.set('hidden', Value.of(kernel.memory, hidden, 0x1000n));
});

function number(text: string): bigint {
  return evaluateInteger(text, kernel.environment);
}

function errorOf(text: string): UsageError {
  try {
    evaluate(text, kernel.environment).tryBytes();
  } catch (error) {
    if (error instanceof UsageError) return error;
    throw error;
  }
  throw new Error(`${text} has a value`);
}

describe('numbers', () => {
  test.each([
    ['42', 42n, 'int'],
    ['0x2a', 42n, 'int'],
    ['0X2A', 42n, 'int'],
    ['052', 42n, 'int'],
    ['0o52', 42n, 'int'],
    ['0b101010', 42n, 'int'],
    ['0', 0n, 'int'],
    ["'a'", 97n, 'int'],
    ["'\\n'", 10n, 'int'],
    ["'\\0'", 0n, 'int'],
    ["'\\x41'", 65n, 'int'],
    ["'\\377'", -1n, 'int'],
    ["'\\''", 39n, 'int'],
    ['42u', 42n, 'unsigned int'],
    ['42UL', 42n, 'unsigned long'],
    ['42ll', 42n, 'long'],
    ['42LLU', 42n, 'unsigned long'],
    ['4k', 4096n, 'int'],
    ['128M', 134_217_728n, 'int'],
    ['4G', 4_294_967_296n, 'long'],
    ['0x10K', 16384n, 'int'],
    ['2147483647', 0x7fff_ffffn, 'int'],
    ['2147483648', 0x8000_0000n, 'long'],
    ['0xffffffff', 0xffff_ffffn, 'long'],
    ['0xffffffffu', 0xffff_ffffn, 'unsigned int'],
    ['18446744073709551615', 0xffff_ffff_ffff_ffffn, 'unsigned long'],
    ['0xffffffffffffffff', 0xffff_ffff_ffff_ffffn, 'unsigned long'],
    // Addresses as logs print them: sixteen hex digits are never decimal or octal.
    ['ffff888002000000', 0xffff_8880_0200_0000n, 'unsigned long'],
    ['0000000012345670', 0x1234_5670n, 'unsigned long'],
    ['888003a41b40', 0x8880_03a4_1b40n, 'unsigned long'],
    ['true', 1n, 'int'],
  ])('%s', (text, value, type) => {
    const result = evaluate(text, kernel.environment);
    expect([result.toBigInt(), typeName(result.type)]).toEqual([value, type]);
  });

  test.each([
    ['08', 0, '"08" is not a number'],
    ['0x', 0, '"0x" is not a number'],
    ['12ab', 0, '"12ab" is not a number'],
    ['1 + 99999999999999999999', 4, '99999999999999999999 does not fit in 64 bits'],
    ['16777216T', 0, '16777216T does not fit in 64 bits'],
    ["'ab'", 0, 'a character constant is one byte'],
    ["1 + 'a", 4, "' is never closed"],
    ["'\\q'", 1, 'not an escape sequence of C'],
  ])('%s is refused', (text, column, message) => {
    const error = errorOf(text);
    expect([error.column, error.message, error.source]).toEqual([column, message, text]);
  });
});

describe('arithmetic', () => {
  test.each([
    ['1 + 2 * 3', 7n, 'int'],
    ['(1 + 2) * 3', 9n, 'int'],
    ['10 - 4 - 3', 3n, 'int'],
    ['100 / 10 / 5', 2n, 'int'],
    ['-7 / 2', -3n, 'int'],
    ['-7 % 3', -1n, 'int'],
    ['1 << 3 + 1', 16n, 'int'],
    ['5 & 3 == 3', 1n, 'int'],
    ['1 | 6 ^ 2 & 3', 5n, 'int'],
    ['~0', -1n, 'int'],
    ['!5 + !0', 1n, 'int'],
    ['- - 5', 5n, 'int'],
    ['+5u', 5n, 'unsigned int'],
    ['1 ? 2 : 0 ? 3 : 4', 2n, 'int'],
    ['0 ? 2 : 0 ? 3 : 4', 4n, 'int'],
    ['1 < 2 && 2 > 1 || 0', 1n, 'int'],
    ['0u - 1', 0xffff_ffffn, 'unsigned int'],
    ['0ul - 1', 0xffff_ffff_ffff_ffffn, 'unsigned long'],
    ['-1 < 0u', 0n, 'int'],
    ['-1 < 0', 1n, 'int'],
    ['0xffffffffffffffff + 1', 0n, 'unsigned long'],
    // Where C has no defined result: no wrap at 32 bits.
    ['1 << 40', 1n << 40n, 'long'],
    ['1u << 40', 1n << 40n, 'unsigned long'],
    ['1 << 31', 1n << 31n, 'long'],
    ['1ul << 64', 0n, 'unsigned long'],
    ['-1 >> 100', -1n, 'long'],
    ['4096 * 1048576', 1n << 32n, 'long'],
    ['2147483647 + 1', 1n << 31n, 'long'],
    ['0xffffffff + 1', 1n << 32n, 'long'],
    ['0x7fffffffffffffff + 1', -(1n << 63n), 'long'],
    // A side that is not reached has no value and no error.
    ['0 && 1 / 0', 0n, 'int'],
    ['1 || 1 / 0', 1n, 'int'],
    ['1 ? 7 : 1 / 0', 7n, 'int'],
  ])('%s', (text, value, type) => {
    const result = evaluate(text, kernel.environment);
    expect([result.toBigInt(), typeName(result.type)]).toEqual([value, type]);
  });

  test.each([
    ['1 + 4 / (2 - 2)', 6, 'division by zero'],
    ['5 % 0', 2, 'division by zero'],
    ['1 << -1', 2, 'a shift by a negative count'],
  ])('%s has no value', (text, column, message) => {
    const error = errorOf(text);
    expect([error.column, error.message]).toEqual([column, message]);
  });
});

describe('places', () => {
  test.each([
    ['init_task.pid', 0n],
    ['init_task.se.weight', -5n],
    ['init_task.tasks.next->prev', 0n],
    ['task_pointer->pid', 4711n],
    ['task_pointer.pid', 4711n],
    ['(&init_task)->state', 2n],
    ['(*task_pointer).parent->state', 2n],
    ['task_pointer->counts[2]', 30n],
    ['*(task_pointer->counts + 1)', 20n],
    ['task_pointer->counts[1 + 2] - task_pointer->counts[0]', 30n],
    ['task_pointer[0].pid', 4711n],
    ['task_pointer->rcu', 0n],
    ['minus', -2n],
    ['minus + 1u', 0xffff_ffffn],
    ['jiffies / 1000', 4_294_900n],
    ['task_pointer->in_iowait', 1n],
    ['task_pointer->mode', -3n],
    ['task_pointer->wide', 0xff_ffff_ffffn],
    ['((struct task_struct *)untyped)->pid', 4711n],
    ['((task_struct *)untyped)->pid', 4711n],
    ['*(int *)(untyped + 4)', 4711n],
    ['*(int *)((char *)&task_pointer->state + 4)', 4711n],
    ['((struct task_struct *)ffff888002000000)->pid', 4711n],
    ['(pid_t)task_pointer->pid', 4711n],
    ['(u32)-1', 0xffff_ffffn],
    ['(char)0x141', 0x41n],
    ['(_Bool)42', 1n],
    ['(unsigned long)&init_task', 0xffff_ffff_8300_0000n],
    ['&init_task.tasks', 0xffff_ffff_8300_0018n],
    ['&task_pointer->counts[1]', 0xffff_8880_0200_0044n],
    ['&untyped', 0xffff_8880_0200_0000n],
    ['untyped', 0xffff_8880_0200_0000n],
    ['&untyped + 1', 0xffff_8880_0200_0001n],
    ['task_pointer + 1', 0xffff_8880_0200_0000n + BigInt(TASK.size)],
    ['1 + task_pointer - task_pointer', 1n],
    ['&task_pointer->counts[3] - &task_pointer->counts[0]', 3n],
    ['task_pointer & ~0xfff', 0xffff_8880_0200_0000n],
    ['(unsigned long)task_pointer >> 12', 0xf_fff8_8800_2000n],
    ['task_pointer == init_task.parent', 0n],
    ['init_task.parent == &init_task', 1n],
    ['task_pointer > 0', 1n],
    ['task_pointer && !init_task.mm', 1n],
    ['init_task.mm == NULL', 1n],
    ['schedule', 0xffff_ffff_8100_1000n],
    ['schedule + 0x1c', 0xffff_ffff_8100_101cn],
    ['schedule.cold', 0xffff_ffff_8100_9000n],
    ['schedule.cold + 4', 0xffff_ffff_8100_9004n],
    ['RQ_IDLE | RQ_SKIP', 10n],
    ['init_task.comm == "swapper/0"', 1n],
    ['task_pointer->comm != "bash"', 0n],
    ['"a name" == init_task.name', 1n],
  ])('%s', (text, value) => {
    expect(number(text)).toBe(value);
  });

  test('a place is not read until its value is asked for', () => {
    const value = evaluate('((struct task_struct *)0x10)->comm', kernel.environment);
    expect(value.address).toBe(0x18n);
    expect(() => value.string()).toThrow('cannot read task_struct.comm (16 bytes at 0000000000000018): null pointer');
    expect(kernel.fake.memory.reads).toEqual([]);
  });

  test('a null pointer on the way is a fault that names the member', () => {
    const text = 'init_task.tasks.next->next->next';
    expect(() => evaluate(text, kernel.environment).toBigInt()).toThrow(FaultError);
    expect(() => evaluate(text, kernel.environment).toBigInt()).toThrow(/cannot read list_head.next .*: null pointer/);
  });
});

describe('builtins', () => {
  test.each([
    ['sizeof(struct task_struct)', BigInt(TASK.size)],
    ['sizeof(task_struct)', BigInt(TASK.size)],
    ['sizeof(u64)', 8n],
    ['sizeof(unsigned long)', 8n],
    ['sizeof(struct task_struct *)', 8n],
    ['sizeof(char [16])', 16n],
    ['sizeof init_task', BigInt(TASK.size)],
    ['sizeof(init_task.comm) / sizeof(init_task.comm[0])', 16n],
    ['sizeof *task_pointer', BigInt(TASK.size)],
    ['sizeof(1 / 0)', 4n],
    ['sizeof "abc"', 4n],
    ['offsetof(struct task_struct, tasks)', 24n],
    ['offsetof(task_struct, se.weight)', 56n],
    ['offsetof(struct task_struct, counts[3])', 76n],
    ['offsetof(struct task_struct, mm)', 80n],
    ['container_of(init_task.tasks.next, struct task_struct, tasks)->pid', 4711n],
    ['list_entry(init_task.tasks.next, task_struct, tasks)->pid', 4711n],
    ['container_of(0xffff888002000018, struct task_struct, tasks)->pid', 4711n],
    ['per_cpu(runqueues, 2).nr_running', 3n],
    ['per_cpu_ptr(&runqueues, 1 + 2)->nr_running', 4n],
    ['per_cpu_ptr((struct rq *)0x32c80, 0)->nr_running', 1n],
    ['&per_cpu(runqueues, 1)', RUNQUEUES_OFFSET + 0xffff_8881_0010_0000n],
    ['sizeof(runqueues)', 16n],
    ['&runqueues', RUNQUEUES_OFFSET],
  ])('%s', (text, value) => {
    expect(number(text)).toBe(value);
  });

  test('sizeof and types read no memory', () => {
    expect(number('sizeof(*init_task.parent->parent) + sizeof(task_pointer->counts[1 / 0])')).toBe(
      BigInt(TASK.size) + 4n,
    );
    expect(typeName(typeOfExpression('task_pointer->parent->tasks.next', kernel.environment))).toBe(
      'struct list_head *',
    );
    expect(typeName(typeOfExpression('per_cpu(runqueues, 7).curr->comm', kernel.environment))).toBe('char [16]');
    expect(typeName(typeOfExpression('runqueues:0-3.curr', kernel.environment))).toBe('struct task_struct *');
    expect(kernel.fake.memory.reads).toEqual([]);
  });
});

describe('per-CPU suffixes', () => {
  function values(text: string): readonly (readonly [number | undefined, bigint])[] {
    return evaluateEach(text, kernel.environment).map(({ cpu, value }) => [cpu, value.toBigInt()]);
  }

  test.each([
    ['runqueues:2.nr_running', [[2, 3n]]],
    ['runqueues:.nr_running', [[1, 2n]]],
    ['runqueues.nr_running:3', [[3, 4n]]],
    [
      'runqueues:1,3.nr_running',
      [
        [1, 2n],
        [3, 4n],
      ],
    ],
    [
      'runqueues:0,2-3.nr_running + 1',
      [
        [0, 2n],
        [2, 4n],
        [3, 5n],
      ],
    ],
    ['runqueues.curr->pid:0-1', undefined],
    [
      '(runqueues:a).nr_running',
      [
        [0, 1n],
        [1, 2n],
        [2, 3n],
        [3, 4n],
      ],
    ],
    [
      'runqueues:all.nr_running - runqueues:0.nr_running',
      [
        [0, 0n],
        [1, 1n],
        [2, 2n],
        [3, 3n],
      ],
    ],
    [
      'runqueues:0-1.nr_running * runqueues:0-1.nr_running',
      [
        [0, 1n],
        [1, 4n],
      ],
    ],
    ['runqueues:3.nr_running - runqueues:0.nr_running', [[3, 3n]]],
    ['runqueues:1.nr_running > 1 ? (runqueues:2.nr_running) : 0', [[1, 3n]]],
    ['1 ? 2 : 3', [[undefined, 2n]]],
    ['1?minus:3', [[undefined, -2n]]],
    ['&runqueues:0', [[0, RUNQUEUES_OFFSET + 0xffff_8881_0000_0000n]]],
  ] as const)('%s', (text, expected) => {
    if (expected === undefined)
      expect(values(text)).toEqual([
        [0, 4711n],
        [1, 4711n],
      ]);
    else expect(values(text)).toEqual(expected);
  });

  test.each([
    ['runqueues:9', 10, 'no cpu "9" (there are 0-3)'],
    ['runqueues:3-1', 10, 'no cpu "3" (there are 0-3)'],
    ['runqueues:0-1.nr_running + runqueues:2-3.nr_running', 36, 'two different lists of CPUs in one expression'],
    ['minus:0', 5, 'minus is not a per-CPU variable'],
    ['nothere:0', 0, 'no symbol "nothere"'],
    ['runqueues:x', 10, 'expected an operator, found "x"'],
    ['(1):0', 3, 'CPUs can be named only after a per-CPU variable, as runqueues:0'],
    ['per_cpu(runqueues, 4)', 19, 'no CPU 4: there are 0-3'],
    ['runqueues.nr_running + 1', 0, 'runqueues is a per-CPU variable: every CPU has its own'],
  ])('%s', (text, column, message) => {
    const error = errorOf(text);
    expect([error.message, error.column]).toEqual([message, column]);
  });

  test('one value is wanted: several are an error at the suffix', () => {
    const error = errorOf('runqueues:0-3');
    expect([error.message, error.column]).toEqual(['the expression has 4 values; one is wanted here', 9]);
  });
});

describe('errors point at their column', () => {
  test.each([
    ['', 0, 'expected a value, the expression ends'],
    ['1 +', 3, 'expected a value, the expression ends'],
    ['1 2', 2, 'expected an operator, found "2"'],
    ['(1 + 2', 6, 'expected ")", the expression ends'],
    ['1 + )', 4, 'expected a value, found ")"'],
    ['minus[1', 7, 'expected "]", the expression ends'],
    ['1 ? 2', 5, 'expected ":", the expression ends'],
    ['init_task.', 10, 'expected a member name, the expression ends'],
    ['init_task.+', 10, 'expected a member name, found "+"'],
    ['minus = 1', 6, 'nothing can be assigned: kdbg never writes kernel memory'],
    ['minus += 1', 6, 'nothing can be assigned: kdbg never writes kernel memory'],
    ['minus++', 5, 'nothing can be assigned: kdbg never writes kernel memory'],
    ['schedule()', 8, 'a function cannot be called here'],
    ['1 # 2', 2, 'unexpected character "#"'],
    ['"abc', 0, '" is never closed'],
    ['struct task_struct', 0, 'a type is not a value'],
    ['page', 0, 'struct page is a type, not a value'],
    ['1 + nothere', 4, 'no symbol "nothere"'],
    ['1 + $lost', 4, 'no variable "$lost"'],
    ['init_task.pidd', 10, 'no member "pidd" in struct task_struct; did you mean pid?'],
    ['1 + task_pointer->commm', 18, 'no member "commm" in struct task_struct; did you mean comm?'],
    ['untyped->pid', 9, 'unsigned long has no member "pid"'],
    ['minus.pid', 6, 'int has no member "pid"'],
    ['*minus', 0, 'int is not a pointer'],
    ['*(void *)0x1000', 0, 'cannot look through a void pointer'],
    ['*$hidden', 0, 'struct hidden is only declared in this kernel: it has no members'],
    ['$hidden + 1', 8, 'struct hidden is only declared in this kernel: its size is not known'],
    ['1 + init_task', 4, 'struct task_struct is not a number'],
    ['init_task ? 1 : 2', 0, 'struct task_struct is not a number'],
    ['&5', 0, 'a computed value has no address'],
    ['&(minus + 1)', 0, 'a computed value has no address'],
    ['&task_pointer->in_iowait', 0, 'task_struct.in_iowait is a bitfield: it has no address'],
    ['sizeof(task_pointer->in_iowait)', 21, 'a bitfield has no size'],
    ['(struct rq)init_task', 1, 'cannot cast struct task_struct to struct rq'],
    ['2 * (struct no_such *)1', 5, 'no type "struct no_such"'],
    ['sizeof(struct no_such)', 7, 'no type "struct no_such"'],
    ['offsetof(struct task_struct, nope)', 29, 'no member "nope" in struct task_struct'],
    ['offsetof(struct task_struct)', 27, 'expected ",", found ")"'],
    ['offsetof(, x)', 9, 'expected a type'],
    ['offsetof(struct task_struct, mode)', 29, 'mode is a bitfield: it has no offset'],
    ['container_of(init_task, struct task_struct, tasks)', 13, 'struct task_struct is not a pointer'],
    ['task_pointer + task_pointer', 13, 'two pointers cannot be added'],
    ['task_pointer - &minus', 13, 'struct task_struct * and int * have no distance'],
    ['minus == "x"', 0, 'int is not a string'],
  ])('%s', (text, column, message) => {
    const error = errorOf(text);
    expect([error.message.replace(/ near.*/, ''), error.column, error.source]).toEqual([
      expect.stringContaining(message) as unknown as string,
      column,
      text,
    ]);
  });

  test('text is bounded in length and depth', () => {
    expect(errorOf('1'.repeat(EXPRESSION_LENGTH_MAX + 1)).message).toContain('at most 4096 characters');
    for (const text of [
      '('.repeat(3000),
      `${'('.repeat(1000)}1${')'.repeat(1000)}`,
      '~'.repeat(3000),
      `1${'+1'.repeat(2000)}`,
    ]) {
      expect(errorOf(`${text}1`).message).toMatch(/nested too deeply|expected/);
    }
    expect(errorOf(`1${'+1'.repeat(1500)}`).message).toBe('the expression is nested too deeply');
    expect(number(`${'('.repeat(60)}1${')'.repeat(60)}${'+1'.repeat(100)}`)).toBe(101n);
  });
});

describe('names', () => {
  test('a name that several symbols have is taken with a notice', () => {
    expect(number('twice')).toBe(0xffff_ffff_8200_0000n);
    expect(kernel.notices).toEqual(['2 symbols are named twice: taking ffffffff82000000']);
  });

  test('variables are values of before', () => {
    kernel.variables.set('1', evaluate('task_pointer', kernel.environment));
    kernel.variables.set('task', evaluate('init_task', kernel.environment));
    expect(number('$1->pid + $task.state')).toBe(4713n);
    expect(errorOf('$tusk').message).toBe('no variable "$tusk"; did you mean $task?');
    expect(errorOf('$').message).toBe('there is no earlier value');
  });

  test('locals come before symbols', () => {
    const environment = {
      ...kernel.environment,
      local: (name: string) => (name === 'minus' ? Value.of(kernel.memory, INT, 5n) : undefined),
    };
    expect(evaluateInteger('minus * 2', environment)).toBe(10n);
  });

  test('the bare name of an expression', () => {
    expect(bareName(parseFor(' runqueues ', { types: kernel.fake.types }))).toBe('runqueues');
    expect(bareName(parseFor('runqueues.curr', { types: kernel.fake.types }))).toBeUndefined();
  });

  test('a typedef in brackets is a cast, a variable is not', () => {
    expect(number('(u32) -1')).toBe(0xffff_ffffn);
    expect(number('(minus) -1')).toBe(-3n);
  });

  test('an error in a longer line moves with it', () => {
    const error = errorOf('1 +').within('p 1 +', 2);
    expect([error.source, error.column]).toEqual(['p 1 +', 5]);
  });
});
