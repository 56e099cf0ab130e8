/** Calls of function_graph as rows, one a call: those within it below, or counted where they are folded away. */
import { type TraceCall, TraceCalls } from '../formats/trace-calls.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { returnedErrno } from '../kernel/errno.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { functionSpan, traceItem } from './trace-view.ts';

/** A kernel stack has no more; also what bounds the walk of damaged text. */
const DEPTH_MAX = 200;

/** Entries with function_graph's calls joined: calls, and entries that stand in none. */
export function joinCalls(entries: Iterable<TraceEntry>): readonly (TraceCall | TraceEntry)[] {
  const calls = new TraceCalls();
  const joined: (TraceCall | TraceEntry)[] = [];
  for (const entry of entries) {
    const done = calls.push(entry);
    joined.push(...done);
    if (!isGraph(entry) && !calls.holds(entry)) joined.push(entry);
  }
  return [...joined, ...calls.end()];
}

export function isCall(joined: TraceCall | TraceEntry): joined is TraceCall {
  return 'children' in joined;
}

/** True for a line of function_graph, which says something only together with others. */
export function isGraph({ kind }: TraceEntry): boolean {
  return kind === 'call' || kind === 'leaf' || kind === 'return' || kind === 'switch';
}

/** A call and, `levels` deep, those within it. */
export function* callItems(kernel: Kernel, call: TraceCall, levels: number): Iterable<Item> {
  yield* itemsOf(kernel, call, 0, Math.min(levels, DEPTH_MAX));
}

function* itemsOf(kernel: Kernel, call: TraceCall, depth: number, levels: number): Iterable<Item> {
  const { children, events } = call;
  const isFolded = depth >= levels && children.length + events.length > 0;
  const within = isFolded ? countWithin(call) : 0;
  yield row(cells(call, depth, within), () => [callLine(kernel, call, depth, within)]);
  if (isFolded) return;
  // Events are in order, each before the child of its index.
  let next = 0;
  for (const [i, child] of children.entries()) {
    for (; next < events.length && (events[next]?.before ?? 0) <= i; next++) yield* eventItem(kernel, events[next]);
    yield* itemsOf(kernel, child, depth + 1, levels);
  }
  for (; next < events.length; next++) yield* eventItem(kernel, events[next]);
}

function* eventItem(kernel: Kernel, event: TraceCall['events'][number] | undefined): Iterable<Item> {
  if (event !== undefined) yield traceItem(kernel, event.entry);
}

function cells(
  call: TraceCall,
  depth: number,
  folded: number,
): Readonly<Record<string, string | number | boolean | null>> {
  const { time, cpu, pid, comm, duration, returned, args } = call;
  return {
    kind: 'call',
    time: time === undefined ? null : Number(time / 1000n) / 1_000_000,
    cpu: cpu ?? null,
    pid: pid ?? null,
    comm: comm ?? null,
    function: call.function?.name ?? null,
    module: call.function?.module ?? null,
    depth,
    microseconds: duration === undefined ? null : Number(duration) / 1000,
    self: duration === undefined ? null : Number(selfTime(call)) / 1000,
    complete: call.complete,
    folded,
    ...(args === undefined ? {} : { args }),
    ...(returned === undefined ? {} : { returned }),
  };
}

const TASK_WIDTH = 16;
const TIME_WIDTH = 12;

function callLine(kernel: Kernel, call: TraceCall, depth: number, within: number): Line {
  const { time, cpu, pid, comm, duration, returned, args } = call;
  const isFirst = depth === 0;
  const when =
    isFirst && time !== undefined
      ? `${time / 1_000_000_000n}.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}`
      : '';
  const task = isFirst && pid !== undefined ? `${comm ?? '?'}-${pid}` : '';
  const took = duration === undefined ? '...' : (Number(duration) / 1000).toFixed(3);
  const parts: Span[] = [
    when.padStart(16),
    isFirst && cpu !== undefined ? ` [${String(cpu).padStart(3, '0')}] ` : '       ',
    ' '.repeat(Math.max(TASK_WIDTH - task.length, 0)),
    pid === undefined ? task : span(task, { kind: 'command', line: `bt ${pid}` }, 'task'),
    ` ${took.padStart(TIME_WIDTH)} us  ${'  '.repeat(depth)}`,
    call.function === undefined ? '?' : functionSpan(kernel, call.function),
    args === undefined ? '' : `(${args})`,
    returned === undefined ? '' : ` = ${returnedText(returned)}`,
    span(call.complete ? '' : `  (its ${duration === undefined ? 'end' : 'beginning'} is missing)`, undefined, 'dim'),
    span(within === 0 ? '' : `  + ${within} within`, undefined, 'dim'),
  ];
  return parts;
}

/** "-2" as "-2 (ENOENT)": only what looks like an error is decimal with the kernel. */
export function returnedText(returned: string): string {
  const value = /^-?\d{1,20}$|^0x[0-9a-f]{1,16}$/i.test(returned) ? BigInt(returned) : undefined;
  const name = value === undefined ? undefined : returnedErrno(value);
  return name === undefined ? returned : `${returned} (${name})`;
}

function selfTime({ duration = 0n, children }: TraceCall): bigint {
  const inner = children.reduce((sum, child) => sum + (child.duration ?? 0n), 0n);
  return duration > inner ? duration - inner : 0n;
}

/** Calls and events within a call. */
function countWithin({ children, events }: TraceCall, depth = 0): number {
  const own = children.length + events.length;
  if (depth >= DEPTH_MAX) return own;
  return children.reduce((sum, child) => sum + countWithin(child, depth + 1), own);
}
