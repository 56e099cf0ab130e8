/**
 * Arguments that choose tasks, by crash's rules: a PID in decimal, the address of a task_struct, a comm as it is, a
 * 'regular expression' over comms; beyond them, as crash's foreach takes them, a state (UN, RU, ...) and the words
 * kernel, user, gleader, active. Names add to each other; states and words narrow what the names choose, or all tasks:
 * `kernel UN 'kworker'` is every kworker that is uninterruptible.
 */
import { NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import { findTask } from '../kernel/find-task.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { currentTasks } from '../kernel/runqueue.ts';
import { STATE_NAMES, type TaskState } from '../kernel/task-state.ts';
import { findProcSummary, isFromMemory, summaryOf, type TaskSummary, taskSummaries } from '../kernel/task-summary.ts';
import { formatAddress, parseHex } from '../memory/address.ts';
import { CANDIDATES_MAX } from './complete.ts';
import type { Candidate, Kind } from './define.ts';

const KEYWORDS = {
  kernel: 'kernel threads',
  user: 'tasks of user processes',
  gleader: 'leaders of thread groups',
  active: 'tasks that are on a CPU',
} as const;

export type TaskKeyword = keyof typeof KEYWORDS;

/** One word that chooses tasks. */
export type TaskSelector =
  | { readonly kind: 'task'; readonly task: TaskSummary }
  | { readonly kind: 'named'; readonly text: string; readonly matches: (comm: string) => boolean }
  | { readonly kind: 'state'; readonly state: TaskState }
  | { readonly kind: 'keyword'; readonly keyword: TaskKeyword };

/** A hex word this long is an address before it is anybody's name. */
const ADDRESS_DIGITS_MIN = 8;
/** A comm in memory has 15 characters, and up to 64 in /proc for a worker; no pattern is matched on more. */
const COMM_MAX = 64;
const NEAR_MAX = 5;

/** What chooses tasks: PID, address, comm, 'regex', state or word. */
export const taskSelector: Kind<TaskSelector> = {
  name: 'task',
  keepsQuotes: true,
  parse(text, scope) {
    const pattern = /^'(.*)'$/s.exec(text)?.[1];
    if (pattern !== undefined) return named(text, matching(pattern));
    if (text.startsWith('\\')) return named(text, (comm) => comm === text.slice(1));
    const state = STATE_NAMES.find((each) => each === text);
    if (state !== undefined) return { kind: 'state', state };
    if (isKeyword(text)) return { kind: 'keyword', keyword: text };
    return taskOrName(text, scope.kernel);
  },
  complete: (text, scope) => ({
    candidates: [
      ...STATE_NAMES.map((name) => ({ text: name, detail: 'tasks in this state' })),
      ...Object.entries(KEYWORDS).map(([name, detail]) => ({ text: name, detail })),
      ...taskCandidates(text, scope.kernel),
    ],
  }),
};

/** One task, by PID, address or a comm that only one task has. */
export const taskArgument: Kind<TaskSummary> = {
  name: 'task',
  parse: (text, scope) => oneTask(text, scope.kernel),
  complete: (text, scope) => ({ candidates: taskCandidates(text, scope.kernel) }),
};

/** The one task that a text names. Throws NotFoundError, and UsageError where several have the name. */
export function oneTask(text: string, kernel: Kernel): TaskSummary {
  const found = taskOrName(text, kernel);
  if (found.kind === 'task') return found.task;
  const tasks = taskSummaries(kernel).filter((task) => found.kind === 'named' && found.matches(task.comm));
  const [first] = tasks;
  if (first !== undefined && tasks.length === 1) return first;
  const which = tasks.slice(0, NEAR_MAX).map((task) => task.pid);
  throw new UsageError(`${tasks.length} tasks are named "${text}"`, {
    column: 0,
    hint: `give a PID: ${which.join(', ')}${tasks.length > which.length ? ', ...' : ''}`,
  });
}

/** The tasks that the words choose; in the order of the words, and of the task table for each. */
export function selectTasks(kernel: Kernel, selectors: readonly TaskSelector[]): readonly TaskSummary[] {
  const filters = filtersOf(kernel, selectors);
  const chosen: TaskSummary[] = [];
  const names = selectors.filter((each) => each.kind === 'task' || each.kind === 'named');
  for (const name of names) {
    if (name.kind === 'task') chosen.push(name.task);
    else if (name.kind === 'named') {
      const matching = taskSummaries(kernel).filter((task) => name.matches(task.comm));
      if (matching.length === 0) kernel.notice(`no task has a name like ${name.text}`);
      chosen.push(...matching);
    }
  }
  const all = names.length === 0 ? taskSummaries(kernel) : chosen;
  return unique(all).filter((task) => filters.every((passes) => passes(task)));
}

/** What states and words ask of a task: one of the states, and every word. */
function filtersOf(kernel: Kernel, selectors: readonly TaskSelector[]): readonly ((task: TaskSummary) => boolean)[] {
  const states = selectors.flatMap((each) => (each.kind === 'state' ? [each.state] : []));
  const keywords = selectors.flatMap((each) => (each.kind === 'keyword' ? [each.keyword] : []));
  const filters = [...new Set(keywords)].map((keyword) => keywordFilter(kernel, keyword));
  return states.length === 0 ? filters : [(task) => states.includes(task.state), ...filters];
}

function keywordFilter(kernel: Kernel, keyword: TaskKeyword): (task: TaskSummary) => boolean {
  switch (keyword) {
    case 'kernel':
      return (task) => task.kernelThread;
    case 'user':
      return (task) => !task.kernelThread;
    case 'gleader':
      return (task) => task.pid === task.tgid;
    case 'active':
      return activeFilter(kernel);
  }
}

/** Tells the tasks that are on a CPU. Throws UnsupportedError where only /proc tells of tasks. */
export function activeFilter(kernel: Kernel): (task: Pick<TaskSummary, 'task'>) => boolean {
  if (!isFromMemory(kernel)) {
    throw new UnsupportedError(
      'which tasks are on a CPU is not known without kernel memory',
      'RU chooses those that run or are ready to',
    );
  }
  const active = new Set(currentTasks(kernel).values());
  return ({ task }) => task !== undefined && active.has(task.address);
}

function taskOrName(text: string, kernel: Kernel): Extract<TaskSelector, { kind: 'task' | 'named' }> {
  const isNumber = /^\d+$/.test(text) || /^0[xX]/.test(text) || isAddressLike(text);
  const task = isNumber ? numberedTask(text, kernel) : undefined;
  if (task !== undefined) return { kind: 'task', task };
  const comms = taskSummaries(kernel);
  if (comms.some(({ comm }) => comm === text)) return named(text, (comm) => comm === text);
  // `dd` is a program before it is the PID 221.
  const late = isNumber ? undefined : numberedTask(text, kernel);
  if (late !== undefined) return { kind: 'task', task: late };
  throw new NotFoundError('task', text, isAddressLike(text) ? unflaggedTask(text, kernel) : nearTasks(text, comms));
}

/** An owner word of a lock is a task's address with flags in its lowest three bits: the task that is meant. */
function unflaggedTask(text: string, kernel: Kernel): readonly string[] {
  const flagged = parseHex(text);
  if (flagged === undefined || (flagged & 7n) === 0n) return [];
  const task = numberedTask((flagged & ~7n).toString(16), kernel);
  return task?.task === undefined ? [] : [`${formatAddress(task.task.address)} (${task.comm}), without the flags`];
}

function isAddressLike(text: string): boolean {
  return text.length >= ADDRESS_DIGITS_MIN && parseHex(text) !== undefined;
}

/** A task by its PID, or by the address of its task_struct. */
function numberedTask(text: string, kernel: Kernel): TaskSummary | undefined {
  if (isFromMemory(kernel)) {
    const task = findTask(kernel, text);
    return task && summaryOf(task);
  }
  return /^\d{1,9}$/.test(text) ? findProcSummary(kernel, Number(text)) : undefined;
}

function nearTasks(text: string, tasks: readonly TaskSummary[]): readonly string[] {
  if (/^\d/.test(text) || text.length < 2) return [];
  const wanted = text.toLowerCase();
  const near = tasks.filter(({ comm }) => comm.toLowerCase().includes(wanted) || wanted.includes(comm.toLowerCase()));
  return near.slice(0, NEAR_MAX).map(({ pid, comm }) => `${pid} (${comm})`);
}

function named(text: string, matches: (comm: string) => boolean): Extract<TaskSelector, { kind: 'named' }> {
  return { kind: 'named', text, matches };
}

/** Throws UsageError for what is no regular expression. */
function matching(pattern: string): (comm: string) => boolean {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch {
    throw new UsageError(`'${pattern}' is not a regular expression`, { column: 0 });
  }
  return (comm) => expression.test(comm.slice(0, COMM_MAX));
}

function isKeyword(text: string): text is TaskKeyword {
  return Object.hasOwn(KEYWORDS, text);
}

/** PIDs with their comms, and comms with how many tasks have them. */
function taskCandidates(prefix: string, kernel: Kernel): readonly Candidate[] {
  const tasks = taskSummaries(kernel);
  if (/^\d/.test(prefix)) {
    const found = tasks.filter((task) => String(task.pid).startsWith(prefix)).slice(0, CANDIDATES_MAX);
    return found.map((task) => ({ text: String(task.pid), detail: task.comm }));
  }
  const counts = new Map<string, number>();
  for (const { comm } of tasks) {
    // A process chooses its comm: what would need quoting, or is no text at all, is not put into anybody's line.
    if (comm.startsWith(prefix) && /^[\w@%+=:,./-]+$/.test(comm)) counts.set(comm, (counts.get(comm) ?? 0) + 1);
  }
  return [...counts]
    .slice(0, CANDIDATES_MAX)
    .map(([text, count]) => ({ text, detail: count === 1 ? 'a task' : `${count} tasks` }));
}

function unique(tasks: readonly TaskSummary[]): readonly TaskSummary[] {
  const seen = new Set<string>();
  return tasks.filter((task) => {
    // Idle tasks share a PID: their addresses tell them apart.
    const key = `${task.pid} ${task.task?.address ?? ''}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
