/** Calls of function_graph as rows, one a call: those within it below, or counted where they are folded away. */
import type { TraceCall } from '../formats/trace-calls.ts';
import type { TraceEntry } from '../formats/trace-entry.ts';
import { returnedErrno } from '../kernel/errno.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Item, row } from '../output/item.ts';
import { type Fold, type Line, type Span, span } from '../output/line.ts';
import type { TraceArgs } from './trace-arguments.ts';
import { functionSpan, taskOf, traceItem, traceLines } from './trace-view.ts';

/** A kernel stack has no more; also what bounds the walk of damaged text. */
const DEPTH_MAX = 200;

/** How calls are shown. */
export interface CallView {
  /** So many levels of calls within calls are not folded away. */
  readonly levels: number;
  /** What is folded away goes with its line, for whoever unfolds it. */
  readonly unfolds?: boolean;
}

/** So many levels of calls within calls are shown. */
export function levelsOf({ unfold, depth }: Pick<TraceArgs, 'unfold' | 'depth'>): number {
  return unfold ? Number.POSITIVE_INFINITY : (depth ?? 0);
}

/** A call and, as many levels deep as are wanted, those within it. */
export function* callItems(kernel: Kernel, call: TraceCall, { levels, unfolds = false }: CallView): Iterable<Item> {
  if (unfolds) yield row(cells(call, 0, countWithin(call)), () => [unfolding(kernel, call, levels).line]);
  else yield* itemsOf(kernel, call, 0, Math.min(levels, DEPTH_MAX));
}

function* itemsOf(kernel: Kernel, call: TraceCall, depth: number, levels: number): Iterable<Item> {
  const isFolded = depth >= levels && call.children.length + call.events.length > 0;
  const within = isFolded ? countWithin(call) : 0;
  yield row(cells(call, depth, within), () => [callLine(kernel, call, depth, foldedSpan(within))]);
  if (isFolded) return;
  for (const each of inOrder(call)) {
    if ('children' in each) yield* itemsOf(kernel, each, depth + 1, levels);
    else yield traceItem(kernel, each);
  }
}

/** A call with all that is within it, for whoever unfolds it. */
interface Unfolding {
  readonly line: Line;
  /** Calls and events within it, and the lines that these are. */
  readonly within: number;
  readonly below: number;
}

function unfolding(kernel: Kernel, call: TraceCall, levels: number, key = keyOf(call), depth = 0): Unfolding {
  const lines: Line[] = [];
  let [within, below] = [0, 0];
  // Deeper than any stack there is nothing; what damage makes of it is left out.
  for (const [i, each] of depth < DEPTH_MAX ? inOrder(call).entries() : []) {
    within++;
    if ('children' in each) {
      const inner = unfolding(kernel, each, levels, `${key}/${i}`, depth + 1);
      lines.push(inner.line);
      within += inner.within;
      below += 1 + inner.below;
    } else {
      const shown = traceLines(kernel, each);
      for (const line of shown) lines.push(line);
      below += shown.length;
    }
  }
  const fold: Fold | undefined =
    lines.length === 0 ? undefined : { kind: 'fold', key, lines, count: below, isOpen: depth < levels };
  return { line: callLine(kernel, call, depth, foldedSpan(within, fold)), within, below };
}

/** A buffer that is read again may have lost its first entries: calls are known by when they began, not by their place. */
function keyOf({ time, cpu, pid, part, function: called }: TraceCall): string {
  return `${time ?? '?'} ${cpu ?? '?'} ${pid ?? '?'} ${called?.name ?? '?'} ${part}`;
}

/** What is within a call: calls, and events each before the child of its index. */
function inOrder({ children, events }: TraceCall): readonly (TraceCall | TraceEntry)[] {
  if (events.length === 0) return children;
  const placed: { readonly at: number; readonly each: TraceCall | TraceEntry }[] = [
    ...children.map((each, at) => ({ at, each })),
    ...events.map(({ before, entry }) => ({ at: before - 0.5, each: entry })),
  ];
  return placed.sort((a, b) => a.at - b.at).map(({ each }) => each);
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
    // Of a call that was given before not all is here that took its time.
    self: duration === undefined || call.part > 0 ? null : Number(selfTime(call)) / 1000,
    complete: call.complete,
    folded,
    ...(call.isOpen ? { open: true } : {}),
    ...(call.part === 0 ? {} : { part: call.part }),
    ...(args === undefined ? {} : { args }),
    ...(returned === undefined ? {} : { returned }),
  };
}

const TASK_WIDTH = 16;
const TIME_WIDTH = 12;

function callLine(kernel: Kernel, call: TraceCall, depth: number, within: Span): Line {
  const { time, cpu, pid, comm, duration, returned, args } = call;
  const isFirst = depth === 0;
  const when =
    time === undefined ? '' : `${time / 1_000_000_000n}.${String((time / 1000n) % 1_000_000n).padStart(6, '0')}`;
  const task = isFirst && pid !== undefined ? `${comm ?? '?'}-${pid}` : '';
  const took = duration === undefined ? '...' : (Number(duration) / 1000).toFixed(3);
  const parts: Span[] = [
    isFirst ? when.padStart(16) : span(when.padStart(16), undefined, 'dim'),
    isFirst && cpu !== undefined ? ` [${String(cpu).padStart(3, '0')}] ` : '       ',
    ' '.repeat(Math.max(TASK_WIDTH - task.length, 0)),
    pid === undefined ? task : span(task, taskOf(pid), 'task'),
    ` ${took.padStart(TIME_WIDTH)} us  ${'  '.repeat(depth)}`,
    call.function === undefined ? '?' : functionSpan(kernel, call.function),
    args === undefined ? '' : `(${args})`,
    returned === undefined ? '' : ` = ${returnedText(returned)}`,
    span(stateText(call), undefined, 'dim'),
    within,
  ];
  return parts.filter((part) => part !== '' && (typeof part === 'string' || part.text !== ''));
}

/** What is not as it is for a call that was seen from its beginning to its end. */
function stateText({ complete, duration, isOpen, part }: TraceCall): string {
  const states = [
    ...(part === 0 ? [] : ['continued']),
    ...(isOpen
      ? ['has not returned yet']
      : complete
        ? []
        : [`its ${duration === undefined ? 'end' : 'beginning'} is missing`]),
  ];
  return states.length === 0 ? '' : `  (${states.join(', ')})`;
}

function foldedSpan(within: number, fold?: Fold): Span {
  return span(within === 0 ? '' : `  + ${within} within`, fold, 'dim');
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
export function countWithin({ children, events }: TraceCall, depth = 0): number {
  const own = children.length + events.length;
  if (depth >= DEPTH_MAX) return own;
  return children.reduce((sum, child) => sum + countWithin(child, depth + 1), own);
}
