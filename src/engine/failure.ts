/**
 * How a command ended: what a user is told of an error, the exit status, and the line of JSON.
 */
import { errorLines, isUserError } from '../core/command/run.ts';
import { CancelledError, DataError } from '../core/errors.ts';

export interface Failure {
  /** Lines that begin with blanks show the place; the others say what is wrong. */
  readonly lines: readonly string[];
  readonly status: number;
}

/** Where a statement stands in a file of commands. */
export interface Place {
  readonly path: string;
  readonly line: number;
}

/** What the user is told. An error that is not one of ours is a bug of kdbg: it says so and how to report it. */
export function describe(error: unknown, statement: string, place: Place | undefined): Failure {
  if (error instanceof CancelledError) return { lines: ['interrupted'], status: 130 };
  if (isUserError(error)) {
    const lines = errorLines(error, statement);
    return { lines: place === undefined ? lines : located(lines, place), status: error.status };
  }
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return {
    lines: [
      `internal error: ${error instanceof Error ? error.message : String(error)}`,
      'this is a bug of kdbg; a recording of the session (record start) helps to find it',
      ...(process.env['KDBG_DEBUG'] === undefined ? [] : stack.split('\n').map((line) => `  ${line}`)),
    ],
    status: 70,
  };
}

function located(lines: readonly string[], { path, line }: Place): readonly string[] {
  const message = lines.findIndex((each) => !each.startsWith('  '));
  return lines.map((each, i) => (i === message ? `${path}:${line}: ${each}` : each));
}

/** Text that one line of JSON may hold: the longest string of the engine is twice that. */
const JSON_LENGTH_MAX = 200 * 1024 * 1024;

/** The outcome of one command as a line of JSON: design of `--json`. Rows are kept as text, a fraction of the objects. */
export class JsonResult {
  readonly #rows: string[] = [];
  readonly #notices: string[] = [];
  #length = 0;

  /** Throws DataError when the rows are too many for one line. */
  row(data: unknown): void {
    const text = JSON.stringify(data);
    this.#length += text.length + 1;
    if (this.#length > JSON_LENGTH_MAX) {
      throw new DataError(
        `more than ${this.#rows.length} rows are too many for one line of JSON`,
        'narrow the command, or take its text',
      );
    }
    this.#rows.push(text);
  }

  notice(text: string): void {
    this.#notices.push(text);
  }

  line(command: string, failure: Failure | undefined): string {
    const head = `{"command":${JSON.stringify(command)},"status":${failure?.status ?? 0}`;
    const message = failure?.lines.filter((line) => !line.startsWith('  ')).join('; ');
    const error = message === undefined ? '' : `,"error":${JSON.stringify(message)}`;
    return `${head},"rows":[${this.#rows.join(',')}],"notices":${JSON.stringify(this.#notices)}${error}}`;
  }
}
