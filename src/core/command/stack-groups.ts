/**
 * Stacks by what is on them: tasks in one state with the same functions one above the other belong together.
 */
import type { TaskState } from '../kernel/task-state.ts';
import type { TaskSummary } from '../kernel/task-summary.ts';
import type { ShownFrame, ShownStack } from './task-stacks.ts';

export interface StackGroup {
  readonly state: TaskState;
  /** Of the first of them; the others have the same functions. */
  readonly frames: readonly ShownFrame[];
  /** Why they have no frames. */
  readonly refused: string | undefined;
  readonly tasks: readonly TaskSummary[];
}

/** The groups, largest first; of equal ones that with the lowest PID. `exact` tells stacks apart by address too. */
export function groupStacks(stacks: Iterable<ShownStack>, exact: boolean): readonly StackGroup[] {
  const groups = new Map<string, StackGroup & { readonly tasks: TaskSummary[] }>();
  for (const { task, frames, refused } of stacks) {
    // What stands apart in a refusal is where it was: on which CPU, at which address.
    const reason = refused?.replace(/ on CPU \d+/, '');
    const key = [task.state, reason ?? '', ...frames.map((frame) => frameKey(frame, exact))].join('\n');
    const group = groups.get(key);
    if (group !== undefined) group.tasks.push(task);
    // A stack's bytes are not kept for the sake of its names.
    else groups.set(key, { state: task.state, frames: frames.map(withoutStack), refused: reason, tasks: [task] });
  }
  return [...groups.values()].sort((a, b) => b.tasks.length - a.tasks.length || lowest(a) - lowest(b));
}

/** What makes two frames the same. */
export function frameKey({ symbol, offset, module, pc, reliable }: ShownFrame, exact: boolean): string {
  const name = symbol ?? (pc === undefined ? '' : pc.toString(16));
  return `${module ?? ''} ${name}${exact ? `+${offset}` : ''}${reliable ? '' : '?'}`;
}

/** The frames in runs: a function that calls itself is one run. */
export function runsOf(
  frames: readonly ShownFrame[],
  exact: boolean,
): readonly { readonly frame: ShownFrame; readonly count: number }[] {
  const runs: { frame: ShownFrame; count: number }[] = [];
  for (const frame of frames) {
    const last = runs.at(-1);
    if (last !== undefined && frameKey(last.frame, exact) === frameKey(frame, exact)) last.count++;
    else runs.push({ frame, count: 1 });
  }
  return runs;
}

function withoutStack(frame: ShownFrame): ShownFrame {
  return { ...frame, unwound: undefined };
}

function lowest({ tasks }: StackGroup): number {
  return tasks[0]?.pid ?? 0;
}
