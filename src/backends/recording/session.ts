/**
 * The session that a recording was made in: what was run, when, how it ended and what it printed, with the notes.
 */
import type { Contents, JournalRecord } from './journal.ts';

/** One command line that was run. Epochs count from 1; what was read before the first command has epoch 0. */
export interface RecordedCommand {
  readonly kind: 'command';
  readonly epoch: number;
  readonly line: string;
  /** Who ran it: 'user', 'pane', 'rc'. */
  readonly by: string;
  /** Milliseconds after the recording started. */
  readonly at: number;
  /** Its exit status; undefined when the recording ended before it did. */
  readonly status: number | undefined;
  readonly durationMs: number | undefined;
  readonly output: RecordedOutput | undefined;
}

/** What a command printed. */
export type RecordedOutput =
  | { readonly data: Contents; readonly lines: number; readonly cut: number }
  | { readonly withheld: string };

/** A remark of the person who recorded; it belongs after the command of its epoch. */
export interface RecordedNote {
  readonly kind: 'note';
  readonly epoch: number;
  readonly at: number;
  readonly text: string;
}

export type RecordedEvent = RecordedCommand | RecordedNote;

type Writable<T> = { -readonly [K in keyof T]: T[K] };

export class Session {
  readonly commands: RecordedCommand[] = [];
  readonly events: RecordedEvent[] = [];
  readonly #epochs = new Map<string, number[]>();

  /** Adds what the journal tells of the session; other records are not for it. */
  apply(record: JournalRecord): void {
    if (record.k === 'command') this.#begin(record.line, record.by, record.at);
    else if (record.k === 'note') {
      this.events.push({ kind: 'note', epoch: this.commands.length, at: record.at, text: record.text });
    } else {
      const command: Writable<RecordedCommand> | undefined = this.commands.at(-1);
      if (command === undefined) return;
      if (record.k === 'output') {
        command.output = 'withheld' in record ? record : { cut: 0, ...record };
      } else if (record.k === 'end') {
        command.status = record.status;
        command.durationMs = record.ms;
      }
    }
  }

  /** The epochs of a command line, first to last; how many blanks are around and between its words does not matter. */
  epochsOf(line: string): readonly number[] {
    return this.#epochs.get(withSingleBlanks(line)) ?? [];
  }

  #begin(line: string, by: string, at: number): void {
    const epoch = this.commands.length + 1;
    const command: RecordedCommand = {
      kind: 'command',
      epoch,
      line,
      by,
      at,
      status: undefined,
      durationMs: undefined,
      output: undefined,
    };
    this.commands.push(command);
    this.events.push(command);
    const key = withSingleBlanks(line);
    const epochs = this.#epochs.get(key);
    if (epochs === undefined) this.#epochs.set(key, [epoch]);
    else epochs.push(epoch);
  }
}

/** What is quoted stays as it is. */
function withSingleBlanks(line: string): string {
  return line.trim().replaceAll(/("[^"]*"|'[^']*')|\s+/g, (_all, quoted: string | undefined) => quoted ?? ' ');
}
