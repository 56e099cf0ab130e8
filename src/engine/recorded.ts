/**
 * A recorded session under a live shell: which moment of the recording answers, and the session as it was. A line
 * that the session ran is answered from the moment when it ran; any other line from the end, where most is known.
 */
import type { Recording } from '../backends/recording/replay.ts';
import { type Line, span } from '../core/output/line.ts';

export class RecordedShell {
  readonly #recording: Recording;
  /** The moment that the last recorded line was answered from. */
  #last = 0;
  /** What the running command has slept. */
  #slept = 0;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** A line is about to run: moves to the moment that answers it. */
  begin(line: string, by: 'user' | 'rc' | 'pane'): void {
    const epoch = this.#recording.epochFor(line, this.#last);
    // A pane looks beside the session: the user's next line is answered as if it had not.
    if (by !== 'pane') this.#last = epoch ?? this.#last;
    this.#recording.seek(epoch ?? 'end');
    this.#slept = 0;
  }

  /** The recorded wall clock of that moment. */
  now(): number {
    return this.#recording.now() + this.#slept;
  }

  sleep(milliseconds: number): void {
    this.#slept += milliseconds;
  }

  /** The session as it was: each command with what it printed, and the notes. */
  *transcript(): Iterable<Line> {
    for (const event of this.#recording.events) {
      if (event.kind === 'note') {
        yield [span(`# ${event.text}`, undefined, 'dim')];
        continue;
      }
      // A note was made by a command, and stands for it.
      if (event.by === 'rc' || event.by === 'pane' || /^record\s+note\b/.test(event.line)) continue;
      yield [span('kdbg> ', undefined, 'dim'), span(event.line, { kind: 'command', line: event.line }, 'header')];
      const lines = this.#recording.output(event.epoch);
      if (lines === undefined) yield '(its output was not recorded)';
      else yield* lines;
    }
  }
}
