/**
 * A kernel with tasks that can be unwound: ORC tables, functions with symbols and bytes, task_structs, stacks.
 *
 *     const fake = new StacksKernel({ version: 3 });
 *     fake.function('schedule', { entry: entry({ spOffset: 16 }) });
 *     const task = fake.sleeping(['schedule', 'do_wait', 'syscall'], ...);
 */

import { PT_REGS_ORDER, type PtRegs } from '../../src/core/arch/x86_64/registers.ts';
import type { OrcEntry, OrcVersion } from '../../src/core/formats/orc.ts';
import { arrayOf, FakeKernel, HLIST_NODE, INT, LONG, POINTER, struct, U8, U32, U64, union } from './fake-kernel.ts';
import { entry, type OrcPlaces, placeOrc, TEXT } from './fake-orc.ts';

export const THREAD_SIZE = 0x4000;

export const INACTIVE_TASK_FRAME = struct('inactive_task_frame', {
  r15: U64,
  r14: U64,
  r13: U64,
  r12: U64,
  bx: U64,
  bp: U64,
  ret_addr: U64,
});
export const LLIST_NODE = struct('llist_node', { next: POINTER });
export const LLIST_HEAD = struct('llist_head', { first: POINTER });
const THREAD = struct('thread_struct', { sp: U64 });
const THREAD_INFO = struct('thread_info', { flags: U64, cpu: U32 });

/** task_struct, larger than a page as a real one. */
export const TASK_STRUCT = struct(
  'task_struct',
  {
    thread_info: THREAD_INFO,
    stack: POINTER,
    flags: U32,
    on_cpu: INT,
    pid: INT,
    nvcsw: { type: LONG, at: 0x800 },
    nivcsw: LONG,
    curr_ret_stack: INT,
    ret_stack: { type: POINTER, at: 0x820 },
    kretprobe_instances: { type: LLIST_HEAD, at: 0x828 },
    rethooks: { type: LLIST_HEAD, at: 0x830 },
    thread: { type: THREAD, at: 0x1400 },
  },
  { size: 0x1480 },
);
const MOD_ARCH = struct('mod_arch_specific', { num_orcs: U32, orc_unwind_ip: POINTER, orc_unwind: POINTER });
export const MODULE = struct('module', { arch: { type: MOD_ARCH, at: 0x200 } }, { size: 0x300 });

const FUNCTION_LENGTH = 0x100;
/** Offset in a function of the return addresses that `at` gives. */
const CALL_AT = 0x40;
/** Every text is full of calls: `e8` before each return address. */
const CALL_BYTE = 0xe8;

export class StacksKernel extends FakeKernel {
  readonly #version: OrcVersion;
  readonly #places: [bigint, OrcEntry][] = [];
  readonly #functions = new Map<string, bigint>();
  #nextFunction = TEXT + BigInt(FUNCTION_LENGTH);
  #nextStack = 0xffff_c900_0010_0000n;

  constructor(version: OrcVersion = 3) {
    super();
    this.#version = version;
    for (const type of [INACTIVE_TASK_FRAME, TASK_STRUCT, MODULE, LLIST_HEAD, LLIST_NODE, HLIST_NODE])
      this.types.add(type);
    this.types.add(union('thread_union', { stack: arrayOf(U8, THREAD_SIZE) }));
  }

  /** A function of vmlinux with one ORC entry for all of it, and bytes. */
  function(name: string, of: OrcEntry | undefined = entry(), bytes: Uint8Array = new Uint8Array(0)): bigint {
    const address = this.#nextFunction;
    this.#nextFunction += BigInt(FUNCTION_LENGTH);
    this.#functions.set(name, address);
    this.symbols.add(name, address, 'T');
    this.memory.write(address, new Uint8Array(FUNCTION_LENGTH));
    this.memory.write(address, bytes);
    this.memory.writeInteger(address + BigInt(CALL_AT - 5), 1, BigInt(CALL_BYTE));
    if (of !== undefined) {
      this.#places.push(
        [address, entry()],
        [address + 1n, of],
        [address + BigInt(FUNCTION_LENGTH), entry({ type: 'undefined', spOffset: 0 })],
      );
    }
    return address;
  }

  /** Gives a function's first byte another entry: for assembly that does not begin as functions do. */
  replaceEntry(name: string, of: OrcEntry): void {
    const address = this.#functions.get(name);
    for (const place of this.#places) if (place[0] === address) place[1] = of;
  }

  /** A return address in a function. */
  at(name: string): bigint {
    return (this.#functions.get(name) as bigint) + BigInt(CALL_AT);
  }

  /** Writes the tables; call it when all functions are there. */
  finish(options: { readonly header?: boolean; readonly lookup?: boolean } = {}): this {
    const places = new Map<bigint, OrcEntry>();
    for (const [address, of] of this.#places) {
      if (!places.has(address) || places.get(address)?.type === 'undefined') places.set(address, of);
    }
    placeOrc(this, this.#version, [...places] as OrcPlaces, options);
    return this;
  }

  /** An empty stack; its lowest address. */
  stack(): bigint {
    const start = this.#nextStack;
    this.#nextStack += 0x8000n;
    this.memory.write(start, new Uint8Array(THREAD_SIZE));
    return start;
  }

  /** A task that sleeps in `pc` with these registers in its inactive_task_frame at `sp`. */
  task(values: Record<string, bigint | number> = {}, stack = this.stack()): { task: bigint; stack: bigint } {
    const task = this.allocate(TASK_STRUCT.size, { align: 4096 });
    this.place(TASK_STRUCT, { stack, pid: 100, ...values }, task);
    return { task, stack };
  }

  sleeps(task: bigint, sp: bigint, pc: bigint, registers: Record<string, bigint> = {}): void {
    this.set(TASK_STRUCT, task, 'thread.sp', sp);
    this.place(INACTIVE_TASK_FRAME, { ret_addr: pc, ...registers }, sp);
  }

  registers(address: bigint, values: PtRegs): void {
    for (const [i, name] of PT_REGS_ORDER.entries()) this.memory.u64(address + BigInt(i * 8), values[name]);
  }
}
