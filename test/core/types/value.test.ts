import { describe, expect, test } from 'vitest';
import { DataError, FaultError, NotFoundError, UsageError } from '../../../src/core/errors.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { Memory } from '../../../src/core/memory/memory.ts';
import { typeName } from '../../../src/core/types/type-name.ts';
import { pointerTo, Value } from '../../../src/core/types/value.ts';
import { BOOL, bytesValue, DOUBLE, ExpressionKernel, INT128, SCHAR, TASK } from '../../support/c-types.ts';
import { arrayOf, CHAR, INT, struct, U8, U32, U64 } from '../../support/fake-kernel.ts';

const kernel = new ExpressionKernel();
const task = Value.at(kernel.memory, TASK, kernel.second);

describe('numbers', () => {
  test.each([
    [INT, [0xfe, 0xff, 0xff, 0xff], -2n],
    [U32, [0xfe, 0xff, 0xff, 0xff], 0xffff_fffen],
    [SCHAR, [0x80], -128n],
    [U8, [0x80], 128n],
    [BOOL, [1], 1n],
    [U64, [1, 2, 3, 4, 5, 6, 7, 0x88], 0x8807_0605_0403_0201n],
    [INT128, Array(16).fill(0xff), -1n],
    [pointerTo(INT), [0, 0, 0, 0x81, 0xff, 0xff, 0xff, 0xff], 0xffff_ffff_8100_0000n],
  ] as const)('%o of %o', (type, bytes, expected) => {
    expect(bytesValue(type, Uint8Array.from(bytes)).toBigInt()).toBe(expected);
  });

  test('of bitfields, signed and across bytes', () => {
    expect(task.member('in_iowait').toBigInt()).toBe(1n);
    expect(task.member('mode').toBigInt()).toBe(-3n);
    expect(task.member('wide').toBigInt()).toBe(0xff_ffff_ffffn);
    expect(task.member('wide').bytes()).toHaveLength(6);
  });

  test('that are not numbers, or not exact as a double', () => {
    expect(() => task.toBigInt()).toThrow(new UsageError('struct task_struct is not a number'));
    expect(() => Value.of(kernel.memory, U64, 1n << 60n).toNumber()).toThrow(DataError);
    expect(task.member('pid').toNumber()).toBe(4711);
    expect(bytesValue(DOUBLE, Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x3f)).toNumber()).toBe(1.5);
  });

  test('are wrapped to their type when computed', () => {
    expect(Value.of(kernel.memory, U8, 0x1ffn).toBigInt()).toBe(255n);
    expect(Value.of(kernel.memory, INT, 0xffff_ffffn).toBigInt()).toBe(-1n);
    expect(Value.of(kernel.memory, INT, -2n).bytes()).toEqual(Uint8Array.of(0xfe, 0xff, 0xff, 0xff));
  });
});

describe('parts', () => {
  test('members by path, through anonymous ones and pointers', () => {
    expect(task.member('comm').string()).toBe('bash');
    expect(task.member('counts[3]').toBigInt()).toBe(40n);
    expect(task.member('rcu').address).toBe(kernel.second + 80n);
    expect(task.member('parent').member('comm').string()).toBe('swapper/0');
    expect(task.member('parent').member('se.weight').toBigInt()).toBe(-5n);
    expect(() => task.member('com')).toThrow(NotFoundError);
    expect(() => task.member('com')).toThrow(/did you mean comm/);
  });

  test('elements of arrays and behind pointers', () => {
    const counts = task.member('counts');
    expect(counts.index(1).toBigInt()).toBe(20n);
    expect(counts.dereference().toBigInt()).toBe(10n);
    expect(counts.decay().index(2).toBigInt()).toBe(30n);
    expect(counts.addressOf().cast(pointerTo(INT)).index(3).toBigInt()).toBe(40n);
    expect(Value.of(kernel.memory, pointerTo(INT), 8n).index(-1).address).toBe(4n);
    expect(Value.of(kernel.memory, pointerTo(INT), 0n).index(-1).address).toBe(0xffff_ffff_ffff_fffcn);
  });

  test('keep their place', () => {
    const pointer = task.member('tasks').addressOf();
    expect([typeName(pointer.type), pointer.toBigInt()]).toEqual(['struct list_head *', kernel.second + 24n]);
    expect(task.address).toBe(kernel.second);
    expect(pointer.address).toBeUndefined();
    expect(() => pointer.addressOf()).toThrow('a computed value has no address');
    expect(() => task.member('mode').addressOf()).toThrow('task_struct.mode is a bitfield');
  });

  test('casts between numbers and pointers', () => {
    expect(typeName(task.member('counts').cast(pointerTo(U8)).type)).toBe('unsigned char *');
    expect(task.member('pid').cast(U8).toBigInt()).toBe(0x67n);
    expect(task.member('pid').cast(BOOL).toBigInt()).toBe(1n);
    expect(() => task.cast(INT)).toThrow('cannot cast struct task_struct to int');
  });

  test('strings of arrays and pointers', () => {
    const parent = task.member('parent');
    expect(parent.member('name').string()).toBe('a name');
    expect(parent.member('name').string(3)).toBe('a n');
    expect(bytesValue(arrayOf(CHAR, 3), Uint8Array.of(97, 98, 99)).string()).toBe('abc');
    expect(() => task.member('name').string()).toThrow(/cannot read task_struct.name .*: null pointer/);
    expect(() => task.member('pid').string()).toThrow('int is not a string');
    expect(() => task.member('counts').string()).toThrow('int [4] is not a string');
  });
});

describe('reading', () => {
  test('a snapshot is read once and its parts with it', () => {
    const cold = new ExpressionKernel();
    const snapshot = Value.at(cold.memory, TASK, cold.second).snapshot() as Value;
    const requests = cold.memory.requests;
    expect(snapshot.member('comm').string()).toBe('bash');
    expect(snapshot.member('counts').index(2).toBigInt()).toBe(30n);
    expect(snapshot.member('mode').toBigInt()).toBe(-3n);
    expect(snapshot.member('tasks').address).toBe(cold.second + 24n);
    expect(cold.memory.requests).toBe(requests);
  });

  test('beyond a snapshot is the memory there, or an error where there is none', () => {
    const FLEXIBLE = struct('flexible', { n: INT, more: arrayOf(INT, 0) });
    const address = kernel.fake.allocate(16);
    kernel.fake.memory.writeInteger(address + 8n, 4, 77n);
    const memory = new Memory(kernel.fake.memory, { liveness: 'frozen' });
    const snapshot = Value.at(memory, FLEXIBLE, address).snapshot() as Value;
    expect(snapshot.member('more').index(1).toBigInt()).toBe(77n);
    expect(() => bytesValue(FLEXIBLE, new Uint8Array(4)).member('more').index(1)).toThrow(DataError);
  });

  test('faults say type and member', () => {
    const nowhere = Value.of(kernel.memory, pointerTo(TASK), 0xffff_8880_9999_0000n);
    expect(() => nowhere.member('comm').string()).toThrow(FaultError);
    expect(() => nowhere.member('comm').string()).toThrow(
      'cannot read task_struct.comm (16 bytes at ffff888099990008): not mapped',
    );
    expect(nowhere.member('se').member('weight').tryBytes()).toMatchObject({ what: 'sched_entity.weight' });
    expect(nowhere.member('counts').index(1).tryBytes()).toMatchObject({ what: 'task_struct.counts[1]' });
    expect(nowhere.dereference().snapshot()).toBeInstanceOf(Fault);
    expect(() => nowhere.member('parent').dereference()).toThrow(/cannot read task_struct.parent/);
  });
});
