/**
 * The engine runs one thing at a time, and what the user runs comes first. Lines of the user wait for each other;
 * questions of the prompt come next; what panes read for themselves is done in the time that is left, and is stopped and
 * begun again later when the user wants something meanwhile.
 */
import type { Completion } from '../../core/command/complete.ts';
import type { Line } from '../../core/output/line.ts';
import type { EngineClient } from '../../engine/client.ts';

/** What a pane wants to read. A later job with the same key takes the place of one that waits or runs. */
export interface PaneJob {
  readonly key: string;
  readonly line: string;
  readonly json?: boolean;
  /** It ends only when it is stopped: everything else goes before it. */
  readonly endless?: boolean;
  /** Lines as they come; `first` with the first of a reading, which may happen again after an interruption. */
  readonly take: (lines: readonly Line[], first: boolean) => void;
  /** The reading is complete; an error comes as its lines. Not called when another job took its place. */
  readonly done: (error: readonly string[] | undefined) => void;
}

interface Turn {
  readonly start: () => Promise<void>;
}

/** Lines that a pane holds; a command that prints more is stopped there. */
export const PANE_LINES_MAX = 100_000;
const INTERRUPTED = 130;

export class EngineTime {
  readonly #engine: EngineClient;
  readonly #urgent: Turn[] = [];
  #jobs: PaneJob[] = [];
  #current: { readonly job: PaneJob; stopped: boolean } | undefined;
  #isBusy = false;
  #isUser = false;
  #isClosed = false;
  #asked = 0;
  readonly #fail: (error: unknown) => void;

  constructor(engine: EngineClient, fail: (error: unknown) => void) {
    this.#engine = engine;
    this.#fail = fail;
  }

  /** A line of the user's runs: the engine has no time for anything else. */
  get isRunning(): boolean {
    return this.#isUser;
  }

  /** Runs the user's work when its turn comes. */
  user<T>(work: () => Promise<T>): Promise<T> {
    return this.#turn(async () => {
      this.#isUser = true;
      try {
        return await work();
      } finally {
        this.#isUser = false;
      }
    });
  }

  /** Candidates at the cursor; none while a line runs. */
  async complete(line: string, cursor: number, signal?: AbortSignal): Promise<Completion> {
    const nothing: Completion = { start: cursor, end: cursor, candidates: [], partial: false };
    if (this.#isUser) return nothing;
    return this.#turn(async () => (signal?.aborted === true ? nothing : this.#engine.complete(line, cursor, signal)));
  }

  /** The output of a line beside the session. Rejects with its error. */
  query(line: string): Promise<readonly Line[]> {
    return this.#ask({ line, json: false });
  }

  /** The rows of a command beside the session. */
  async rows(line: string): Promise<readonly Readonly<Record<string, unknown>>[]> {
    const [text] = await this.#ask({ line, json: true });
    const result: unknown = JSON.parse(typeof text === 'string' ? text : '{}');
    const rows = (result as { readonly rows?: unknown }).rows;
    return Array.isArray(rows) ? rows : [];
  }

  /** Reads for a pane, when there is time. */
  pane(job: PaneJob): void {
    this.forget(job.key);
    if (job.endless === true) this.#jobs.push(job);
    else {
      const endless = this.#jobs.findIndex((each) => each.endless === true);
      this.#jobs.splice(endless < 0 ? this.#jobs.length : endless, 0, job);
      if (this.#current?.job.endless === true) this.#preempt();
    }
    this.#pump();
  }

  /** Nobody wants this reading any more. */
  forget(key: string): void {
    this.#jobs = this.#jobs.filter((each) => each.key !== key);
    if (this.#current?.job.key === key && !this.#current.stopped) {
      this.#current.stopped = true;
      this.#engine.cancel();
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#jobs = [];
  }

  #ask({ line, json }: { line: string; json: boolean }): Promise<readonly Line[]> {
    return new Promise((resolve, reject) => {
      const lines: Line[] = [];
      const take = (more: readonly Line[], first: boolean): void => {
        if (first) lines.length = 0;
        lines.push(...more);
      };
      const done = (error: readonly string[] | undefined): void =>
        error === undefined ? resolve(lines) : reject(new Error(error.join('; ')));
      // Two that ask the same both get their answer.
      this.pane({ key: `? ${++this.#asked}`, line, json, take, done });
    });
  }

  #turn<T>(work: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#urgent.push({ start: () => work().then(resolve, reject) });
      this.#preempt();
      this.#pump();
    });
  }

  /** Makes way: what a pane reads now is begun again later. */
  #preempt(): void {
    const current = this.#current;
    if (current === undefined || current.stopped) return;
    current.stopped = true;
    if (current.job.endless === true) this.#jobs.push(current.job);
    else this.#jobs.unshift(current.job);
    this.#engine.cancel();
  }

  #pump(): void {
    if (this.#isBusy || this.#isClosed) return;
    const turn = this.#urgent.shift();
    const job = turn === undefined ? this.#jobs.shift() : undefined;
    const work = turn?.start ?? (job && (() => this.#read(job)));
    if (work === undefined) return;
    this.#isBusy = true;
    work().then(
      () => this.#next(),
      (error) => {
        this.#fail(error);
        this.#next();
      },
    );
  }

  #next(): void {
    this.#isBusy = false;
    this.#pump();
  }

  async #read(job: PaneJob): Promise<void> {
    const current = { job, stopped: false };
    this.#current = current;
    let error: readonly string[] | undefined;
    let count = 0;
    const take = (lines: readonly Line[]): void => {
      // What flowed is nowhere else: it is taken though something else goes first by now.
      const isUnwanted = current.stopped && (job.endless !== true || !this.#jobs.includes(job));
      if (isUnwanted || lines.length === 0) return;
      job.take(lines, count === 0);
      count += lines.length;
      if (count < PANE_LINES_MAX || job.endless === true) return;
      error ??= [`only the first ${PANE_LINES_MAX} lines are shown`];
      this.#engine.cancel();
    };
    try {
      for await (const output of this.#engine.run(job.line, { json: job.json === true, rc: false, pane: true })) {
        if (output.kind === 'lines') take(output.lines);
        else if (output.kind === 'json') take([output.line]);
        else if (output.kind === 'shell') error = ['commands of the shell are not run in a pane'];
        else if (output.kind === 'error' && output.status !== INTERRUPTED) error = output.lines;
      }
    } finally {
      this.#current = undefined;
    }
    if (current.stopped) return;
    if (count === 0) job.take([], true);
    job.done(error);
  }
}
