/** What `trace` takes: options that all its actions share, for an action that does not know one has no use for it. */
import { type ArgsOf, after, flag, many, option, repeated } from './define.ts';
import { count, seconds, word } from './kinds.ts';
import { traceEvent, traceOption } from './trace-kinds.ts';
import { traceWord } from './trace-words.ts';

export const TRACE_OPTIONS = {
  f: repeated(word, 'PATTERN', 'with start and show: only these functions'),
  filter: repeated(word, 'PATTERN', 'as -f'),
  x: repeated(word, 'PATTERN', 'with start: all but these functions'),
  e: repeated(
    traceEvent,
    'EVENT',
    'with start: an event, SYSTEM:EVENT or all of a SYSTEM; with "EVENT if FILTER" in quotes only some. With show: only these events',
  ),
  p: repeated(count, 'PID', 'with start and show: only this task'),
  pid: repeated(count, 'PID', 'as -p'),
  o: repeated(
    traceOption,
    'OPTION',
    'with start: an option of the tracer, noOPTION turns it off; "trace options" lists them',
  ),
  s: flag('with start and probe: the stack of each entry'),
  stack: flag('as -s'),
  d: repeated(word, 'PROBE', 'with probe: remove this one; all removes all'),
  fprobe: flag('with probe: by ftrace, which is cheaper than a breakpoint and not counted'),
  clock: option(word, 'CLOCK', 'with start: the trace clock; mono unless given'),
  b: option(count, 'KIB', 'with start: the size of the buffer for each CPU; 1024 unless given'),
  all: flag('with start: trace every function, which slows the machine down'),
  for: option(
    seconds,
    'SECONDS',
    'with callers, callees, profile and hist: so long; 5 unless given. With probe: show hits for so long, then remove it. With a COMMAND: end it then',
  ),
  n: option(count, 'COUNT', 'with show: the last COUNT entries; with probe: show so many hits, then remove it'),
  depth: option(
    count,
    'LEVELS',
    'with callees, and with show and follow of function_graph: so many levels of calls within calls',
  ),
  unfold: flag('with show and follow of function_graph: all calls within calls'),
  raw: flag('with show and follow of function_graph: its lines as the kernel writes them, not joined to calls'),
  shared: flag('with show and stat: the buffer that everybody shares; with callees: borrow it, while nobody uses it'),
  i: option(word, 'INSTANCE', 'with show and stat: another instance'),
};

export const TRACE_WORDS = {
  words: many(
    traceWord,
    'WORD',
    'a tracer for start, a function for callers and callees, patterns for profile, an event and keys for hist, text for mark, a place and arguments for probe, a pattern for functions, events and options, an instance for clean, a file for save and open',
  ),
};

export const TRACE_COMMAND = {
  command: after(
    word,
    'COMMAND',
    'with start, callers, callees and profile: run this program on the target and trace it alone, with all that it starts',
  ),
};

export type TraceArgs = ArgsOf<typeof TRACE_OPTIONS, typeof TRACE_WORDS & typeof TRACE_COMMAND>;
