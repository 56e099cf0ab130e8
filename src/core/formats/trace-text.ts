/**
 * The trace buffer's text as entries. Lines are pushed as they come; a stack is joined to the entry that it was taken
 * with, which is the last of the same CPU and task: other CPUs' lines may stand between the two. Entries therefore wait
 * for a few more lines before they are given out; `flush` gives out all, where nothing more comes for now.
 */
import type { TraceEntry, TraceFunction } from './trace-entry.ts';
import {
  LINE_MAX,
  parseContext,
  parseFunction,
  parseGraphLine,
  parseStackLine,
  parseSwitch,
  type TraceContext,
} from './trace-line.ts';

/** Entries that wait for their stack: as many CPUs as may write at one moment. */
const WAITING = 64;
const STACK_MAX = 256;

/** An entry that may still get a stack. */
interface Waiting {
  readonly entry: TraceEntry;
  stack?: readonly TraceFunction[];
  userStack?: readonly TraceFunction[];
}

export class TraceText {
  /** The tracer that the header names; undefined before. */
  tracer: string | undefined;
  #waiting: Waiting[] = [];
  #sequence = 0;
  /** The stack that is being read. */
  #stack: TraceFunction[] | undefined;

  /** Takes a line without its newline; returns the entries that are complete by now. */
  push(line: string): readonly TraceEntry[] {
    if (line.startsWith('#')) {
      this.tracer = /^# tracer: (\S+)/.exec(line)?.[1] ?? this.tracer;
      // "#" begins no entry, but nothing that a tracer says there is worth keeping either.
      return [];
    }
    if (this.#stack !== undefined && this.#takeFrame(this.#stack, line)) return [];
    this.#stack = undefined;
    if (line === '' || isRule(line)) return [];
    this.#take(line);
    return this.#waiting.length > WAITING ? this.#give(this.#waiting.length - WAITING) : [];
  }

  /** All that is still waiting. */
  flush(): readonly TraceEntry[] {
    this.#stack = undefined;
    return this.#give(this.#waiting.length);
  }

  #give(count: number): readonly TraceEntry[] {
    return this.#waiting.splice(0, count).map(({ entry, ...stacks }) => ({ ...entry, ...stacks }));
  }

  #takeFrame(stack: TraceFunction[], line: string): boolean {
    const frame = line.length > LINE_MAX ? undefined : parseStackLine(line);
    if (frame !== undefined && stack.length < STACK_MAX) stack.push(frame);
    return frame !== undefined;
  }

  #take(line: string): void {
    const context = line.length > LINE_MAX ? undefined : parseContext(line);
    const stack = context === undefined ? undefined : /^<(user )?stack trace>$/.exec(context.body);
    if (context !== undefined && stack !== null && stack !== undefined) {
      this.#join(context, stack[1] === undefined ? 'stack' : 'userStack', line);
      return;
    }
    const sequence = this.#sequence++;
    const entry =
      context === undefined ? otherEntry(line, sequence, this.tracer) : contextEntry(context, line, sequence);
    this.#waiting.push({ entry });
  }

  /** Gives the stack to the entry that it belongs to, or to one of its own. */
  #join({ body: _, ...context }: TraceContext, which: 'stack' | 'userStack', raw: string): void {
    const frames: TraceFunction[] = [];
    this.#stack = frames;
    const owner = this.#waiting.findLast(({ entry }) => entry.cpu === context.cpu && entry.pid === context.pid);
    if (owner !== undefined && owner[which] === undefined) owner[which] = frames;
    else this.#waiting.push({ entry: { ...context, sequence: this.#sequence++, raw, kind: 'stack' }, [which]: frames });
  }
}

/** The rows of dashes around a task switch of function_graph. */
function isRule(line: string): boolean {
  return /^ *-{20,}$/.test(line);
}

function contextEntry({ body, ...context }: TraceContext, line: string, sequence: number): TraceEntry {
  const common = { ...context, sequence, raw: line };
  const called = functionBody(body);
  if (called !== undefined) return { ...common, kind: 'function', ...called };
  const raw = /^([0-9a-f]{8,16}) ([0-9a-f]{8,16})$/.exec(body);
  if (raw !== null) return { ...common, kind: 'function', function: unnamed(raw[1]), caller: unnamed(raw[2]) };
  const marker = /^(?:tracing_mark_write|print|bputs|bprint): (.*)$/s.exec(body)?.[1];
  if (marker !== undefined) return { ...common, kind: 'marker', text: marker };
  const event = /^([\w.$:-]*[\w.$-]): ?(.*)$/s.exec(body);
  if (event !== null) return { ...common, kind: 'event', name: event[1] as string, text: event[2] as string };
  // System calls print themselves: sys_read(fd: 3, ...) and sys_read -> 0x0.
  const call = /^(sys_\w+)(\(.*\)| -> .*)$/s.exec(body);
  if (call !== null)
    return { ...common, kind: 'event', name: call[1] as string, text: (call[2] as string).trimStart() };
  return { ...common, kind: 'text' };
}

/** A function of which only the address is known. */
function unnamed(digits: string | undefined): TraceFunction {
  return { name: `0x${digits}`, address: BigInt(`0x${digits}`) };
}

/** `fn(args) <-parent`: what the function tracer prints; bare `fn` with `noprint-parent`. */
function functionBody(body: string): { function: TraceFunction; caller?: TraceFunction; args?: string } | undefined {
  const found = parseFunction(body);
  if (found === undefined || found.function.name.endsWith(':')) return undefined;
  const rest = /^(?:\((.*)\))?(?: <-(.+))?$/.exec(body.slice(found.length));
  if (rest === null || (rest[2] === undefined && (rest[1] !== undefined || found.length !== body.length)))
    return undefined;
  const caller = rest[2] === undefined ? undefined : parseFunction(rest[2])?.function;
  return {
    function: found.function,
    ...(caller === undefined ? {} : { caller }),
    ...(rest[1] === undefined ? {} : { args: rest[1] }),
  };
}

/** Lines without the common columns: function_graph's, lost events, and text. */
function otherEntry(raw: string, sequence: number, tracer: string | undefined): TraceEntry {
  const lost = /^CPU:(\d+) \[LOST (\d+) EVENTS\]$/.exec(raw);
  if (lost !== null) return { sequence, raw, kind: 'lost', cpu: Number(lost[1]), count: Number(lost[2]) };
  if (raw.length > LINE_MAX) return { sequence, raw, kind: 'text' };
  const change = parseSwitch(raw);
  if (change !== undefined) {
    return { ...change.context, sequence, raw, kind: 'switch', from: change.from, to: change.to };
  }
  const graph = tracer === 'function' || tracer === 'nop' ? undefined : parseGraphLine(raw);
  if (graph === undefined) {
    // With `nocontext-info` nothing stands before the text.
    const called = tracer === 'function' ? functionBody(raw) : undefined;
    return called === undefined ? { sequence, raw, kind: 'text' } : { sequence, raw, kind: 'function', ...called };
  }
  const { kind, context, text, ...call } = graph;
  const common = { ...context, sequence, raw };
  if (kind !== 'note') return { ...common, kind, ...call };
  const event = /^(\w+): ?(.*)$/s.exec(text);
  return event === null
    ? { ...common, kind: 'text' }
    : { ...common, kind: 'event', name: event[1] as string, text: event[2] as string };
}
