/**
 * Output that may be longer than the screen: lines are held back until they are too many for it, then a pager is
 * started on all of them; fewer are simply printed. Output that comes slowly is printed as it comes.
 */
import type { Line } from '../core/output/line.ts';
import { type OutputSink, pagerSink } from './sink.ts';

export interface PagerOptions {
  /** Prints lines on the terminal itself. */
  readonly direct: (lines: readonly Line[]) => void;
  /** Gives the terminal away while the pager runs. */
  readonly lend: <T>(work: () => Promise<T>) => Promise<T>;
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
  let paged: Promise<void> | undefined;
  let release: () => void = () => undefined;
  const started = performance.now();
  const timer = setTimeout(() => {
    if (state === 'holding') flush();
  }, PATIENCE_MS);
  const flush = (): void => {
    state = 'direct';
    if (held.length > 0) options.direct(held);
    held = [];
  };
  const page = async (): Promise<boolean> => {
    state = 'paging';
    const lent = new Promise<void>((resolve) => {
      paged = options.lend(async () => {
        pager = pagerSink(options.command as string, options.colour);
        resolve();
        await new Promise<void>((done) => {
          release = done;
        });
      });
    });
    await lent;
    const lines = held;
    held = [];
    return (pager as OutputSink).write(lines);
  };
  return {
    async write(lines) {
      if (state === 'paging') return (pager as OutputSink).write(lines);
      if (state === 'direct') {
        options.direct(lines);
        return true;
      }
      held.push(...lines);
      if (held.length >= options.rows() - 1) return page();
      if (performance.now() - started > PATIENCE_MS) flush();
      return true;
    },
    async close() {
      clearTimeout(timer);
      if (state === 'paging') {
        await pager?.close();
        release();
        await paged;
      } else {
        flush();
      }
    },
  };
}
