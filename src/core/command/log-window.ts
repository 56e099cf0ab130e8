/** Records that match, with those around them, as grep's -A, -B and -C show them; fed one by one, so that it follows too. */
import type { LogRecord } from '../kernel/log-record.ts';

/** How many records to show around one that matches. */
export interface LogContext {
  readonly before: number;
  readonly after: number;
}

export interface PickedRecord {
  readonly record: LogRecord;
  readonly matches: boolean;
  /** There is a context, and records were left out between this and the one that was picked before it. */
  readonly isApart: boolean;
}

export class LogWindow {
  readonly #matches: (record: LogRecord) => boolean;
  readonly #context: LogContext;
  /** The last records that were left out, `before` of them at most. */
  #waiting: LogRecord[] = [];
  #after = 0;
  #leftOut = false;
  #hasPicked = false;

  constructor(matches: (record: LogRecord) => boolean, context: LogContext) {
    this.#matches = matches;
    this.#context = context;
  }

  /** What the next record of the log brings: itself, or with those before it, or nothing yet. */
  feed(record: LogRecord): readonly PickedRecord[] {
    if (this.#matches(record)) {
      const records = [...this.#waiting, record];
      this.#waiting = [];
      this.#after = this.#context.after;
      return records.map((each) => this.#pick(each, each === record));
    }
    if (this.#after > 0) {
      this.#after--;
      return [this.#pick(record, false)];
    }
    this.#waiting.push(record);
    if (this.#waiting.length > this.#context.before) {
      this.#waiting.shift();
      this.#leftOut = true;
    }
    return [];
  }

  #pick(record: LogRecord, matches: boolean): PickedRecord {
    const { before, after } = this.#context;
    const isApart = this.#leftOut && this.#hasPicked && before + after > 0;
    this.#leftOut = false;
    this.#hasPicked = true;
    return { record, matches, isApart };
  }
}
