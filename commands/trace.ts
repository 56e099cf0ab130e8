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
    '"trace callees FUNCTION" tells what a function calls, with how often, how long, and what it returned where the kernel tells (CONFIG_FUNCTION_GRAPH_RETVAL). In an instance the kernel can trace all that some tasks do, so tasks are named with -p or a COMMAND; of all tasks only the buffer that everybody shares can tell: --shared lets kdbg borrow it while nobody uses it, each setting read before and put back after, whatever happens. function_graph is in instances since Linux 6.11.',
    'With "-- COMMAND" a program is run on the target, as the user that kdbg is there, and it alone is traced, with all that it starts; its words are given to it as they are, read by no shell, and what it prints is shown. When it ends the trace ends; Ctrl-C and --for end both. Over ssh this wants perl or python3 there.',
    '"trace profile PATTERN..." tells of functions how often each is called and how long that takes, by function_graph. "trace hist EVENT [KEY]..." counts an event in the kernel by what its fields hold: id.syscall, common_pid.execname, stacktrace, or any field of the event; nothing is written into a buffer. "trace mark TEXT" writes an entry of yours, "trace snapshot" takes the buffer aside as it is now and shows it. "trace stat" tells of a latency tracer (wakeup, irqsoff, ... where the kernel has them) the longest latency as well.',
    '"trace show" and "trace follow" join the lines of function_graph to calls, one row each, with those within folded away: --depth and --unfold show them, --raw shows the lines as the kernel writes them. A call that is followed is shown when it returns; one that takes longer than two seconds, or 10,000 entries, is shown as far as it came and goes on in another row.',
    'An instance that a killed session has left is shown by "trace" and removed by "trace clean"; one that still records is removed only by its name.',
    '"trace probe PLACE [ARGUMENT]... [if FILTER]" sets a probe: at a function (FUNCTION, MODULE:FUNCTION, an address), an instruction of one (FUNCTION+OFFSET), a tracepoint (SYSTEM:EVENT), or a place in a program or library (/PATH:SYMBOL, SYMBOL+OFFSET, SYMBOL@VERSION, or an offset in the file). An ARGUMENT is [NAME=]PATH[:TYPE]: a C path from a parameter of the function or from a global variable, followed by the types of this kernel, "ret" for what the function returns, "comm" for the task\'s name, or what the kernel\'s own probe language has ($arg1, %di, +8(%di)). TYPE is string, ustring, symbol, u8 to u64, s8 to s64, x8 to x64, or u8[16] for several; without it the C type decides. FILTER compares arguments by their names and is quoted: \'count > 4096 && name == "passwd"\'. Arguments are those at the entry of the function, also where "ret" is asked for; what returns a negative number or pointer of an error is shown with its name.',
    "A program's symbols are read from its file on the target: what it offers to others, and all of its functions where it is not stripped of them. What a program takes from a library is probed in that library. A function that is chosen when the library is loaded (strlen, memcpy) has no place by its name, so that an offset is wanted. Nothing is known of a program's types: arguments are $arg1 to $arg6, as $arg1:ustring for a string, and ret:s32 is an int.",
    '"trace probe" lists the probes of this session with their hits and misses, "trace probe -d NAME" removes one; with --for or -n the hits are shown at once and the probe is removed after them. Probes are in the kernel\'s list of dynamic events for everybody; those of kdbg are in a group of the instance\'s name and are removed with it.',
    '"trace open FILE" opens a file of trace-cmd (version 6 or 7, packed by zstd or zlib or not at all): "trace show" shows it from then on, with -i one of its instances, until "trace open" alone or "trace start". "trace save FILE" writes one of what the buffer of kdbg\'s own trace holds, which trace-cmd and KernelShark read; its entries are then out of the buffer. "trace stop" takes what the buffer holds along, so that it can be saved afterwards, but for more than 16 MiB or what takes longer than 5 s to read: then only its text is left, and "trace save" before "trace stop" is the way.',
    'Of a recorded session, the lines that it ran show what they showed: a trace that starts, flows, stops. Nothing is traced anew.',
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
    { line: 'trace callers vfs_read -- cat /etc/hostname', shows: 'the same of one command, run on the target' },
    { line: 'trace callees do_sys_openat2 --shared', shows: 'what a function calls, how often and how long' },
    { line: 'trace hist raw_syscalls:sys_enter id.syscall', shows: 'system calls, counted by which' },
    {
      line: 'trace probe vfs_read file->f_path.dentry->d_name.name:string count ret',
      shows: 'each call of a function, with values of its arguments and what it returned',
    },
    {
      line: "trace probe do_sys_openat2 filename ret if 'ret < 0' -n 10",
      shows: 'ten calls that failed, and how',
    },
    {
      line: 'trace probe /usr/bin/bash:readline ret:ustring --for 60',
      shows: 'a function of a program, by its symbol: what is typed into shells',
    },
    { line: 'trace save /tmp/trace.dat', shows: 'what came, as a file of trace-cmd' },
    { line: 'trace open trace.dat', shows: 'a file of trace-cmd, for trace show' },
    { line: 'trace stop', shows: 'ends the trace and removes all that it needed' },
  ],
  run: (scope, { action, ...args }) => traceAction(action, scope, args),
});
