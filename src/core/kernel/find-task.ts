/**
 * Tasks as users name them. By crash's rule a bare number is a PID in decimal first, then the address of a task_struct
 * in hex, then a PID in hex; anything else may be a comm.
 */
import { NotFoundError } from '../errors.ts';
import { parseHex } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { findTaskAt, findTaskByPid, tasks } from './task.ts';
import type { Task } from './task-struct.ts';

const NEAR_MAX = 5;

/** The task that a text names by PID or address; undefined when it names none. */
export function findTask(kernel: Kernel, text: string): Task | undefined {
  const decimal = /^\d{1,9}$/.test(text) ? findTaskByPid(kernel, Number(text)) : undefined;
  if (decimal !== undefined) return decimal;
  const hex = parseHex(text);
  if (hex === undefined) return undefined;
  return findTaskAt(kernel, hex) ?? (hex < 1n << 31n ? findTaskByPid(kernel, Number(hex)) : undefined);
}

/** As findTask; throws NotFoundError with tasks whose comm is near. */
export function getTask(kernel: Kernel, text: string): Task {
  const task = findTask(kernel, text);
  if (task === undefined) throw new NotFoundError('task', text, nearTasks(kernel, text));
  return task;
}

/** The tasks of this comm. */
export function tasksNamed(kernel: Kernel, comm: string): readonly Task[] {
  return tasks(kernel).filter((task) => task.comm === comm);
}

function nearTasks(kernel: Kernel, text: string): readonly string[] {
  if (parseHex(text) !== undefined || text === '') return [];
  const near: string[] = [];
  for (const task of tasks(kernel)) {
    if (task.comm.startsWith(text)) near.push(`${task.pid} (${task.comm})`);
    if (near.length === NEAR_MAX) break;
  }
  return near;
}
