/**
 * Entries of the trace buffer as rows: their text as the kernel printed it, with every function a symbol and every task
 * one that can be followed; stacks below their entry.
 */
import type { TraceEntry, TraceFunction } from '../formats/trace-entry.ts';
import { TraceText } from '../formats/trace-text.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Item, type Row, row } from '../output/item.ts';
import { type Line, type Ref, type Span, span } from '../output/line.ts';

/** The entries of a whole text. */
export function parseTraceText(text: string): {
  readonly tracer: string | undefined;
  readonly entries: readonly TraceEntry[];
} {
  const parser = new TraceText();
  const entries: TraceEntry[] = [];
  for (const line of text.split('\n')) for (const entry of parser.push(line)) entries.push(entry);
  entries.push(...parser.flush());
  return { tracer: parser.tracer, entries };
}

export function traceItem(kernel: Kernel, entry: TraceEntry): Item {
  return row(traceRow(entry), () => traceLines(kernel, entry));
}

function traceRow(entry: TraceEntry): Row {
  const { stack, userStack, ...common } = entryCells(entry);
  return {
    kind: entry.kind,
    ...common,
    ...ownCells(entry),
    ...(stack === undefined ? {} : { stack }),
    ...(userStack === undefined ? {} : { userStack }),
  };
}

/** What every entry has: when, where, which task, its stacks. */
export function entryCells(entry: TraceEntry): Row {
  const { time, cpu, pid, comm, flags, stack, userStack } = entry;
  return {
    time: time === undefined ? null : entry.ticks ? Number(time) : Number(time / 1000n) / 1_000_000,
    cpu: cpu ?? null,
    pid: pid ?? null,
    comm: comm ?? null,
    flags: flags ?? null,
    ...(stack === undefined ? {} : { stack: stack.map(frameCells) }),
    ...(userStack === undefined ? {} : { userStack: userStack.map(frameCells) }),
  };
}

function ownCells(entry: TraceEntry): Row {
  switch (entry.kind) {
    case 'function':
      return {
        function: entry.function.name,
        caller: entry.caller?.name ?? null,
        ...(entry.args === undefined ? {} : { args: entry.args }),
      };
    case 'call':
    case 'leaf':
    case 'return':
      return {
        function: entry.function?.name ?? null,
        depth: entry.depth,
        microseconds: entry.duration === undefined ? null : Number(entry.duration) / 1000,
        ...(entry.args === undefined ? {} : { args: entry.args }),
        ...(entry.returned === undefined ? {} : { returned: entry.returned }),
      };
    case 'event':
      return {
        event: entry.name,
        text: entry.text,
        ...(entry.fields === undefined ? {} : { fields: entry.fields }),
      };
    case 'marker':
      return { text: entry.text };
    case 'lost':
      return { lost: entry.count };
    case 'switch':
      return { from: entry.from.pid, to: entry.to.pid };
    default:
      return { text: entry.raw };
  }
}

function frameCells({ name, offset, module }: TraceFunction): Row {
  return { symbol: name, offset: offset ?? null, module: module ?? null };
}

/** An entry as text: the line of the kernel, its stacks below. */
export function traceLines(kernel: Kernel, entry: TraceEntry): readonly Line[] {
  const functions =
    entry.kind === 'function'
      ? [entry.function, entry.caller]
      : entry.kind === 'call' || entry.kind === 'leaf' || entry.kind === 'return'
        ? [entry.function]
        : [];
  const head =
    entry.kind === 'lost'
      ? [span(`CPU ${entry.cpu}: ${entry.count || 'some'} entries are missing here`, undefined, 'warn')]
      : withRefs(kernel, entry, functions);
  return [head, ...stackLines(kernel, entry)];
}

/** The stacks of an entry, a line each frame. */
export function stackLines(kernel: Kernel, { stack = [], userStack = [] }: TraceEntry): readonly Line[] {
  return [...stack, ...userStack].map((frame) => ['     => ', functionSpan(kernel, frame)]);
}

/** The kernel's line, its task and its functions marked where they stand in it. */
function withRefs(kernel: Kernel, entry: TraceEntry, functions: readonly (TraceFunction | undefined)[]): Line {
  const marks = taskMarks(entry);
  for (const each of functions)
    if (each !== undefined) marks.push({ text: each.name, span: functionSpan(kernel, each, each.name) });
  return marked(entry.raw, marks);
}

/** The columns before an entry's text, its task marked. */
export function headSpans(entry: TraceEntry, head: string): readonly Span[] {
  return marked(head, taskMarks(entry));
}

interface Mark {
  readonly text: string;
  readonly span: Span;
}

/** The task of an entry. Every CPU has an idle task, and all of them are PID 0. */
export function taskOf(pid: number): Ref {
  return pid === 0 ? { kind: 'command', line: 'bt 0' } : { kind: 'task', pid };
}

function taskMarks({ comm, pid }: TraceEntry): Mark[] {
  if (comm === undefined || pid === undefined) return [];
  const text = `${comm}-${pid}`;
  return [{ text, span: span(text, taskOf(pid), 'task') }];
}

/** A text with what is marked where it stands in it, in this order. */
function marked(text: string, marks: readonly Mark[]): readonly Span[] {
  const parts: Span[] = [];
  let rest = text;
  for (const mark of marks) {
    const at = rest.indexOf(mark.text);
    if (at < 0) continue;
    parts.push(rest.slice(0, at), mark.span);
    rest = rest.slice(at + mark.text.length);
  }
  return [...parts, rest];
}

/** A function as a symbol, where this kernel has one of that name. */
export function functionSpan(kernel: Kernel, frame: TraceFunction, text = nameOf(frame)): Span {
  return span(text, functionRef(kernel, frame), 'symbol');
}

/** The symbol that a function is; undefined where this kernel has none of that name. */
export function functionRef(kernel: Kernel, { name, module, address: known }: TraceFunction): Ref | undefined {
  const address = known ?? kernel.symbols.find(name, module)?.address;
  return address === undefined ? undefined : { kind: 'symbol', name, address };
}

function nameOf({ name, offset, module }: TraceFunction): string {
  const where = offset === undefined ? '' : `+0x${offset.toString(16)}`;
  return `${name}${where}${module === undefined ? '' : ` [${module}]`}`;
}
