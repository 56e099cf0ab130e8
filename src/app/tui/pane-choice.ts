/** What the chosen line of a pane makes the selection of all. */
import { type Ref, spansOf, textOf } from '../../core/output/line.ts';
import { refIn } from './line-search.ts';
import { timeOf } from './line-time.ts';
import type { Pane } from './pane.ts';

/** The objects of the line. */
export function chosenRefs({ kind, line: command, viewport }: Pane): readonly Ref[] {
  const { line } = viewport;
  if (line === undefined) return [];
  const task = command?.startsWith('bt') === true ? undefined : refIn(line, 'task');
  const frame = refIn(line, 'frame');
  const hasCode = kind.name === 'stacks' || kind.name === 'trace' || kind.name === 'symbols';
  const symbol = hasCode ? refIn(line, 'symbol') : undefined;
  return [task, frame, symbol, refIn(line, 'lock')].filter((ref) => ref !== undefined);
}

/** When the chosen line is from, in a pane of what happened. */
export function chosenTime({ kind, viewport }: Pane): number | undefined {
  return kind.follows === 'time' ? timeOf(viewport.line ?? '') : undefined;
}

/** The name of the chosen task, where the line ends with it, or has it before the PID. */
export function chosenComm({ kind, viewport }: Pane): string | undefined {
  const { line } = viewport;
  if (kind.name === 'trace' && line !== undefined) {
    const task = spansOf(line).find((part) => typeof part !== 'string' && part.ref?.kind === 'task');
    return task === undefined ? undefined : /^(.+)-\d+$/s.exec(textOf([task]))?.[1];
  }
  return kind.name === 'tasks' && line !== undefined
    ? textOf(line)
        .trim()
        .split(/\s+/)
        .at(-1)
        ?.replace(/^\[(.*)\]$/, '$1')
    : undefined;
}
