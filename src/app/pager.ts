/**
 * Output that may be longer than the screen: lines are held back until they are too many for it, then a pager is
 * started on all of them; fewer are simply printed. Output that comes slowly is printed as it comes.
 */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Line } from '../core/output/line.ts';
import { type Lend, type OutputSink, openPager } from './sink.ts';

export interface PagerOptions {
  /** Prints lines on the terminal itself. */
  readonly direct: (lines: readonly Line[]) => void;
  /** Gives the terminal away while the pager runs. */
  readonly lend: Lend;
  readonly rows: () => number;
  /** A shell command; undefined for none. */
  readonly command: string | undefined;
  readonly colour: boolean;
}

/** Output that takes longer than this to fill the screen is shown as it comes. */
const PATIENCE_MS = 400;

export function lazyPager(options: PagerOptions): OutputSink {
  let held: Line[] = [];
  let state: 'holding' | 'direct' | 'paging' = options.command === undefined ? 'direct' : 'holding';
  let pager: OutputSink | undefined;
  const flush = (): void => {
    state = 'direct';
    if (held.length > 0) options.direct(held);
    held = [];
  };
  const timer = setTimeout(() => {
    if (state === 'holding') flush();
  }, PATIENCE_MS);
  return {
    get isForeign() {
      return state === 'paging';
    },
    async write(lines) {
      if (pager !== undefined) return pager.write(lines);
      if (state === 'direct') {
        options.direct(lines);
        return true;
      }
      held.push(...lines);
      if (held.length < options.rows() - 1) return true;
      clearTimeout(timer);
      state = 'paging';
      pager = await openPager(options.command as string, options.colour, options.lend);
      const first = held;
      held = [];
      return pager.write(first);
    },
    async close() {
      clearTimeout(timer);
      if (pager === undefined) flush();
      else await pager.close();
    },
  };
}

/**
 * $KDBG_PAGER, $PAGER or less, where one is installed; empty means none. A terminal that cannot move its cursor has only
 * the first: less complains there, and shows each page twice.
 */
export function pagerCommand(env: Readonly<Record<string, string | undefined>>): string | undefined {
  const isDumb = env['TERM'] === undefined || env['TERM'] === 'dumb';
  const chosen = env['KDBG_PAGER'] ?? (isDumb ? '' : env['PAGER']);
  if (chosen !== undefined) return chosen.trim() === '' || chosen === 'cat' ? undefined : chosen;
  return isInstalled('less', env['PATH'] ?? '') ? 'less -R -X -F' : undefined;
}

function isInstalled(program: string, path: string): boolean {
  return path.split(delimiter).some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
