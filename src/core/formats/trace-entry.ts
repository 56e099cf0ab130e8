/**
 * An entry of the trace buffer, whichever way it was read: from the text of `trace` and `trace_pipe`, from raw pages, or
 * from a file of trace-cmd. Text that no form fits is an entry too: nothing that the kernel said is dropped.
 */

/** A function as trace text names it: any part may be missing by the kernel's options. */
export interface TraceFunction {
  readonly name: string;
  /** Bytes into it; with `sym-offset` only. */
  readonly offset?: number;
  readonly module?: string;
  /** With `sym-addr` only. */
  readonly address?: bigint;
}

interface Common {
  /** Counts from 0 in the order in which entries were read. */
  readonly sequence: number;
  /** Nanoseconds of the trace clock; a count where the clock ticks (counter, x86-tsc) or none is shown. */
  readonly time?: bigint;
  /** True where `time` is a count and not nanoseconds. */
  readonly ticks?: true;
  readonly cpu?: number;
  readonly pid?: number;
  readonly tgid?: number;
  readonly comm?: string;
  /** The flag columns as they stand: decodeTraceFlags() says what they mean. */
  readonly flags?: string;
  /** The line as the kernel printed it. */
  readonly raw: string;
  /** The kernel stack that was taken with the entry, innermost first. */
  readonly stack?: readonly TraceFunction[];
  readonly userStack?: readonly TraceFunction[];
}

export type TraceEntry = Common &
  (
    | {
        readonly kind: 'function';
        readonly function: TraceFunction;
        /** Who calls it; absent with `noprint-parent`. */
        readonly caller?: TraceFunction;
        /** With `func-args`: "type=10, buf=0x0". */
        readonly args?: string;
      }
    /** function_graph: a call that begins, one that is shown whole, a return. `depth` counts nested calls. */
    | {
        readonly kind: 'call' | 'leaf' | 'return';
        /** Absent for a return that does not name what it returns from. */
        readonly function?: TraceFunction;
        readonly depth: number;
        readonly duration?: bigint;
        readonly args?: string;
        /** With `funcgraph-retval`, as the kernel wrote it: "-22", "0xffff...". */
        readonly returned?: string;
      }
    /** An event, a probe that hit, a system call. */
    | {
        readonly kind: 'event';
        readonly name: string;
        readonly text: string;
        /** By name, where the record itself was read and not its text. */
        readonly fields?: Readonly<Record<string, TraceFieldCell>>;
      }
    | { readonly kind: 'marker'; readonly text: string }
    /** The kernel had no room: so many entries of this CPU are missing here; 0 where nobody counted them. */
    | { readonly kind: 'lost'; readonly count: number }
    /** function_graph: the CPU goes on with another task. */
    | { readonly kind: 'switch'; readonly from: TraceTask; readonly to: TraceTask }
    /** A stack whose entry was not seen. */
    | { readonly kind: 'stack' }
    /** Anything else. */
    | { readonly kind: 'text' }
  );

/** A field of an event: numbers as numbers, addresses and words of 64 bits as hex. */
export type TraceFieldCell = number | string | readonly (number | string)[];

export interface TraceTask {
  /** function_graph cuts it to 7 characters. */
  readonly comm: string;
  readonly pid: number;
}

/** What the flag columns say. */
export interface TraceFlags {
  readonly irqs: 'on' | 'off' | 'bottom halves off' | 'both off' | 'unknown';
  /** TIF_NEED_RESCHED, the preempt counter's flag, the lazy flag (v6.13). */
  readonly needResched: readonly ('now' | 'preempt' | 'lazy')[];
  readonly context: 'task' | 'softirq' | 'hardirq' | 'hardirq in softirq' | 'NMI' | 'NMI in hardirq';
  readonly preemptDepth: number;
  /** Since 54357f0c9149 "tracing: Add migrate-disabled counter to tracing output." (v5.15). */
  readonly migrateDisabled: number | undefined;
}

const IRQS: Readonly<Record<string, TraceFlags['irqs']>> = {
  '.': 'on',
  d: 'off',
  b: 'bottom halves off',
  D: 'both off',
};
const RESCHED: Readonly<Record<string, TraceFlags['needResched']>> = {
  N: ['now', 'preempt'],
  n: ['now'],
  p: ['preempt'],
  B: ['now', 'preempt', 'lazy'],
  b: ['now', 'lazy'],
  L: ['preempt', 'lazy'],
  l: ['lazy'],
};
const CONTEXTS: Readonly<Record<string, TraceFlags['context']>> = {
  s: 'softirq',
  h: 'hardirq',
  H: 'hardirq in softirq',
  z: 'NMI',
  Z: 'NMI in hardirq',
};

/** `dNh1.` in words. */
export function decodeTraceFlags(flags: string): TraceFlags {
  const [irqs = '.', resched = '.', context = '.', depth = '.', migrate] = flags;
  const digit = (text: string): number => (text === '.' ? 0 : Number.parseInt(text, 16));
  return {
    irqs: IRQS[irqs] ?? 'unknown',
    needResched: RESCHED[resched] ?? [],
    context: CONTEXTS[context] ?? 'task',
    preemptDepth: digit(depth),
    migrateDisabled: migrate === undefined ? undefined : digit(migrate),
  };
}
