/** What the screen does for its panes. */
import type { Host } from './host.ts';
import type { PaneHost } from './pane.ts';

/** Between two titles of a pane into which lines stream. */
const TITLES_MS = 500;

export function paneHostOf(host: Host): PaneHost {
  let titles: NodeJS.Timeout | undefined;
  const drawTitles = (): void => {
    titles = undefined;
    host.redraw(host.chrome);
  };
  return {
    time: host.time,
    get selection() {
      return host.state.selection;
    },
    has: (command) => host.facts.commands.has(command),
    changed: (pane, title) => {
      if (!pane.isShown) return;
      host.redraw(pane);
      if (title) host.redraw(host.chrome);
      else if (pane.isFollowing && titles === undefined) titles = setTimeout(drawTitles, TITLES_MS).unref();
    },
  };
}
