/**
 * The kernel's tracer: who calls a function, what happens on this machine, in the order in which it happens.
 */
import { defineCommand, maybe } from '../src/core/command/define.ts';
import { choice } from '../src/core/command/kinds.ts';
import { TRACE_ACTION_NAMES, traceAction } from '../src/core/command/trace-actions.ts';
import { TRACE_COMMAND, TRACE_OPTIONS, TRACE_WORDS } from '../src/core/command/trace-arguments.ts';

export default defineCommand({
  name: 'trace',
  group: 'system',
  summary: "the kernel's tracer: functions, events, who calls what",
  description: [
    'kdbg traces in an instance of its own, a buffer beside the one that everybody shares: nobody else\'s trace is touched. "trace stop", the end of the session, a crash of kdbg and a lost connection all remove it. Each trace is watched for a fifth of a second when it starts and stopped when it writes more than 50,000 entries a second; kdbg\'s own tasks and the SSH server are left out.',
    '"trace start function -f PATTERN" traces calls of functions, "trace start events -e SYSTEM:EVENT" events; "trace show" prints what came, "trace follow" what comes. "trace callers FUNCTION" runs a trace for some seconds and counts the stacks by which the function was called.',
    'An instance that a killed session has left is shown by "trace" and removed by "trace clean"; one that still records is removed only by its name.',
    '"trace probe PLACE [ARGUMENT]... [if FILTER]" sets a probe: at a function (FUNCTION, MODULE:FUNCTION, an address), an instruction of one (FUNCTION+OFFSET), a tracepoint (SYSTEM:EVENT), or a place in a program (/PATH:OFFSET). An ARGUMENT is [NAME=]PATH[:TYPE]: a C path from a parameter of the function or from a global variable, followed by the types of this kernel, "ret" for what the function returns, "comm" for the task\'s name, or what the kernel\'s own probe language has ($arg1, %di, +8(%di)). TYPE is string, ustring, symbol, u8 to u64, s8 to s64, x8 to x64, or u8[16] for several; without it the C type decides. FILTER compares arguments by their names and is quoted: \'count > 4096 && name == "passwd"\'. Arguments are those at the entry of the function, also where "ret" is asked for; what returns a negative number or pointer of an error is shown with its name.',
    '"trace probe" lists the probes of this session with their hits and misses, "trace probe -d NAME" removes one; with --for or -n the hits are shown at once and the probe is removed after them. Probes are in the kernel\'s list of dynamic events for everybody; those of kdbg are in a group of the instance\'s name and are removed with it.',
    'PATTERN may hold * and select a module with :mod:NAME. A function that is listed and yet never hit is mostly inlined where it is called.',
  ],
  needs: ['files'],
  options: TRACE_OPTIONS,
  operands: {
    action: maybe(choice(...TRACE_ACTION_NAMES), 'ACTION', 'status unless given'),
    ...TRACE_WORDS,
    ...TRACE_COMMAND,
  },
  examples: [
    { line: 'trace', shows: 'what is traced on this machine, and by whom' },
    { line: "trace start function -f 'do_sys_open*' -s", shows: 'calls of functions, with their stacks' },
    { line: "trace start events -e 'sched:sched_switch if prev_pid == 1'", shows: 'an event, filtered' },
    { line: 'trace show -n 20', shows: 'the last entries' },
    { line: 'trace callers vfs_read --for 2', shows: 'who calls a function, with counts' },
    {
      line: 'trace probe vfs_read file->f_path.dentry->d_name.name:string count ret',
      shows: 'each call of a function, with values of its arguments and what it returned',
    },
    {
      line: "trace probe do_sys_openat2 filename ret if 'ret < 0' -n 10",
      shows: 'ten calls that failed, and how',
    },
    { line: 'trace stop', shows: 'ends the trace and removes all that it needed' },
  ],
  run: (scope, { action, ...args }) => traceAction(action, scope, args),
});
