/** Entries of raw pages in the words of the kernel's own text (kernel/trace/trace_output.c, trace_print_context()). */

/** What stands before an entry's text. */
export interface EntryHead {
  readonly comm: string;
  readonly pid: number;
  readonly cpu: number;
  readonly flags: string;
  /** Nanoseconds, or a count. */
  readonly time: bigint;
  readonly ticks?: true;
}

/** include/linux/trace_events.h, enum trace_flag_type; bit 1 is the lazy one since v6.13, before it said that none is known. */
const FLAG = {
  irqsOff: 1,
  lazy: 2,
  needResched: 4,
  hardirq: 8,
  softirq: 16,
  preempt: 32,
  nmi: 64,
  bhOff: 128,
} as const;

/** `dNh1.` of the flags and the two counters. */
export function flagText(flags: number, counts: number): string {
  const has = (bit: number): boolean => (flags & bit) !== 0;
  const irqs = has(FLAG.irqsOff) ? (has(FLAG.bhOff) ? 'D' : 'd') : has(FLAG.bhOff) ? 'b' : '.';
  const resched = '.nlbpNLB'[(has(FLAG.needResched) ? 1 : 0) + (has(FLAG.lazy) ? 2 : 0) + (has(FLAG.preempt) ? 4 : 0)];
  const context = has(FLAG.nmi)
    ? has(FLAG.hardirq)
      ? 'Z'
      : 'z'
    : has(FLAG.hardirq)
      ? has(FLAG.softirq)
        ? 'H'
        : 'h'
      : has(FLAG.softirq)
        ? 's'
        : '.';
  const digit = (count: number): string => (count === 0 ? '.' : count.toString(16));
  return `${irqs}${resched}${context}${digit(counts & 15)}${digit(counts >> 4)}`;
}

/** The columns up to the text, as with no option set. */
export function headText({ comm, pid, cpu, flags, time, ticks }: EntryHead): string {
  const task = `${comm.padStart(16)}-${String(pid).padEnd(7)}`;
  return `${task} [${String(cpu).padStart(3, '0')}] ${flags} ${ticks ? String(time).padStart(12) : timeText(time)}:`;
}

/** Seconds and microseconds, rounded as the kernel does. */
function timeText(time: bigint): string {
  const micro = (time + 500n) / 1000n;
  return `${String(micro / 1_000_000n).padStart(5)}.${String(micro % 1_000_000n).padStart(6, '0')}`;
}

/** function_graph's column: "   79.841 us", with a mark before what is long (Documentation/trace/ftrace.rst). */
export function durationText(duration: bigint | undefined): string {
  if (duration === undefined) return ' '.repeat(13);
  const text = `${duration / 1000n}.${String(duration % 1000n).padStart(3, '0')}`;
  const marks: readonly (readonly [bigint, string])[] = [
    [1_000_000_000n, '$'],
    [100_000_000n, '@'],
    [10_000_000n, '*'],
    [1_000_000n, '#'],
    [100_000n, '!'],
    [10_000n, '+'],
  ];
  const mark = marks.find(([least]) => duration > least)?.[1] ?? ' ';
  return `${mark} ${text.padStart(8)} us`.slice(-13).padStart(13);
}
