/**
 * The lines that the user runs: one at a time, with progress while they run, and what has to be looked at anew after
 * them.
 */
import { type Line, textOf } from '../../core/output/line.ts';
import { interrupts } from '../interrupt.ts';
import type { RunBy } from './contract.ts';
import { Estimate } from './estimate.ts';
import { askContext, askRecording, type Facts } from './facts.ts';
import type { Host } from './host.ts';
import { isWalkStep } from './pane-views.ts';
import { type RunOptions, runLine } from './run-line.ts';

/** Between two pictures of a command that runs. */
const PROGRESS_MS = 250;

export interface Endings {
  /** The session is to end with this status. */
  readonly end: (status: number) => void;
  /** The engine is gone. */
  readonly fail: (error: unknown) => void;
}

export class UserLines {
  readonly #host: Host;
  readonly #endings: Endings;
  readonly #control;
  #stop = new AbortController();

  constructor(host: Host, endings: Endings) {
    this.#host = host;
    this.#endings = endings;
    this.#control = interrupts(host.engine, (text) => host.tell(text, 'warn'));
  }

  /** Runs a line when those before it are done. */
  run(line: string, by: RunBy): void {
    this.#host.time.user(() => this.#run(line, by)).catch(this.#endings.fail);
  }

  /** Runs a line that a key stands for, when those before it are done: its output is shown elsewhere. */
  act(line: string, show: (lines: readonly Line[]) => void): void {
    const work = async (): Promise<void> => {
      const lines: Line[] = [];
      const say = (troubles: readonly Line[]): void =>
        this.#host.tell(
          troubles
            .map((each) =>
              textOf(each)
                .trim()
                .replace(/^kdbg: /, ''),
            )
            .join('; '),
          'warn',
        );
      await this.#execute(line, { append: (more) => void lines.push(...more), say });
      if (lines.length > 0) show(lines);
    };
    this.#host.time.user(work).catch(this.#endings.fail);
  }

  /** Stops the line that runs. False when none does. */
  cancel(): boolean {
    if (!this.#host.time.isRunning) return false;
    this.#control.press();
    this.#stop.abort();
    return true;
  }

  async #run(line: string, by: RunBy): Promise<void> {
    const host = this.#host;
    host.scrollback.command(line, by);
    const note = /^\s*#\s*(.+)$/.exec(line)?.[1];
    if (note !== undefined) {
      host.note(note);
      return;
    }
    await this.#execute(line, host.scrollback);
    if (isWalkStep(line)) host.desk.pane('walk').home();
  }

  async #execute(line: string, scrollback: RunOptions['scrollback']): Promise<void> {
    const host = this.#host;
    this.#control.reset();
    this.#stop = new AbortController();
    const since = performance.now();
    let lines = 0;
    const estimate = new Estimate();
    const show = (): void => {
      const done = host.engine.progress;
      estimate.mark(done, performance.now());
      host.update({ running: { line, since, lines, done, leftMs: estimate.leftMs } });
    };
    show();
    const progress = setInterval(show, PROGRESS_MS);
    try {
      const { exit } = await runLine(line, {
        engine: host.engine,
        scrollback,
        lend: (work) => host.lend(work),
        stop: this.#stop.signal,
        showsLesson: host.desk.isShown('lesson') && host.desk.pane('lesson').line === 'lesson',
        onLines: (count) => {
          lines = count;
        },
      });
      if (exit !== undefined) this.#endings.end(exit.status ?? 0);
    } finally {
      clearInterval(progress);
      host.update({ running: undefined });
    }
    this.#lookAgain(line);
  }

  /** A live target may have moved on, and the line may have changed the context or the recording. */
  #lookAgain(line: string): void {
    const { time, desk, engine } = this.#host;
    const learn = (facts: Partial<Facts>): void => this.#host.learn(facts);
    if (/\bset\b/.test(line) || isWalkStep(line))
      askContext(time).then(
        (facts) => this.#host.contextMoved(facts),
        () => undefined,
      );
    if (/\brecord\b/.test(line)) askRecording(time).then(learn, () => undefined);
    const trace = /^\s*trace\s+(start|stop)\b/.exec(line)?.[1];
    if (trace !== undefined) desk.pane('trace').isFollowing = trace === 'start';
    for (const pane of desk.shown()) if (pane.kind.readsAfterLines === true) pane.refresh();
    if (engine.opened.liveness === 'live') for (const pane of desk.shown()) pane.readOn(performance.now());
  }
}
