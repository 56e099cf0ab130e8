/**
 * Typed pipes: what a command finds in the rows that another yields. `ps UN | bt` passes tasks by their task column;
 * `list -H ADDR -s mutex_waiter.task | ps` passes them by a member whose C type is `struct task_struct *`.
 */
import { UsageError } from '../errors.ts';
import type { Cell, Item, Row } from '../output/item.ts';
import { isCompoundNamed, resolve } from '../types/type.ts';
import { Value } from '../types/value.ts';
import type { Input } from './define.ts';

/** A task as a row names it: by address where the target has memory, else by PID. */
export interface TaskReference {
  readonly task: bigint | undefined;
  readonly pid: number | undefined;
}

/** The tasks that the rows stand for. Throws UsageError when a row stands for none. */
export function* tasksIn(input: Iterable<Item>): Iterable<TaskReference> {
  for (const item of input) {
    if (item.kind !== 'row') continue;
    const task =
      typeof item.data['task'] === 'bigint'
        ? item.data['task']
        : (pointerTo(item.data, 'task_struct') ?? itself(item.data, 'struct task_struct'));
    const pid = typeof item.data['pid'] === 'number' ? item.data['pid'] : undefined;
    if (task === undefined && pid === undefined) throw noReference(item.data, 'task');
    yield { task, pid };
  }
}

/** The addresses that the rows stand for: their address column, else their first pointer, else their first bigint. */
export function* addressesIn(input: Iterable<Item>): Iterable<bigint> {
  for (const item of input) {
    if (item.kind !== 'row') continue;
    const address =
      typeof item.data['address'] === 'bigint'
        ? item.data['address']
        : (anyPointer(item.data) ?? Object.values(item.data).find((cell) => typeof cell === 'bigint'));
    if (typeof address !== 'bigint') throw noReference(item.data, 'address');
    yield address;
  }
}

/** True when rows of this shape can feed such an input; for help and completion. */
export function describesInput(input: Input): string {
  return input === 'task' ? 'rows with a task, a PID or a task_struct pointer' : 'rows with an address or a pointer';
}

function pointerTo(row: Row, name: string): bigint | undefined {
  for (const value of valuesOf(Object.values(row))) {
    const type = resolve(value.type);
    if (type.kind === 'pointer' && isCompoundNamed(type.target, name)) return value.toBigInt();
    if (isCompoundNamed(type, name) && value.address !== undefined) return value.address;
  }
  return undefined;
}

/** Where the structure is of which a row shows members. */
function itself({ type, address }: Row, name: string): bigint | undefined {
  return type === name && typeof address === 'bigint' ? address : undefined;
}

function anyPointer(row: Row): bigint | undefined {
  for (const value of valuesOf(Object.values(row))) {
    if (resolve(value.type).kind === 'pointer') return value.toBigInt();
  }
  return undefined;
}

/** Values among the cells and one level within them (a row's `members`). */
function* valuesOf(cells: readonly Cell[]): Iterable<Value> {
  for (const cell of cells) {
    if (cell instanceof Value) yield cell;
    else if (cell !== null && typeof cell === 'object' && !Array.isArray(cell)) {
      for (const inner of Object.values(cell)) if (inner instanceof Value) yield inner;
    }
  }
}

function noReference(row: Row, kind: Input): UsageError {
  return new UsageError(`a row with the columns ${Object.keys(row).join(', ')} stands for no ${kind}`, {
    hint: `the command after the pipe takes ${describesInput(kind)}`,
  });
}
