/**
 * Task states. `__state` says what a task waits for, `exit_state` how far it has ended. The bits are macros that BTF
 * does not have; they have been where they are since 8ef9925b02c2 "sched/debug: Add explicit TASK_PARKED printing"
 * (v4.14), with TASK_RTLOCK_WAIT (v5.15), TASK_FREEZABLE (v6.1) and TASK_FROZEN (v6.1) added above.
 */
import type { Task } from './task-struct.ts';

export type TaskState = 'RU' | 'IN' | 'UN' | 'ID' | 'ST' | 'TR' | 'DE' | 'ZO' | 'PA' | 'NE' | 'WA';

export const TASK_INTERRUPTIBLE = 0x1;
export const TASK_UNINTERRUPTIBLE = 0x2;
export const TASK_NOLOAD = 0x400;
/** It waits for a spinlock of PREEMPT_RT. */
export const TASK_RTLOCK_WAIT = 0x1000;
const TASK_FROZEN = 0x8000;

/** Bit, its name in the kernel, and how crash writes a task in that state. */
const BITS: readonly (readonly [number, string, TaskState])[] = [
  [0x1, 'TASK_INTERRUPTIBLE', 'IN'],
  [0x2, 'TASK_UNINTERRUPTIBLE', 'UN'],
  [0x4, '__TASK_STOPPED', 'ST'],
  [0x8, '__TASK_TRACED', 'TR'],
  [0x10, 'EXIT_DEAD', 'DE'],
  [0x20, 'EXIT_ZOMBIE', 'ZO'],
  [0x40, 'TASK_PARKED', 'PA'],
  [0x80, 'TASK_DEAD', 'DE'],
  [0x100, 'TASK_WAKEKILL', 'IN'],
  [0x200, 'TASK_WAKING', 'WA'],
  [TASK_NOLOAD, 'TASK_NOLOAD', 'UN'],
  [0x800, 'TASK_NEW', 'NE'],
  [TASK_RTLOCK_WAIT, 'TASK_RTLOCK_WAIT', 'UN'],
  [0x2000, 'TASK_FREEZABLE', 'IN'],
  [0x4000, '__TASK_FREEZABLE_UNSAFE', 'IN'],
  [TASK_FROZEN, 'TASK_FROZEN', 'UN'],
];

/** The states that users name, for arguments and completion. */
export const STATE_NAMES: readonly TaskState[] = ['RU', 'IN', 'UN', 'ID', 'ST', 'TR', 'DE', 'ZO', 'PA', 'NE', 'WA'];

/** The state in two letters, by the rules of the kernel's task_state_index(): ended tasks first, then what it waits for. */
export function taskState(task: Pick<Task, 'state' | 'exitState'>): TaskState {
  const { state, exitState } = task;
  if ((exitState & 0x20) !== 0) return 'ZO';
  if ((exitState & 0x10) !== 0) return 'DE';
  if (state === 0) return 'RU';
  // The kernel reports frozen tasks, and those that wait for a lock that is a mutex on PREEMPT_RT, as uninterruptible.
  if ((state & (TASK_FROZEN | TASK_RTLOCK_WAIT)) !== 0) return 'UN';
  if ((state & TASK_UNINTERRUPTIBLE) !== 0) return (state & TASK_NOLOAD) !== 0 ? 'ID' : 'UN';
  const set = BITS.find(([bit]) => (state & bit) !== 0 && bit !== 0x100 && bit !== TASK_NOLOAD);
  return set?.[2] ?? 'RU';
}

/** The kernel's names of all bits that are set: `TASK_UNINTERRUPTIBLE|TASK_WAKEKILL`. */
export function describeState(task: Pick<Task, 'state' | 'exitState'>): string {
  const value = task.state | task.exitState;
  if (value === 0) return 'TASK_RUNNING';
  const known = BITS.filter(([bit]) => (value & bit) !== 0);
  const rest = known.reduce((left, [bit]) => left & ~bit, value);
  return [...known.map(([, name]) => name), ...(rest === 0 ? [] : [`0x${(rest >>> 0).toString(16)}`])].join('|');
}

/** The state that /proc/PID/stat writes as one letter. */
export function stateOfLetter(letter: string): TaskState {
  const states: Readonly<Record<string, TaskState>> = {
    R: 'RU',
    S: 'IN',
    D: 'UN',
    I: 'ID',
    T: 'ST',
    t: 'TR',
    X: 'DE',
    x: 'DE',
    Z: 'ZO',
    P: 'PA',
  };
  return states[letter] ?? 'RU';
}
