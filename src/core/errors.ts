/**
 * The closed set of errors that a user can meet. Every message is lower case, names the object, gives addresses in
 * hex and, where it helps, ends with what to do next. Anything else that is thrown is a bug of kdbg itself.
 *
 * Throw when a request cannot be answered at all; return a `Fault` (memory/fault.ts) when one value cannot be read.
 */
import type { Fault } from './memory/fault.ts';

/** Base of all errors meant for the user. `status` is what a command that ends with it reports. */
export abstract class KdbgError extends Error {
  abstract readonly status: 1 | 2 | 3 | 130;
  /** What the user can do about it: one sentence, printed after the message. */
  readonly hint: string | undefined;

  constructor(message: string, hint?: string) {
    super(message);
    this.name = new.target.name;
    this.hint = hint;
  }

  /** True when no part of a command can go on after it: the user stopped it, or the target is out of reach. */
  get endsCommand(): boolean {
    return this.status === 130;
  }
}

/** The command line is wrong. `column` is the 0-based place in `source` that the caret points at. */
export class UsageError extends KdbgError {
  readonly status = 2;
  readonly column: number | undefined;
  readonly source: string | undefined;

  constructor(message: string, options: { column?: number; source?: string; hint?: string } = {}) {
    super(message, options.hint);
    this.column = options.column;
    this.source = options.source;
  }

  /**
   * The same error in a statement that holds `text` at `offset`: the column counts in the statement then. An error
   * that points into another text than this, or into none, keeps it.
   */
  placed(text: string, offset: number): UsageError {
    const within = this.source === undefined ? 0 : text.lastIndexOf(this.source);
    if (within < 0) return this;
    const column = offset + within + (this.column ?? 0);
    return new UsageError(this.message, { column, ...(this.hint === undefined ? {} : { hint: this.hint }) });
  }

  withHint(hint: string): UsageError {
    return new UsageError(this.message, {
      hint,
      ...(this.column === undefined ? {} : { column: this.column }),
      ...(this.source === undefined ? {} : { source: this.source }),
    });
  }

  /** The same error placed in a longer text: an expression's error becomes one of the whole command line. */
  within(source: string, offset: number): UsageError {
    return new UsageError(this.message, {
      source,
      column: offset + (this.column ?? 0),
      ...(this.hint === undefined ? {} : { hint: this.hint }),
    });
  }
}

/** What kind of name was looked up. */
export type NameKind =
  | 'symbol'
  | 'type'
  | 'member'
  | 'task'
  | 'module'
  | 'command'
  | 'alias'
  | 'variable'
  | 'cpu'
  | 'file'
  | 'report';

/** A name that does not exist; `near` lists the closest that do. */
export class NotFoundError extends KdbgError {
  readonly status = 1;
  readonly kind: NameKind;
  readonly lookedUp: string;
  readonly near: readonly string[];

  constructor(kind: NameKind, lookedUp: string, near: readonly string[] = [], where = '') {
    const suggestion = near.length > 0 ? `; did you mean ${near.slice(0, 5).join(', ')}?` : '';
    super(`no ${kind} "${lookedUp}"${where === '' ? '' : ` ${where}`}${suggestion}`);
    this.kind = kind;
    this.lookedUp = lookedUp;
    this.near = near;
  }
}

/** Memory that had to be read could not be: carries what, where and why. */
export class FaultError extends KdbgError {
  readonly status = 1;
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message, fault.hint);
    this.fault = fault;
  }
}

/** Bytes that were read contradict themselves: a malformed file, or a corrupt or changing kernel structure. */
export class DataError extends KdbgError {
  readonly status = 1;
}

/** This target cannot do it: says what is missing and what would help. */
export class UnsupportedError extends KdbgError {
  readonly status = 1;
}

/** The transport below the target failed (not a fault: the source itself broke). */
export class BackendError extends KdbgError {
  readonly status = 1;

  override get endsCommand(): boolean {
    return true;
  }
}

/** The target could not be opened at all. */
export class OpenError extends KdbgError {
  readonly status = 3;
}

/** The user stopped the command: never shown as an error banner. */
export class CancelledError extends KdbgError {
  readonly status = 130;

  constructor() {
    super('interrupted');
  }
}

/** What the target gives; undefined where it cannot. What ends the whole command is thrown on. */
export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    return undefined;
  }
}
