/**
 * Kernel stacks of tasks.
 */
import { initialContext, taskOnCpu } from '../src/core/command/context.ts';
import { counted, defineCommand, flag, many, option, repeated } from '../src/core/command/define.ts';
import { choice } from '../src/core/command/kinds.ts';
import { registerCells } from '../src/core/command/register-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { passes, type StackReference, stackReference } from '../src/core/command/stack-reference.ts';
import {
  cpuExceptions,
  exceptionItem,
  rawItem,
  refusal,
  suspectItems,
  textItem,
} from '../src/core/command/stack-report.ts';
import { frameCells, type StackViewOptions, stackLines } from '../src/core/command/stack-view.ts';
import { address, cpuList } from '../src/core/command/target-kinds.ts';
import { type TaskSelector, taskSelector } from '../src/core/command/task-kinds.ts';
import { chosenTasks, tasksOf } from '../src/core/command/task-operands.ts';
import { PROC_STACK_NOTICE, type ShownStack, shownStack, stacksOf } from '../src/core/command/task-stacks.ts';
import { taskCells, taskHeading } from '../src/core/command/task-view.ts';
import { chosenRadix, symbolise } from '../src/core/command/value-view.ts';
import { UnsupportedError, UsageError } from '../src/core/errors.ts';
import { cpus } from '../src/core/kernel/cpu.ts';
import { unwindFrom } from '../src/core/kernel/stack-from.ts';
import { recoverRegisters } from '../src/core/kernel/stack-registers.ts';
import { structOf, type TaskSummary, taskSummaries, threadGroup } from '../src/core/kernel/task-summary.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import type { Line } from '../src/core/output/line.ts';

export default defineCommand({
  name: 'bt',
  group: 'tasks',
  summary: 'the kernel stacks of tasks',
  description: [
    'Each frame is shown with the stack slot that holds its return address, the function, and the address in it. Frames are found by the ORC tables of the kernel; one that was not says how: (fp) by frame pointer, (scan) as the next likely return address on the stack, (guess) as one of a task whose registers are not known. A question mark is on those that rest on a guess. Functions that were interrupted come with the registers that the exception saved, and the registers of user mode stand at the end.',
    "TASK is a PID, the address of a task_struct, a name, a 'regex' over names, a state (UN) or one of kernel, user, gleader, active; the context where none is given.",
    'A task that is running cannot be unwound on a live kernel. Without kernel memory the stacks are those of /proc/PID/stack.',
    "-R shows only the stacks that contain REF: a function, a 'regex' over functions, a [module], or an address, which may also be any word on the stack: foreach UN bt -R __mutex_lock.",
  ],
  input: 'task',
  options: {
    a: flag('the tasks that the CPUs ran when the target stopped'),
    c: option(cpuList, 'CPUS', 'the same, of these CPUs'),
    n: option(choice('idle'), 'idle', 'with -a or -c: not the idle tasks'),
    p: flag('the task that the kernel died in'),
    g: flag('all threads of the process'),
    R: repeated(stackReference, 'REF', 'only stacks that contain this function, [module] or address'),
    s: flag('offsets behind the names of functions'),
    x: flag('offsets in hex'),
    d: flag('offsets in decimal'),
    l: flag('source lines, where debug information has them'),
    f: flag('the words of each frame'),
    F: counted('the same with addresses of symbols named; -FF with the words as well'),
    k: flag('the registers that the function of each frame held when it made its call, as far as they are known'),
    t: flag('instead of frames, every word from the innermost frame up that points into text'),
    T: flag('the same on all of the stack'),
    e: flag('instead of frames, what looks like saved registers of exceptions'),
    E: flag('the same on the interrupt and exception stacks of the CPUs (-c chooses)'),
    r: flag('the bytes of the stack'),
    v: flag('check for stacks that have overflowed: all of them where no TASK is given'),
    I: option(address, 'PC', 'with -S: start in the function at this address'),
    S: option(address, 'SP', 'start at this stack pointer'),
  },
  operands: {
    tasks: many(taskSelector, 'TASK', "a PID, an address, a name, a 'regex', a state; kernel, user, gleader, active"),
  },
  examples: [
    { line: 'bt', shows: "the context's stack" },
    { line: 'bt -f 1', shows: 'a stack with the words of each frame' },
    {
      line: 'bt -k lab_ab',
      shows: 'a stack with what each function held in its registers: the lock that it waits for',
    },
    { line: 'bt -s UN', shows: 'all tasks in uninterruptible sleep, with offsets' },
    { line: "bt -R 'mutex_lock' user", shows: 'user tasks that have such a function on their stacks' },
    { line: 'bt -v', shows: 'whether a stack has overflowed' },
  ],
  run: (scope, args) => show(scope, args as unknown as BtArgs),
});

interface BtArgs {
  readonly a: boolean;
  readonly c: readonly number[] | undefined;
  readonly n: 'idle' | undefined;
  readonly p: boolean;
  readonly g: boolean;
  readonly R: readonly StackReference[];
  readonly s: boolean;
  readonly x: boolean;
  readonly d: boolean;
  readonly l: boolean;
  readonly f: boolean;
  readonly F: number;
  readonly k: boolean;
  readonly t: boolean;
  readonly T: boolean;
  readonly e: boolean;
  readonly E: boolean;
  readonly r: boolean;
  readonly v: boolean;
  readonly I: bigint | undefined;
  readonly S: bigint | undefined;
  readonly tasks: readonly TaskSelector[];
}

const INSTEAD = ['t', 'T', 'e', 'E', 'r', 'v'] as const;
const OF_MEMORY = ['a', 'c', 'p', 'f', 'F', 'k', 't', 'T', 'e', 'E', 'r', 'v', 'I', 'S'] as const;

function* show(scope: Scope, args: BtArgs): Iterable<Item> {
  checkArguments(scope, args);
  const view = viewOf(scope, args);
  if (args.l) yield notice('no source lines: there is no debug information');
  if (args.E) {
    yield* cpuExceptions(scope, args.c, view);
    return;
  }
  if (args.v) {
    yield* suspectItems(scope, [...(chosenTasks(scope, args.tasks) ?? taskSummaries(scope.kernel))]);
    return;
  }
  let shown = 0;
  let framesFromProc = false;
  for (const stack of stacks(scope, args)) {
    if (!passes(stack, args.R)) continue;
    const heading = headingLines(stack, shown++);
    framesFromProc ||= stack.unwound === undefined && stack.frames.length > 0;
    yield stackItem(scope, args, stack, heading, view);
  }
  if (framesFromProc) yield notice(PROC_STACK_NOTICE);
  if (shown === 0 && args.R.length > 0) {
    yield notice(`no stack contains ${args.R.map(({ text }) => text).join(' and ')}`);
  }
}

function checkArguments(scope: Scope, args: BtArgs): void {
  const instead = INSTEAD.filter((name) => args[name]);
  if (instead.length > 1) throw new UsageError(`-${instead.join(' and -')} exclude each other`);
  if (args.I !== undefined && args.S === undefined) throw new UsageError('-I goes with -S: a stack pointer is wanted');
  const byCpu = args.a || (args.c !== undefined && !args.E);
  const chosen = [byCpu, args.p, args.tasks.length > 0].filter(Boolean);
  if (chosen.length > 1) throw new UsageError('-a, -c, -p and a TASK exclude each other');
  // Without memory this says what is missing.
  if (OF_MEMORY.some((name) => args[name] !== false && args[name] !== undefined && args[name] !== 0))
    void scope.kernel.memory;
}

function stacks(scope: Scope, args: BtArgs): Iterable<ShownStack> {
  const tasks = targets(scope, args);
  if (args.S === undefined) return stacksOf(scope, tasks, { whole: args.T || args.e || args.r });
  const [task, ...others] = tasks;
  if (task === undefined || others.length > 0) throw new UsageError('-S starts on the stack of one task');
  const from = { sp: args.S, pc: args.I };
  return [shownStack(task, unwindFrom(scope.kernel, structOf(scope.kernel, task).address, from))];
}

function targets(scope: Scope, args: BtArgs): Iterable<TaskSummary> {
  const { kernel } = scope;
  if (args.a || args.c !== undefined) return running(scope, args);
  if (args.p) {
    const { task, pid } = initialContext(scope);
    return tasksOf({ ...scope, context: { task, pid, cpu: 0 } }, []);
  }
  const chosen = tasksOf(scope, args.tasks);
  if (!args.g) return chosen;
  const groups = new Set([...chosen].map((task) => task.tgid));
  return [...groups].flatMap((tgid) => threadGroup(kernel, tgid));
}

/** What the CPUs ran. On a live kernel they run on: there is nothing to unwind. */
function running(scope: Scope, args: BtArgs): readonly TaskSummary[] {
  const { kernel } = scope;
  if (kernel.liveness === 'live') {
    throw new UnsupportedError(
      'a task that is running cannot be unwound on a live kernel: its registers are in its CPU',
      '"ps -A" shows what the CPUs run; "bt active" says for each why it has no frames',
    );
  }
  const tasks = (args.c ?? cpus(kernel, 'online')).map((cpu) => taskOnCpu(kernel, cpu));
  return args.n === undefined ? tasks : tasks.filter((task) => task.pid !== 0);
}

function viewOf(scope: Scope, args: BtArgs): StackViewOptions {
  return {
    offsets: args.s,
    radix: chosenRadix(args, offsetRadix(scope.settings)),
    words: args.f || args.F > 0,
    symbolise: args.F > 0 ? symbolise(scope) : undefined,
    raw: args.F > 1,
  };
}

function headingLines({ task }: ShownStack, index: number): readonly Line[] {
  return index === 0 ? [taskHeading(task)] : ['', taskHeading(task)];
}

function stackItem(
  scope: Scope,
  args: BtArgs,
  stack: ShownStack,
  heading: readonly Line[],
  view: StackViewOptions,
): Item {
  if (args.t || args.T) return textItem(scope, stack, heading, args.T, view);
  if (args.e) return exceptionItem(scope, stack, heading, view);
  if (args.r) return rawItem(scope, stack, heading);
  const registers = args.k && stack.unwound !== undefined ? recoverRegisters(scope.kernel, stack.unwound) : undefined;
  const detail = { ...view, registers };
  const data = {
    ...taskCells(stack.task),
    frames: frameCells(stack, detail),
    ...(stack.user === undefined ? {} : { registers: registerCells(stack.user) }),
    ...refusal(stack),
  };
  return row(data, () => [...heading, ...stackLines(stack, detail)]);
}
