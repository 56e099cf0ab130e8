/**
 * The pane of a walk along locks: its keys are the moves of `walk`. A step changes the session, so it is a line of the
 * user's, recorded and in the history; what it prints stands in the pane.
 */
import type { Host } from './host.ts';
import { refIn } from './line-search.ts';
import type { Pane } from './pane.ts';
import { WALK } from './pane-views.ts';
import type { ScreenAction } from './screen-keys.ts';

/** The pane of a walk has the keys, and shows it. */
export function isWalking({ state, desk }: Pick<Host, 'state' | 'desk'>): boolean {
  return state.focus === 'walk' && desk.pane('walk').line === WALK;
}

/** What is walked to from a line of any pane: the marked task or lock, or the first one in the line. */
export function walkPlace({ target, viewport }: Pane): string | undefined {
  const { line = '' } = viewport;
  const marked = target?.ref.kind === 'task' || target?.ref.kind === 'lock' ? target.ref : undefined;
  const ref = marked ?? refIn(line, 'task') ?? refIn(line, 'lock');
  if (ref === undefined) return undefined;
  return ref.kind === 'task' ? String(ref.pid) : ref.address.toString(16);
}

/** Makes a step, and shows it. `where` is a move, a task or a lock. */
export function walkTo(host: Host, where: string): void {
  const pane = host.desk.pane('walk');
  // Beside the shell: what one came from stays in sight.
  if (!host.desk.isShown('walk')) host.desk.show('walk', 'prompt');
  host.focus('walk');
  host.act(`${WALK} ${where}`, (lines) => {
    pane.put(WALK, lines);
    host.chosen(pane);
  });
}

type Act = (host: Host, pane: Pane) => void;

export const WALKING: Readonly<Partial<Record<ScreenAction, Act>>> = {
  'walk-here': (host, pane) => walkTo(host, walkPlace(pane) ?? ''),
  'walk-up': (host) => walkTo(host, 'up'),
  'walk-down': (host) => walkTo(host, 'down'),
  'walk-next': (host) => walkTo(host, 'next'),
  'walk-prev': (host) => walkTo(host, 'prev'),
  'walk-back': (host) => walkTo(host, 'back'),
};
