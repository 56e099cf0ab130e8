import { describe, expect, test } from 'vitest';
import { unwindTask } from '../../../src/core/kernel/stack.ts';
import { POINTER, pointerTo, struct, U64 } from '../../support/fake-kernel.ts';
import { entry } from '../../support/fake-orc.ts';
import { userModeRegisters } from '../../support/fake-stack.ts';
import { LLIST_NODE, StacksKernel, TASK_STRUCT } from '../../support/fake-stacks-kernel.ts';

const HANDLER = 0xffff_ffff_8170_0000n;
const RETHOOK = 0xffff_ffff_8170_0100n;
const KRETPROBE = 0xffff_ffff_8170_0200n;
/** struct ftrace_ret_stack of 6.1. */
const RET_STACK = struct('ftrace_ret_stack', { ret: U64, func: U64, calltime: U64, fp: U64, retp: POINTER });
const RETHOOK_NODE = struct('rethook_node', {
  rcu: struct('callback_head', { next: POINTER, func: POINTER }),
  llist: LLIST_NODE,
  rethook: POINTER,
  ret_addr: U64,
  frame: U64,
});

/** nanosleep, whose return address to its caller was replaced by `trampoline`. */
function traced(trampoline: bigint) {
  const fake = new StacksKernel();
  fake.function('schedule', entry({ spOffset: 16 }));
  fake.function('nanosleep');
  fake.function('caller');
  fake.function('after_hwframe', entry({ type: 'regs', spOffset: 0 }));
  fake.symbols.add('return_to_handler', HANDLER, 'T');
  fake.symbols.add('arch_rethook_trampoline', RETHOOK, 'T');
  fake.symbols.add('kretprobe_trampoline', KRETPROBE, 'T');
  const { task, stack } = fake.task();
  const sp = stack + 0x3e00n;
  fake.sleeps(task, sp, fake.at('schedule'));
  fake.memory.u64(sp + 64n, fake.at('nanosleep'));
  const slot = sp + 72n;
  fake.memory.u64(slot, trampoline);
  fake.memory.u64(slot + 8n, fake.at('after_hwframe'));
  fake.registers(slot + 16n, userModeRegisters());
  return { fake, task, slot };
}

const show = (fake: StacksKernel, task: bigint) =>
  unwindTask(fake.finish().kernel(), task).frames.map((frame) => [
    frame.symbol?.name,
    frame.trampoline,
    frame.method,
    frame.reliable,
  ]);

const followed = (trampoline: string) => [
  ['schedule', undefined, 'regs', true],
  ['nanosleep', undefined, 'orc', true],
  ['caller', trampoline, 'orc', true],
  ['after_hwframe', undefined, 'orc', true],
];

describe('the function graph tracer', () => {
  test('keeps return addresses in an array of records', () => {
    const { fake, task, slot } = traced(HANDLER);
    fake.types.add(RET_STACK);
    const records = fake.allocate(RET_STACK.size * 50);
    fake.set(TASK_STRUCT, task, 'ret_stack', records);
    fake.set(TASK_STRUCT, task, 'curr_ret_stack', 1);
    fake.place(RET_STACK, { ret: 1n, retp: slot + 0x40n }, records);
    fake.place(RET_STACK, { ret: fake.at('caller'), retp: slot }, records + BigInt(RET_STACK.size));
    expect(show(fake, task)).toEqual(followed('return_to_handler'));
  });

  test('keeps them on a shadow stack since 6.11', () => {
    const { fake, task, slot } = traced(HANDLER);
    fake.types.types.splice(fake.types.types.indexOf(TASK_STRUCT), 1);
    const type = { ...TASK_STRUCT, members: TASK_STRUCT.members.map((member) => ({ ...member })) };
    const member = type.members.find((candidate) => candidate.name === 'ret_stack');
    Object.assign(member ?? {}, { type: pointerTo(U64) });
    fake.types.add(type);
    fake.types.add(struct('ftrace_ret_stack', { ret: U64, func: U64, retp: POINTER }));
    const shadow = fake.allocate(4096, { page: true });
    fake.set(TASK_STRUCT, task, 'ret_stack', shadow);
    fake.set(TASK_STRUCT, task, 'curr_ret_stack', 9);
    // An outer record, its bit mask word, data of a tracer, and the record of a tail call before the real one.
    const words = [0x11n, 0x12n, slot + 0x40n, 0x1403n, 0x55n, fake.at('caller'), 0x22n, slot, 0x1803n];
    for (const [i, word] of words.entries()) fake.memory.u64(shadow + BigInt(i * 8), word);
    expect(show(fake, task)).toEqual(followed('return_to_handler'));
  });

  test('without a record for the slot the trampoline is shown, and what follows is a guess', () => {
    const { fake, task } = traced(HANDLER);
    expect(show(fake, task)).toEqual([
      ['schedule', undefined, 'regs', true],
      ['nanosleep', undefined, 'orc', true],
      ['return_to_handler', 'return_to_handler', 'orc', true],
      ['after_hwframe', undefined, 'scan', false],
    ]);
  });
});

describe('return probes', () => {
  const node = (fake: StacksKernel, slot: bigint, ret: bigint, next = 0n) =>
    fake.place(RETHOOK_NODE, { 'llist.next': next, ret_addr: ret, frame: slot });

  test('are on the task, each with the slot that it replaced', () => {
    const { fake, task, slot } = traced(RETHOOK);
    fake.types.add(RETHOOK_NODE);
    const real = node(fake, slot, fake.at('caller'));
    const other = node(fake, slot - 0x100n, 0x1234n, real + 16n);
    fake.set(TASK_STRUCT, task, 'rethooks.first', other + 16n);
    expect(show(fake, task)).toEqual(followed('arch_rethook_trampoline'));
  });

  test('and the graph tracer can have replaced the same address one after the other', () => {
    const { fake, task, slot } = traced(HANDLER);
    fake.types.add(RETHOOK_NODE);
    fake.types.add(RET_STACK);
    const records = fake.allocate(RET_STACK.size * 50);
    fake.set(TASK_STRUCT, task, 'ret_stack', records);
    fake.place(RET_STACK, { ret: RETHOOK, retp: slot }, records);
    fake.set(TASK_STRUCT, task, 'rethooks.first', node(fake, slot, fake.at('caller')) + 16n);
    expect(show(fake, task)).toEqual(followed('return_to_handler'));
  });

  test('a list that loops ends', () => {
    const { fake, task, slot } = traced(RETHOOK);
    fake.types.add(RETHOOK_NODE);
    const loop = node(fake, slot - 8n, 1n);
    fake.set(RETHOOK_NODE, loop, 'llist.next', loop + 16n);
    fake.set(TASK_STRUCT, task, 'rethooks.first', loop + 16n);
    expect(show(fake, task)[2]).toEqual(['arch_rethook_trampoline', 'arch_rethook_trampoline', 'orc', true]);
  });

  test('of 5.11 to 5.17 are kretprobe instances', () => {
    const { fake, task, slot } = traced(KRETPROBE);
    const type = struct('kretprobe_instance', { rcu: U64, llist: LLIST_NODE, ret_addr: POINTER, fp: POINTER });
    fake.types.add(type);
    const instance = fake.place(type, { ret_addr: fake.at('caller'), fp: slot });
    fake.set(TASK_STRUCT, task, 'kretprobe_instances.first', instance + 8n);
    expect(show(fake, task)).toEqual(followed('kretprobe_trampoline'));
  });

  test('before 5.11 are in a hash table by task', () => {
    const { fake, task, slot } = traced(KRETPROBE);
    const type = struct('kretprobe_instance', {
      hlist: struct('hlist_node', { next: POINTER, pprev: POINTER }),
      ret_addr: POINTER,
      fp: POINTER,
    });
    fake.types.add(type);
    const table = fake.allocate(64 * 8);
    fake.symbols.add('kretprobe_inst_table', table);
    const bucket = BigInt.asUintN(64, task * 0x61c8_8646_80b5_83ebn) >> 58n;
    fake.memory.u64(table + bucket * 8n, fake.place(type, { ret_addr: fake.at('caller'), fp: slot }));
    expect(show(fake, task)).toEqual(followed('kretprobe_trampoline'));
  });
});

describe('generated code', () => {
  test('of BPF keeps frame pointers', () => {
    const { fake, task, slot } = traced(0n);
    const program = 0xffff_ffff_c020_0000n;
    fake.symbols.add('bpf_prog_0123456789abcdef_probe', program, 't', 'bpf');
    fake.sleeps(task, slot - 72n, fake.at('schedule'), { bp: slot + 0x40n });
    fake.memory.u64(slot - 8n, program + 0x20n);
    fake.memory.u64(slot + 0x48n, fake.at('caller'));
    fake.memory.write(program, new Uint8Array(64));
    fake.memory.u64(slot + 0x50n, fake.at('after_hwframe'));
    fake.registers(slot + 0x58n, userModeRegisters());
    expect(show(fake, task)).toEqual([
      ['schedule', undefined, 'regs', true],
      ['bpf_prog_0123456789abcdef_probe', undefined, 'orc', true],
      ['caller', undefined, 'fp', true],
      ['after_hwframe', undefined, 'orc', true],
    ]);
  });

  test('of the function tracer is unwound as the code that it is a copy of', () => {
    const { fake, task, slot } = traced(0n);
    const trampoline = 0xffff_ffff_c030_0000n;
    const ops = struct('ftrace_ops', { func: POINTER, next: POINTER, flags: U64, trampoline: POINTER });
    fake.types.add(ops);
    fake.function('ftrace_caller', entry({ spOffset: 8 }));
    fake.function('ftrace_regs_caller', entry({ spOffset: 32 }));
    fake.symbols.add('ftrace_trampoline', trampoline, 't', '__builtin__ftrace');
    const end = fake.global('ftrace_list_end', ops);
    const second = fake.place(ops, { next: end, flags: 4, trampoline });
    const first = fake.place(ops, { next: second, flags: 0, trampoline: trampoline + 0x1000n });
    fake.globalInteger('ftrace_ops_list', POINTER, first);
    fake.memory.u64(slot - 8n, trampoline + 0x20n);
    fake.memory.u64(slot + 24n, fake.at('caller'));
    fake.memory.u64(slot + 32n, fake.at('after_hwframe'));
    fake.registers(slot + 40n, userModeRegisters());
    expect(show(fake, task).map(([name, , method]) => [name, method])).toEqual([
      ['schedule', 'regs'],
      ['ftrace_trampoline', 'orc'],
      ['caller', 'orc'],
      ['after_hwframe', 'orc'],
    ]);
  });
});
