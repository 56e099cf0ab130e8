/**
 * Return addresses that a tracer replaced. The function graph tracer and return probes put the address of a trampoline
 * in the place of a return address and keep the real one elsewhere, per task; an unwinder that did not know would end
 * at the trampoline.
 *
 *     return_to_handler                function graph: the real address is on task->ret_stack
 *     arch_rethook_trampoline          kretprobes and fprobes: the task's list `rethooks` (v5.18)
 *     __kretprobe_trampoline,          kretprobes before: the task's list `kretprobe_instances`
 *     kretprobe_trampoline             (d741bf41d7c7, v5.11), before that a hash table by task
 *
 * Each record says at which stack slot it replaced the address, so none is taken for another.
 */
import type { RecoveredReturn } from '../arch/x86_64/unwind.ts';
import { KdbgError } from '../errors.ts';
import { type CType, resolve } from '../types/type.ts';
import { walkHlistOf } from './hlist.ts';
import type { Kernel } from './kernel.ts';
import { walkLlistOf } from './llist.ts';
import { findStructMember } from './member.ts';
import { defineStruct, embedded, int, optional, pointer } from './struct.ts';

const TracedTask = defineStruct('task_struct', {
  retStackTop: optional(int('curr_ret_stack')),
  retStack: optional(pointer('ret_stack')),
  rethooks: optional(embedded('rethooks')),
  kretprobes: optional(embedded('kretprobe_instances')),
});
/** One traced call: in an array, or since 7aa1eaef9f42 (v6.11) among other words on a shadow stack of one page. */
const FtraceRetStack = defineStruct('ftrace_ret_stack', {
  ret: pointer('ret'),
  retp: optional(pointer('retp')),
});
const RethookNode = defineStruct('rethook_node', { ret: pointer('ret_addr'), frame: pointer('frame') });
const KretprobeInstance = defineStruct('kretprobe_instance', { ret: pointer('ret_addr'), frame: pointer('fp') });

/** SHADOW_STACK_SIZE; the array before it, of at most 50 records (FTRACE_RETFUNC_DEPTH), is not longer. */
const RET_STACK_SIZE = 4096;
const RET_DEPTH_MAX = 50;
const HOOKS_MAX = 4096;
/** GOLDEN_RATIO_64 of linux/hash.h, and KPROBE_HASH_BITS. */
const GOLDEN_RATIO_64 = 0x61c8_8646_80b5_83ebn;
const KRETPROBE_HASH_BITS = 6;
/** Kinds of tracers that can have replaced one return address, twice over. */
const TRACERS_MAX = 4;

/** Trampolines by address. */
export function trampolines(kernel: Kernel): ReadonlyMap<bigint, string> {
  return kernel.memo('unwind trampolines', 'session', () => {
    const found = new Map<bigint, string>();
    for (const name of [
      'return_to_handler',
      'arch_rethook_trampoline',
      '__kretprobe_trampoline',
      'kretprobe_trampoline',
    ]) {
      const address = kernel.addressOf(name);
      if (address !== undefined) found.set(address, name);
    }
    return found;
  });
}

/** The real return address that a task's stack slot had; undefined when `pc` is no trampoline. */
export function recoverReturn(kernel: Kernel, task: bigint, pc: bigint, slot: bigint): RecoveredReturn | undefined {
  const known = trampolines(kernel);
  const trampoline = known.get(pc);
  if (trampoline === undefined) return undefined;
  let real: bigint | undefined = pc;
  try {
    // A function that both trace has the one's trampoline in the other's record.
    for (let depth = 0; depth < TRACERS_MAX && real !== undefined; depth++) {
      const name = known.get(real);
      if (name === undefined) return { trampoline, pc: real };
      real = (name === 'return_to_handler' ? fromRetStack : fromHooks)(kernel, task, slot, real);
    }
  } catch (error) {
    // The frame is then shown as the trampoline that it is.
    if (!(error instanceof KdbgError) || error.status !== 1 || error.endsCommand) throw error;
  }
  return { trampoline, pc: undefined };
}

/**
 * A record whose `retp` is the slot. The words between the records of a shadow stack are bit masks and small data that
 * no stack address is among, so records are found by that pointer and need not be followed.
 */
function fromRetStack(kernel: Kernel, task: bigint, slot: bigint, trampoline: bigint): bigint | undefined {
  const traced = kernel.struct(TracedTask).at(task);
  const record = kernel.struct(FtraceRetStack);
  const { retStack, retStackTop } = traced;
  const retp = record.offset('retp');
  if (retStack === undefined || retStack === 0n || retStackTop === undefined || retp === undefined) return undefined;
  if (retStackTop < 0) return undefined;
  const shadow = findStructMember(kernel, 'task_struct', 'ret_stack')?.type;
  const words = shadow !== undefined && isPointerToInteger(shadow);
  const step = words ? 8 : record.size;
  const length = words ? RET_STACK_SIZE : Math.min(retStackTop + 1, RET_DEPTH_MAX) * record.size;
  const bytes = kernel.memory.read(retStack, length, 'task_struct.ret_stack');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const ret = record.offset('ret') ?? 0;
  // The newest records are last. A record of a tail call has the trampoline itself as its return address.
  for (let at = Math.floor((length - record.size) / step) * step; at >= 0; at -= step) {
    if (view.getBigUint64(at + retp, true) !== slot) continue;
    const pc = view.getBigUint64(at + ret, true);
    if (pc !== trampoline) return pc;
  }
  return undefined;
}

function fromHooks(kernel: Kernel, task: bigint, slot: bigint, trampoline: bigint): bigint | undefined {
  const { rethooks, kretprobes } = kernel.struct(TracedTask).at(task);
  const lists: readonly (readonly [bigint | undefined, typeof RethookNode])[] = [
    [rethooks, RethookNode],
    [kretprobes, KretprobeInstance],
  ];
  for (const [head, definition] of lists) {
    if (head === undefined || findStructMember(kernel, definition.name, 'llist') === undefined) continue;
    const node = kernel.struct(definition);
    for (const address of walkLlistOf(kernel, head, definition.name, 'llist', { limit: HOOKS_MAX })) {
      const { ret, frame } = node.at(address);
      if (frame === slot && ret !== trampoline) return ret;
    }
  }
  return fromHashTable(kernel, task, slot, trampoline);
}

/** Before v5.11: hlists of struct kretprobe_instance, in `kretprobe_inst_table` by hash_ptr(task, 6). */
function fromHashTable(kernel: Kernel, task: bigint, slot: bigint, trampoline: bigint): bigint | undefined {
  const table = kernel.addressOf('kretprobe_inst_table');
  if (table === undefined || findStructMember(kernel, 'kretprobe_instance', 'hlist') === undefined) return undefined;
  const bucket = BigInt.asUintN(64, task * GOLDEN_RATIO_64) >> BigInt(64 - KRETPROBE_HASH_BITS);
  const instance = kernel.struct(KretprobeInstance);
  const head = table + bucket * 8n;
  for (const address of walkHlistOf(kernel, head, 'kretprobe_instance', 'hlist', { limit: HOOKS_MAX })) {
    const { ret, frame } = instance.at(address);
    if (frame === slot && ret !== trampoline) return ret;
  }
  return undefined;
}

function isPointerToInteger(type: CType): boolean {
  const pointerType = resolve(type);
  return pointerType.kind === 'pointer' && resolve(pointerType.target).kind === 'int';
}
