/**
 * Counters that CPUs share: a struct percpu_counter is a sum that each CPU adds to in batches, and what each still holds
 * back. An atomic is a counter as well, without the second part.
 */
import { findMember } from '../types/member-path.ts';
import { type CType, resolve, sizeOf } from '../types/type.ts';
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';
import { perCpuAddress } from './percpu.ts';

/** How one kind of counter is read. */
export interface Counter {
  /** The exact sum. Throws FaultError. */
  readonly read: (address: bigint) => number;
  /** Where its per-CPU part is, once the counter itself was read; undefined where it has none. */
  readonly perCpu: (address: bigint) => bigint | undefined;
}

/** How a counter of this type is read; undefined for a type that is no counter known here. */
export function counterOf(kernel: Kernel, type: CType): Counter | undefined {
  const resolved = resolve(type);
  if (resolved.kind !== 'struct') return undefined;
  // Without SMP there is nothing but the sum.
  if (resolved.name === 'percpu_counter') return sharedCounter(kernel, resolved, 'count', 'counters');
  return sharedCounter(kernel, resolved, 'counter', undefined);
}

/** Brings in what the CPUs hold of many counters, with one request. */
export function prefetchCounters(kernel: Kernel, counter: Counter, addresses: readonly bigint[]): void {
  const online = cpus(kernel, 'online');
  const perCpu = addresses.map(counter.perCpu).filter((pointer) => pointer !== undefined);
  kernel.memory.prefetch(
    perCpu.flatMap((pointer) =>
      online.map((cpu) => ({
        space: 'virtual' as const,
        address: perCpuAddress(kernel, pointer, cpu),
        length: 4,
        what: 'percpu_counter.counters',
      })),
    ),
  );
}

/** A value of its own, and a 32-bit one for each CPU. */
function sharedCounter(kernel: Kernel, type: CType, own: string, perCpu: string | undefined): Counter | undefined {
  const ownMember = findMember(type, own);
  if (ownMember === undefined) return undefined;
  const ownAt = BigInt(ownMember.offset);
  const wide = sizeOf(ownMember.type) === 8;
  const perCpuMember = perCpu === undefined ? undefined : findMember(type, perCpu);
  const perCpuAt = perCpuMember === undefined ? undefined : BigInt(perCpuMember.offset);
  const what = 'percpu_counter.counters';
  const pointerOf = (address: bigint) => {
    const pointer = perCpuAt === undefined ? 0n : kernel.memory.u64(address + perCpuAt, what);
    return pointer === 0n ? undefined : pointer;
  };
  return {
    perCpu: pointerOf,
    read(address) {
      const { memory } = kernel;
      const at = address + ownAt;
      let sum = wide ? Number(memory.s64(at, 'counter')) : memory.s32(at, 'counter');
      const pointer = pointerOf(address);
      if (pointer === undefined) return sum;
      for (const cpu of cpus(kernel, 'online')) sum += memory.s32(perCpuAddress(kernel, pointer, cpu), what);
      return sum;
    },
  };
}
