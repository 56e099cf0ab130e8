/**
 * The rule by which the kernel's khungtaskd reports a task (kernel/hung_task.c): uninterruptible, not killable, not idle,
 * not frozen, switched out at least once, and not switched since for hung_task_timeout_secs.
 */
import { FaultError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, int, long } from './struct.ts';
import { TASK_NOLOAD, TASK_UNINTERRUPTIBLE } from './task-state.ts';

const TASK_WAKEKILL = 0x100;
/** A bit of the state since f5d39b020809 "freezer,sched: Rewrite core freezer logic" (v6.1). */
const TASK_FROZEN = 0x8000;
/** Flags of the task before that: frozen, and told to the freezer to be left alone, as in vfork. */
const PF_FROZEN = 0x10000;
const PF_FREEZER_SKIP = 0x40000000;

const SECOND = 1000;
/** CONFIG_DEFAULT_HUNG_TASK_TIMEOUT, for kernels without the rule. */
const DEFAULT_TIMEOUT = 120;
const TIMEOUT_MAX = 0x7fff_ffff;

const HungTask = defineStruct('task_struct', {
  // Renamed by 2f064a59a11f "sched: Change task_struct::state" (v5.14).
  state: int('__state', 'state'),
  flags: int('flags'),
  nvcsw: long('nvcsw'),
  nivcsw: long('nivcsw'),
});

export interface HungTaskRule {
  /** Seconds after which a task counts as hung; 0: the check is switched off. */
  readonly timeout: number;
  /** False where the kernel has no such rule (CONFIG_DETECT_HUNG_TASK) or it cannot be read: the timeout is the default. */
  readonly isKernels: boolean;
  /** True for a task (the address of a task_struct) that has been off the CPU this long and that the rule means. */
  isHung(task: bigint, waitedMs: number | undefined): boolean;
}

/** The rule with this kernel's hung_task_timeout_secs. */
export function hungTaskRule(kernel: Kernel): HungTaskRule {
  const timeout = readTimeout(kernel);
  const struct = kernel.struct(HungTask);
  const isFrozenByState = kernel.addressOf('freezer_active') !== undefined;
  return {
    timeout: timeout ?? DEFAULT_TIMEOUT,
    isKernels: timeout !== undefined,
    isHung(task, waitedMs) {
      if (timeout === 0 || waitedMs === undefined || waitedMs < (timeout ?? DEFAULT_TIMEOUT) * SECOND) return false;
      try {
        const { state, flags, nvcsw, nivcsw } = struct.at(task);
        if ((state & TASK_UNINTERRUPTIBLE) === 0 || (state & (TASK_WAKEKILL | TASK_NOLOAD)) !== 0) return false;
        if (isFrozenByState ? (state & TASK_FROZEN) !== 0 : (flags & (PF_FROZEN | PF_FREEZER_SKIP)) !== 0) return false;
        return nvcsw + nivcsw !== 0n;
      } catch (error) {
        if (error instanceof FaultError) return false;
        throw error;
      }
    },
  };
}

function readTimeout(kernel: Kernel): number | undefined {
  const address = kernel.addressOf('sysctl_hung_task_timeout_secs');
  if (address === undefined) return undefined;
  try {
    const value = Number(kernel.memory.u64(address, 'sysctl_hung_task_timeout_secs'));
    return value > TIMEOUT_MAX ? undefined : value;
  } catch (error) {
    if (error instanceof FaultError) return undefined;
    throw error;
  }
}
