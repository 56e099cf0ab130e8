/**
 * The kernel's tracer: who calls a function, what happens on this machine, in the order in which it happens.
 */
import { defineCommand, maybe } from '../src/core/command/define.ts';
import { choice } from '../src/core/command/kinds.ts';
import { TRACE_ACTION_NAMES, traceAction } from '../src/core/command/trace-actions.ts';
import { TRACE_OPTIONS, TRACE_WORDS } from '../src/core/command/trace-arguments.ts';

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
  options: TRACE_OPTIONS,
  operands: { action: maybe(choice(...TRACE_ACTION_NAMES), 'ACTION', 'status unless given'), ...TRACE_WORDS },
  examples: [
    { line: 'trace', shows: 'what is traced on this machine, and by whom' },
    { line: "trace start function -f 'do_sys_open*' -s", shows: 'calls of functions, with their stacks' },
    { line: "trace start events -e 'sched:sched_switch if prev_pid == 1'", shows: 'an event, filtered' },
    { line: 'trace show -n 20', shows: 'the last entries' },
    { line: 'trace callers vfs_read --for 2', shows: 'who calls a function, with counts' },
    { line: 'trace stop', shows: 'ends the trace and removes all that it needed' },
  ],
  run: (scope, { action, ...args }) => traceAction(action, scope, args),
});
