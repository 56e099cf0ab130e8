/**
 * Runs a line of the user's on the screen: its output goes to the scrollback as it comes, through programs of the shell or
 * not; those that want the terminal get it; and Ctrl-C stops it and keeps what came.
 */
import type { Line } from '../../core/output/line.ts';
import type { EngineClient } from '../../engine/client.ts';
import { complaint, type Printed, print } from '../printer.ts';
import type { ScrollbackPart } from './contract.ts';

export interface RunOptions {
  readonly engine: EngineClient;
  readonly scrollback: Pick<ScrollbackPart, 'append' | 'say'>;
  readonly lend: <T>(work: () => Promise<T> | T) => Promise<T>;
  /** Ends a program of the shell that the line's output goes through. */
  readonly stop: AbortSignal;
  /** A pane shows the lesson. */
  readonly showsLesson: boolean;
  /** Lines printed so far: progress. */
  readonly onLines: (count: number) => void;
}

/** Resolves when the line is done. Throws EngineDied. */
export function runLine(line: string, options: RunOptions): Promise<Printed> {
  const { engine, scrollback, lend, stop, showsLesson, onLines } = options;
  let count = 0;
  const write = async (lines: readonly Line[]): Promise<boolean> => {
    scrollback.append(lines);
    count += lines.length;
    onLines(count);
    return true;
  };
  return print(engine.run(line, { json: false, rc: false, showsLesson }), {
    screen: () => ({ write, close: async () => undefined }),
    refuse: (statement) => engine.refuse(statement),
    shell: true,
    complain: (lines) => scrollback.say(complaintLines(lines)),
    remark: (text) => scrollback.say([[{ text, tone: 'dim' }]]),
    lend: (work) => lend(work),
    capture: { show: write, stop },
  });
}

/** An error as it is shown. */
export function complaintLines(lines: readonly string[]): readonly Line[] {
  return complaint(lines).map((text): Line => [{ text, tone: text.startsWith('kdbg: ') ? 'error' : 'dim' }]);
}
