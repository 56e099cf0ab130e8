/** Resource limits of a process: signal_struct.rlim[], which its threads share. */
import { decodeText } from '../memory/text.ts';
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

const FILE_LENGTH_MAX = 8192;

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

/** Of processes by /proc/PID/limits, with one request; undefined for one that cannot be read. */
export function procLimits(kernel: Kernel, pids: readonly number[]): readonly (readonly ResourceLimit[] | undefined)[] {
  const results = kernel.files.readMany(
    pids.map((pid) => `/proc/${pid}/limits`),
    FILE_LENGTH_MAX,
  );
  return pids.map((_pid, i) => {
    const result = results[i];
    return result?.ok === true ? parseLimits(decodeText(result.bytes)) : undefined;
  });
}

/** A heading, then a line for each limit in the order of its number: its name in 25 characters, soft, hard, unit. */
function parseLimits(text: string): readonly ResourceLimit[] {
  const lines = text.split('\n').slice(1);
  return NAMES.flatMap((name, i) => {
    const match = /^.{25}\s(unlimited|\d{1,20})\s+(unlimited|\d{1,20})(?:\s|$)/.exec(lines[i] ?? '');
    return match === null ? [] : [{ name, current: limitOf(match[1]), maximum: limitOf(match[2]) }];
  });
}

function limitOf(text: string | undefined): bigint | undefined {
  return text === undefined || text === 'unlimited' ? undefined : BigInt(text);
}

function finite(limit: bigint): bigint | undefined {
  const value = BigInt.asUintN(64, limit);
  return value === INFINITY ? undefined : value;
}
