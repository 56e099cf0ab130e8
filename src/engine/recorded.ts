/**
 * A recorded session under a live shell: which moment of the recording answers, and the session as it was. A line
 * that the session ran is answered from the moment when it ran; any other line from where the user stands in the
 * session, or else from the end, where most is known.
 */
import type { Recording } from '../backends/recording/replay.ts';
import type { RecordedEvent } from '../backends/recording/session.ts';
import type { RecordedLine, RecordedSession, Redaction, RedactProgress } from '../core/command/recorded-session.ts';
import { UsageError } from '../core/errors.ts';
import { type Line, span } from '../core/output/line.ts';
import { redact } from './redact.ts';

export class RecordedShell implements RecordedSession {
  readonly #recording: Recording;
  /** The moment that the last recorded line was answered from. */
  #last = 0;
  /** Where the user stands in the session: lines gone through. */
  #position: number | undefined;
  /** Lines of the user's, and notes; made on first use. */
  #events: readonly RecordedEvent[] | undefined;
  #lines: readonly RecordedLine[] | undefined;
  /** What the running command has slept. */
  #slept = 0;
  #pinned: number | undefined;

  constructor(recording: Recording) {
    this.#recording = recording;
  }

  /** A line is about to run: moves to the moment that answers it. */
  begin(line: string, by: 'user' | 'rc' | 'pane'): void {
    const epoch = this.#pinned ?? this.#recording.epochFor(line, this.#last);
    // A pane looks beside the session: the user's next line is answered as if it had not.
    if (by !== 'pane') this.#last = epoch ?? this.#last;
    this.#recording.seek(epoch ?? this.#stand ?? 'end');
    this.#slept = 0;
  }

  /** Whatever is run is answered from this moment. */
  pin(epoch: number): void {
    this.#pinned = epoch;
  }

  answerAs(line: string): void {
    this.begin(line, 'pane');
  }

  /** The recorded wall clock of that moment. */
  now(): number {
    return this.#recording.now() + this.#slept;
  }

  sleep(milliseconds: number): void {
    this.#slept += milliseconds;
  }

  get target(): string {
    return this.#recording.header.target.name;
  }

  get release(): string | undefined {
    return this.#recording.identity.release;
  }

  get created(): number | undefined {
    const created = Date.parse(this.#recording.header.created);
    return Number.isNaN(created) ? undefined : created;
  }

  get lines(): readonly RecordedLine[] {
    this.#lines ??= this.#typed().map(lineOf);
    return this.#lines;
  }

  get position(): number | undefined {
    return this.#position;
  }

  goTo(position: number | undefined): void {
    this.#position = position;
    // The line that one stands at is answered from there when it is typed again.
    this.#last = Math.max((this.#stand ?? 0) - 1, 0);
  }

  output(index: number): readonly string[] | undefined {
    const event = this.#typed()[index];
    return event?.kind === 'command' ? this.#recording.output(event.epoch) : [];
  }

  redact(path: string, progress: RedactProgress): Redaction {
    if (this.#pinned !== undefined) throw new UsageError('a recording is not redacted while one is');
    return redact(this.#recording.path, path, progress);
  }

  /** The epoch in which the user stands. */
  get #stand(): number | undefined {
    if (this.#position === undefined) return undefined;
    return this.#typed()[this.#position - 1]?.epoch ?? 0;
  }

  /** A note was made by a command, and stands for it. */
  #typed(): readonly RecordedEvent[] {
    this.#events ??= this.#recording.events.filter(
      (event) =>
        event.kind === 'note' || (event.by !== 'rc' && event.by !== 'pane' && !/^record\s+note\b/.test(event.line)),
    );
    return this.#events;
  }

  /** The session as it was: each command with what it printed, and the notes. */
  *transcript(): Iterable<Line> {
    for (const event of this.#typed()) {
      if (event.kind === 'note') {
        yield [span(`# ${event.text}`, undefined, 'dim')];
        continue;
      }
      yield [span('kdbg> ', undefined, 'dim'), span(event.line, { kind: 'command', line: event.line }, 'header')];
      const lines = this.#recording.output(event.epoch);
      if (lines === undefined) yield '(its output was not recorded)';
      else yield* lines;
    }
  }
}

function lineOf(event: RecordedEvent): RecordedLine {
  const { at } = event;
  if (event.kind === 'note') return { kind: 'note', text: event.text, at, ms: 0, status: 0, printed: 0 };
  const { line, durationMs, status, output } = event;
  const printed = output !== undefined && 'lines' in output ? output.lines : 0;
  return { kind: 'command', text: line, at, ms: durationMs, status, printed };
}
