/**
 * The kernel's tracer: who calls a function, what happens on this machine, in the order in which it happens.
 */
import { defineCommand, flag, many, maybe, option, repeated } from '../src/core/command/define.ts';
import { choice, count, seconds, word } from '../src/core/command/kinds.ts';
import { traceActions } from '../src/core/command/trace-actions.ts';

export default defineCommand({
  name: 'trace',
  group: 'system',
  summary: "the kernel's tracer: functions, events, who calls what",
  description: [
    'kdbg traces in an instance of its own, a buffer beside the one that everybody shares: nobody else\'s trace is touched. "trace stop", the end of the session, a crash of kdbg and a lost connection all remove it. Each trace is watched for a fifth of a second when it starts and stopped when it writes more than 50,000 entries a second; kdbg\'s own tasks and the SSH server are left out.',
    '"trace start function -f PATTERN" traces calls of functions, "trace start events -e SYSTEM:EVENT" events; "trace show" prints what came, "trace follow" what comes. "trace callers FUNCTION" runs a trace for some seconds and counts the stacks by which the function was called.',
    'An instance that a killed session has left is shown by "trace" and removed by "trace clean"; one that still records is removed only by its name.',
    'PATTERN may hold * and select a module with :mod:NAME. A function that is listed and yet never hit is mostly inlined where it is called.',
  ],
  needs: ['files'],
  options: {
    f: repeated(word, 'PATTERN', 'with start: only these functions'),
    filter: repeated(word, 'PATTERN', 'as -f'),
    x: repeated(word, 'PATTERN', 'with start: all but these functions'),
    e: repeated(
      word,
      'EVENT',
      'with start: an event, SYSTEM:EVENT or all of a SYSTEM; with "EVENT if FILTER" in quotes only some',
    ),
    p: repeated(count, 'PID', 'with start: only this task'),
    pid: repeated(count, 'PID', 'as -p'),
    o: repeated(
      word,
      'OPTION',
      'with start: an option of the tracer, noOPTION turns it off; "trace options" lists them',
    ),
    s: flag('with start: the stack of each entry'),
    clock: option(word, 'CLOCK', 'with start: the trace clock; mono unless given'),
    b: option(count, 'KIB', 'with start: the size of the buffer for each CPU; 1024 unless given'),
    all: flag('with start: trace every function, which slows the machine down'),
    for: option(seconds, 'SECONDS', 'with callers: so long; 5 unless given'),
    n: option(count, 'COUNT', 'with show: the last COUNT entries'),
    shared: flag('with show and stat: the buffer that everybody shares'),
    i: option(word, 'INSTANCE', 'with show and stat: another instance'),
  },
  operands: {
    action: maybe(
      choice(
        'status',
        'start',
        'stop',
        'clear',
        'show',
        'follow',
        'stat',
        'callers',
        'functions',
        'events',
        'options',
        'clean',
      ),
      'ACTION',
      'status unless given',
    ),
    words: many(
      word,
      'WORD',
      'a tracer for start, a function for callers, a pattern for functions, events and options, an instance for clean',
    ),
  },
  examples: [
    { line: 'trace', shows: 'what is traced on this machine, and by whom' },
    { line: "trace start function -f 'do_sys_open*' -s", shows: 'calls of functions, with their stacks' },
    { line: "trace start events -e 'sched:sched_switch if prev_pid == 1'", shows: 'an event, filtered' },
    { line: 'trace show -n 20', shows: 'the last entries' },
    { line: 'trace callers vfs_read --for 2', shows: 'who calls a function, with counts' },
    { line: 'trace stop', shows: 'ends the trace and removes all that it needed' },
  ],
  run: (scope, args) => traceActions(scope, args),
});
