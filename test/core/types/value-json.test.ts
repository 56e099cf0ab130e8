import { describe, expect, test } from 'vitest';
import { Memory } from '../../../src/core/memory/memory.ts';
import type { CompoundType, CType } from '../../../src/core/types/type.ts';
import { sizeOf, VOID } from '../../../src/core/types/type.ts';
import { Value } from '../../../src/core/types/value.ts';
import { type JsonOptions, valueToJson } from '../../../src/core/types/value-json.ts';
import { BOOL, bytesValue, DOUBLE, ExpressionKernel, FLAGS, functionType, SHORT, TASK } from '../../support/c-types.ts';
import {
  arrayOf,
  CHAR,
  FakeKernel,
  INT,
  LONG,
  pointerTo,
  struct,
  U8,
  U32,
  U64,
  union,
} from '../../support/fake-kernel.ts';

function json(type: CType, bytes: readonly number[], options?: JsonOptions): unknown {
  const all = new Uint8Array(sizeOf(type));
  all.set(bytes);
  return valueToJson(bytesValue(type, all), options);
}

const ONES = Array(8).fill(0xff);

test.each<[CType, readonly number[], unknown]>([
  [INT, ONES.slice(0, 4), -1],
  [U32, ONES.slice(0, 4), 4_294_967_295],
  [SHORT, [0xfe, 0xff], -2],
  [CHAR, [0x61], 97],
  [U64, ONES, '0xffffffffffffffff'],
  [LONG, ONES, '0xffffffffffffffff'],
  [LONG, [5], '0x5'],
  [BOOL, [1], true],
  [BOOL, [0], false],
  [pointerTo(VOID), [0], '0x0'],
  [pointerTo(TASK), [0, 0, 0, 0x81, 0xff, 0xff, 0xff, 0xff], '0xffffffff81000000'],
  [FLAGS, [2], 'RQ_IDLE'],
  [FLAGS, [3], 'RQ_ONLINE | RQ_IDLE'],
  [FLAGS, [0], 0],
  [DOUBLE, [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5],
  [DOUBLE, [0, 0, 0, 0, 0, 0, 0xf8, 0x7f], 'NaN'],
  [arrayOf(CHAR, 8), [0x61, 0x62, 0, 0x63], 'ab'],
  [arrayOf(CHAR, 3), [0x61, 0x62, 0x63], 'abc'],
  [arrayOf(U8, 3), [0, 0x1b, 0x21], [0, 0x1b, 0x21]],
  [arrayOf(INT, 0), [], []],
  [
    arrayOf(arrayOf(U8, 2), 2),
    [1, 2, 3, 4],
    [
      [1, 2],
      [3, 4],
    ],
  ],
  [struct('empty', {}), [], {}],
])('%o of %o', (type, bytes, expected) => {
  expect(json(type, bytes)).toEqual(expected);
});

describe('structures', () => {
  test('are objects, anonymous members theirs, unions all of their members', () => {
    const inner = union(undefined, { word: U32, bytes: arrayOf(U8, 4) });
    const type = struct('outer', {
      a: INT,
      _anonymous1: inner,
      list: struct('pair', { x: INT }),
      fn: pointerTo(functionType(VOID)),
    });
    expect(json(type, [1, 0, 0, 0, 2, 0, 0, 0, 3])).toEqual({
      a: 1,
      word: 2,
      bytes: [2, 0, 0, 0],
      list: { x: 3 },
      fn: '0x0',
    });
  });

  test('have bitfields by their type', () => {
    const kernel = new ExpressionKernel();
    const task = valueToJson(Value.at(kernel.memory, TASK, kernel.second)) as Record<string, unknown>;
    expect(task).toMatchObject({ in_iowait: 1, mode: -3, wide: '0xffffffffff', pid: 4711, comm: 'bash', rcu: '0x0' });
    expect(kernel.memory.requests).toBe(1);
  });

  test('with a name that means something to JavaScript', () => {
    const type: CompoundType = {
      ...struct('odd', {}),
      size: 4,
      members: [{ name: '__proto__', type: INT, bitOffset: 0, bitSize: undefined }],
    };
    expect(JSON.stringify(json(type, [7]))).toBe('{"__proto__":7}');
  });
});

describe('bounds', () => {
  test('arrays are cut, depth ends with null', () => {
    expect(json(arrayOf(U8, 600), [])).toHaveLength(256);
    expect(json(arrayOf(U8, 600), [], { printMax: 2 })).toEqual([0, 0]);
    expect(json(struct('a', { b: struct('b', { c: INT }) }), [], { depthMax: 1 })).toEqual({ b: null });
    const endless: CompoundType = {
      kind: 'struct',
      name: 'endless',
      size: 8,
      module: undefined,
      get members() {
        return [1, 2, 3].map((n) => ({ name: `m${n}`, type: endless, bitOffset: 0, bitSize: undefined }));
      },
    };
    expect(JSON.stringify(json(endless, [])).length).toBeLessThan(3_000_000);
  });

  test('what cannot be read is a fault in its place', () => {
    const kernel = new FakeKernel();
    const BIG = struct('big', { first: INT, pad: arrayOf(U8, 4092), last: INT });
    const address = kernel.allocate(8192, { page: true });
    kernel.set(BIG, address, 'first', 7);
    kernel.memory.fault(address + 4096n, 'not-recorded');
    const memory = new Memory(kernel.memory, { liveness: 'frozen' });
    const at = (address + 4096n).toString(16);
    expect(valueToJson(Value.at(memory, BIG, address), { printMax: 1 })).toEqual({
      first: 7,
      pad: [0],
      last: { fault: `cannot read big.last (4 bytes at ${at}): not recorded` },
    });
    expect(valueToJson(Value.at(memory, BIG, 0n))).toMatchObject({
      first: { fault: expect.stringContaining('null pointer') },
    });
    expect(valueToJson(Value.at(memory, INT, address + 4096n))).toEqual({
      fault: `cannot read int (4 bytes at ${at}): not recorded`,
    });
  });
});
