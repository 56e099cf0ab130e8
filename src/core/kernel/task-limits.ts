/** Resource limits of a process: signal_struct.rlim[], which its threads share. */
import type { Kernel } from './kernel.ts';
import { defineStruct, embedded, long } from './struct.ts';
import type { Task } from './task-struct.ts';

const SignalStruct = defineStruct('signal_struct', { limits: embedded('rlim') });
const Rlimit = defineStruct('rlimit', { current: long('rlim_cur'), maximum: long('rlim_max') });

/** RLIM_NLIMITS limits in the order of include/uapi/asm-generic/resource.h. */
const NAMES = [
  ...['CPU', 'FSIZE', 'DATA', 'STACK', 'CORE', 'RSS', 'NPROC', 'NOFILE', 'MEMLOCK', 'AS', 'LOCKS', 'SIGPENDING'],
  ...['MSGQUEUE', 'NICE', 'RTPRIO', 'RTTIME'],
] as const;

export interface ResourceLimit {
  /** `NOFILE`. */
  readonly name: string;
  /** Undefined for no limit (RLIM_INFINITY). */
  readonly current: bigint | undefined;
  readonly maximum: bigint | undefined;
}

const INFINITY = (1n << 64n) - 1n;

/** Brings the limits of many tasks in with one request. */
export function prefetchLimits(kernel: Kernel, tasks: readonly Task[]): void {
  kernel.struct(SignalStruct).prefetch(tasks.map((task) => task.signal));
}

/** Throws FaultError. */
export function resourceLimits(kernel: Kernel, task: Task): readonly ResourceLimit[] {
  const start = kernel.struct(SignalStruct).at(task.signal).limits;
  const struct = kernel.struct(Rlimit);
  return NAMES.map((name, i) => {
    const { current, maximum } = struct.at(start + BigInt(i * struct.size));
    return { name, current: finite(current), maximum: finite(maximum) };
  });
}

function finite(limit: bigint): bigint | undefined {
  const value = BigInt.asUintN(64, limit);
  return value === INFINITY ? undefined : value;
}
