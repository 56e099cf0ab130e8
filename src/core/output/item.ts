/**
 * What a command yields: typed rows, with headings and remarks in their place. Text, JSON, panes, pipes and tests
 * are views of this one stream.
 */
import type { Fault } from '../memory/fault.ts';
import type { Value } from '../types/value.ts';
import type { Columns } from './columns.ts';
import type { Line } from './line.ts';

/**
 * A value in a row. JSON writes a bigint as a `0x` string (addresses, 64-bit words) and a number as a number (PIDs,
 * counts, byte sizes); a Fault stands where a value could not be read.
 */
export type Cell =
  | string
  | number
  | bigint
  | boolean
  | null
  | undefined
  | Fault
  | Value
  | readonly Cell[]
  | { readonly toJSON: () => unknown }
  | { readonly [name: string]: Cell };

export type Row = Readonly<Record<string, Cell>>;

/** How a row is shown as text: as a line of a table, or as lines of its own, made only when text is wanted. */
export type View = Columns | (() => Iterable<Line>);

export type Item =
  | { readonly kind: 'row'; readonly data: Row; readonly view: View | undefined }
  | { readonly kind: 'text'; readonly lines: readonly Line[] }
  | { readonly kind: 'notice'; readonly text: string }
  /** The command is about to wait: what it has shown so far is to be seen now. */
  | { readonly kind: 'pause' };

/** A row; without a view it is shown by the command's own columns. */
export function row(data: Row, view?: View): Item {
  return { kind: 'row', data, view };
}

/** Lines that only text output has: a task's heading, a blank line between groups. */
export function text(...lines: readonly Line[]): Item {
  return { kind: 'text', lines };
}

/** A remark about the rows around it: a list that moved, rows left out, a frame that is a guess. */
export function notice(message: string): Item {
  return { kind: 'notice', text: message };
}

export const PAUSE: Item = { kind: 'pause' };
