/** Notes of the user's: when, about which task, what. */
import type { Line } from '../../core/output/line.ts';
import type { Selection } from './contract.ts';

/** A note as it stands in its pane: the task in it can be followed. */
export function noteLine(text: string, { task }: Selection, now: Date): Line {
  const time = { text: now.toTimeString().slice(0, 8), tone: 'dim' } as const;
  if (task === undefined) return [time, `  ${text}`];
  const { comm, ...which } = task;
  const about = comm === undefined ? String(task.pid) : `${task.pid} ${comm}`;
  const ref = { kind: 'task', ...which } as const;
  return [time, '  ', { text: about, tone: 'task', ref }, `  ${text}`];
}

/** The command that keeps a note in the recording. What would end the command there becomes a blank. */
export function noteCommand(text: string): string {
  return `record note ${text.replace(/[|;<>!\n]/g, ' ')}`;
}
