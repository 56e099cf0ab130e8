/**
 * What a recorded session changed in tracefs and what flowed to it, as at a position of the session. A change that the
 * command of that position made is answered as it was then; any other is refused: a recording does nothing anew.
 */

import { DataError } from '../../core/errors.ts';
import {
  type CommandRequest,
  type ControlSource,
  type ControlStep,
  commandName,
  type FileFailure,
  type FileStream,
  type StreamSource,
} from '../../core/memory/backend.ts';
import type { RecordedMoment } from './recording-index.ts';

const NOTHING = new Uint8Array();
const NO_MORE = 'the recording has no more of it';

export class RecordedControl implements ControlSource {
  readonly #moment: RecordedMoment;
  /** How often each change was asked for at this position: equal ones are answered in their order. */
  readonly #asked = new Map<string, number>();
  #said: (readonly ControlStep[])[] = [];

  constructor(moment: RecordedMoment) {
    this.#moment = moment;
  }

  apply(steps: readonly ControlStep[]): FileFailure | undefined {
    const { index, position } = this.#moment;
    const key = controlKey(position(), steps);
    const nth = this.#asked.get(key) ?? 0;
    this.#asked.set(key, nth + 1);
    const answers = index.changes.get(key);
    const answer = answers?.[Math.min(nth, answers.length - 1)];
    if (answer !== undefined) return answer === 'done' ? undefined : answer;
    const path = steps[0]?.path ?? '';
    return { path, reason: 'not-recorded', detail: 'the recorded session never did it, and nothing is done anew' };
  }

  restore(steps: readonly ControlStep[]): void {
    this.#said.push(steps);
  }

  restores(): readonly (readonly ControlStep[])[] {
    const { index, done } = this.#moment;
    const before = index.restores.filter(({ epoch }) => epoch <= done()).map(({ steps }) => steps);
    return [...before, ...this.#said];
  }

  /** The position changed: what was said there is of the past. */
  rewind(): void {
    this.#asked.clear();
    this.#said = [];
  }
}

/** One stream as it was recorded: pieces, pauses in between, and how it ended. */
export interface RecordedStream {
  readonly epoch: number;
  /** Numbers of contents; a pause where it has none. */
  readonly pieces: (readonly number[])[];
  failure: FileFailure | undefined;
  ended: string | undefined;
}

export class RecordedStreams implements StreamSource {
  readonly #moment: RecordedMoment;
  readonly #opened = new Map<string, number>();

  constructor(moment: RecordedMoment) {
    this.#moment = moment;
  }

  open(path: string): FileStream | FileFailure {
    const all = this.#moment.index.streams.get(path) ?? [];
    const position = this.#moment.position();
    // Those of this position, else of the nearest before.
    const epoch = all.findLast((stream) => stream.epoch <= position)?.epoch;
    const there = all.filter((stream) => stream.epoch === epoch);
    const nth = this.#opened.get(path) ?? 0;
    this.#opened.set(path, nth + 1);
    const stream = there[Math.min(nth, there.length - 1)];
    if (stream === undefined) {
      return { path, reason: 'not-recorded', detail: 'nothing of it flowed in the recorded session' };
    }
    return stream.failure ?? this.#flow(stream);
  }

  run(command: CommandRequest): FileStream | FileFailure {
    return this.open(commandName(command));
  }

  rewind(): void {
    this.#opened.clear();
  }

  #flow(stream: RecordedStream): FileStream {
    const { file, count } = this.#moment;
    let at = 0;
    let ended: string | undefined;
    const isOver = (): boolean => at >= stream.pieces.length;
    return {
      take() {
        const piece = stream.pieces[at];
        if (piece === undefined || piece.length === 0 || ended !== undefined) return NOTHING;
        at++;
        try {
          const bytes = file.join(piece);
          count(bytes.length);
          return bytes;
        } catch (error) {
          if (!(error instanceof DataError)) throw error;
          ended = error.message;
          return NOTHING;
        }
      },
      wait() {
        if (isOver() || ended !== undefined) return true;
        if (stream.pieces[at]?.length !== 0) return true;
        at++;
        return false;
      },
      get ended() {
        return ended ?? (isOver() ? (stream.ended ?? NO_MORE) : undefined);
      },
      finish() {
        ended ??= 'it was closed';
        return NOTHING;
      },
      close() {
        ended ??= 'it was closed';
      },
    };
  }
}

/** What tells changes apart: the epoch, and each step as it was. */
export function controlKey(epoch: number, steps: readonly ControlStep[]): string {
  const words = steps.map((step) => [step.kind, step.path, 'text' in step ? step.text : '']);
  return `${epoch} ${JSON.stringify(words)}`;
}
