/**
 * What each pane can show: views, each a command line that depends on the selection. The first view whose line is known
 * is the pane's own; a pane that finds nothing by it may have another to fall back to.
 */
import type { PaneName, Selection } from './contract.ts';
import { symbolArgument } from './follow.ts';

export interface PaneView {
  /** What the view is, for help and messages. */
  readonly title: string;
  /** The command, or undefined while nothing is selected that it could be about. */
  readonly line: (selection: Selection) => string | undefined;
  /** The command that it needs, where not all versions have it. */
  readonly needs?: string;
  /** The command that prints what comes on a live target, as the view shows it; without one the view is read again and again. */
  readonly stream?: string;
}

export interface PaneKind {
  readonly name: PaneName;
  readonly title: string;
  readonly views: readonly PaneView[];
  /** The selection that moves the pane. */
  readonly follows?: keyof Selection;
  /** What the chosen line is, is shown below the list. */
  readonly previews?: boolean;
  /** Shown at the end: a log. */
  readonly tail?: boolean;
  /** The line that is chosen when the view was read: where one stands. */
  readonly here?: RegExp;
  /** A text to be read from its beginning to its end. */
  readonly isText?: boolean;
  /** Each line that the user runs may change what is shown. */
  readonly readsAfterLines?: boolean;
  /** Commands in its text are the user's to run, and not for the pane itself. */
  readonly runsCommands?: boolean;
  /** The first view finds nothing: the second is shown. */
  readonly fallsBack?: boolean;
  /** Why the pane is empty when no view of it can be shown. */
  readonly absent: string;
}

/** What is looked at first: who is stuck, and in what. */
const BLOCKED_STACKS = 'stacks -v UN';
/** Where a walk stands, with the way up drawn; behind it a move or a place makes a step. */
export const WALK = 'walk -c';

function fixed(title: string, line: string, needs?: string): PaneView {
  return { title, line: () => line, ...(needs === undefined ? {} : { needs }) };
}

/** The trace buffer, and what flows into it, in a form that both can have. */
function traceView(title: string, option: string): PaneView {
  return { ...fixed(title, `trace show${option}`, 'trace'), stream: `trace follow${option}` };
}

export const PANE_KINDS: Readonly<Record<PaneName, PaneKind>> = {
  tasks: {
    name: 'tasks',
    title: 'tasks',
    views: [
      fixed('tasks in uninterruptible sleep', 'ps UN'),
      fixed('all tasks', 'ps'),
      fixed('tasks on a CPU', 'ps -A'),
      fixed('tasks by when they last ran', 'ps -m'),
      fixed('tasks of user processes', 'ps -u'),
    ],
    fallsBack: true,
    absent: 'this target has no tasks to show',
  },
  stacks: {
    name: 'stacks',
    title: 'stacks',
    views: [
      {
        title: 'the stack of the selected task',
        line: ({ task }) => (task === undefined ? BLOCKED_STACKS : `bt ${task.pid}`),
      },
      fixed("the context's stack", 'bt'),
      fixed('blocked tasks, grouped by stack', BLOCKED_STACKS),
      fixed('all tasks, grouped by stack', 'stacks'),
      fixed('what the CPUs ran', 'bt -a'),
      fixed('stacks of the last report in the kernel log', 'report -s'),
    ],
    follows: 'task',
    fallsBack: true,
    absent: 'choose a task: its stack is shown here',
  },
  trace: {
    name: 'trace',
    title: 'trace',
    views: [
      traceView('the trace buffer', ''),
      traceView('the trace buffer, with the calls within the calls of function_graph', ' --unfold'),
      traceView('the trace buffer as the kernel writes it', ' --raw'),
      fixed('what is traced', 'trace status', 'trace'),
    ],
    follows: 'time',
    tail: true,
    absent: 'no trace buffer: this target gives no files of tracefs',
  },
  symbols: {
    name: 'symbols',
    title: 'symbols',
    views: [
      {
        title: 'the code of the selected function',
        line: ({ symbol }) => (symbol === undefined ? undefined : `dis ${symbolArgument(symbol)}`),
      },
      fixed('symbols of all modules', 'sym -M'),
    ],
    follows: 'symbol',
    previews: true,
    absent: 'f searches the symbol table; choose a frame: its code is shown here',
  },
  locks: {
    name: 'locks',
    title: 'locks',
    views: [fixed('contended locks', 'locks', 'locks'), fixed('deadlocks', 'deadlock', 'deadlock')],
    absent: 'this version has no command that shows locks',
  },
  log: {
    name: 'log',
    title: 'log',
    views: [
      fixed('the kernel log', 'log'),
      fixed('warnings and worse', 'log -l warn+'),
      fixed('what it reports', 'report'),
    ],
    follows: 'time',
    tail: true,
    absent: 'this target gives no kernel log',
  },
  notes: {
    name: 'notes',
    title: 'notes',
    views: [],
    absent: 'a line that begins with # is a note; notes of this session stand here',
  },
  walk: {
    name: 'walk',
    title: 'a walk along locks',
    views: [
      fixed('where the walk stands', WALK, 'walk'),
      fixed('deadlocks and chains of waits', 'deadlock -c', 'deadlock'),
    ],
    here: / {2}<- here$/,
    fallsBack: true,
    absent: 'this version has no command that walks along locks',
  },
  lesson: {
    name: 'lesson',
    title: 'the lesson',
    views: [fixed('the lesson', 'lesson', 'lesson')],
    isText: true,
    readsAfterLines: true,
    runsCommands: true,
    absent: 'no lesson runs',
  },
};

/** Commands that change the session rather than show something, and output that goes elsewhere. */
const NOT_IN_PANES = /^\s*(exit|q|quit|record|set|alias|repeat|answer|lesson +(?!list\b|-)\w+)\b|[<>]\s*\S|^\s*!/;
/** A step of a walk changes where the next one begins: run again, it would be two. */
const WALKS = /^\s*\\?(?:walk\s+(?:-c\s+)?[^-\s]|(?:next|prev|up|down|back)\b)/;

/** Whether a line makes a step of a walk along locks. */
export function isWalkStep(line: string): boolean {
  return WALKS.test(line);
}

/** Whether a line only shows something, so that a pane may run it again and again. */
export function isForPanes(line: string): boolean {
  return !NOT_IN_PANES.test(line) && !isWalkStep(line);
}

/** Whether the command that a view needs is there. */
export function isUsable({ needs }: PaneView, has: (command: string) => boolean): boolean {
  return needs === undefined || has(needs);
}

/** The numbers of the views that can be shown. */
export function usableViews({ views }: PaneKind, has: (command: string) => boolean): readonly number[] {
  return [...views.keys()].filter((i) => isUsable(views[i] as PaneView, has));
}
