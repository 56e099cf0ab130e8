/** What stands beside the title of a pane: how many lines, and what keeps the pane from moving. */
import type { Pane } from './pane.ts';

/** How the pane is read: whether it is just now, and how many lines a second come by themselves. */
export interface ReadingState {
  readonly isReading: boolean;
  readonly rate: number;
}

export function paneInfo(pane: Pane, { isReading, rate }: ReadingState): string {
  const { viewport, kind, isPinned, isFollowing, isPaused, filterText } = pane;
  const { length, total, follows } = viewport;
  const parts = [
    isPinned ? 'pinned' : '',
    isFollowing ? `live${rate > 0 ? ` ${rate}/s` : ''}` : '',
    isPaused ? 'paused' : '',
    filterText === undefined ? '' : `only "${filterText}"`,
    isReading ? 'reading' : '',
    follows && kind.tail === true ? 'tail' : '',
    total === 0 ? '' : length === total ? `${total}` : `${length} of ${total}`,
  ];
  return parts.filter((part) => part !== '').join('  ');
}
