/**
 * The recording of a session as the engine and the `record` command drive it.
 */
import { Recorder, type RecordOptions } from '../backends/recording/record.ts';
import type { RecordingControl } from '../core/command/scope.ts';
import { UsageError } from '../core/errors.ts';
import type { Backend } from '../core/memory/backend.ts';

export class EngineRecorder implements RecordingControl {
  /** To be used in the place of the backend given. */
  readonly backend: Backend;
  /** Called when a recording starts in mid-session: what was read before must be read again. */
  onStart: () => void = () => undefined;
  readonly #recorder: Recorder;
  readonly #options: RecordOptions;
  #running: { readonly line: string; readonly by: string } | undefined;

  constructor(inner: Backend, options: RecordOptions) {
    this.#recorder = new Recorder(inner);
    this.#options = options;
    this.backend = this.#recorder.backend;
  }

  get path(): string | undefined {
    return this.#recorder.writer?.path;
  }

  status(): { readonly path: string; readonly bytes: number; readonly commands: number } | undefined {
    const { writer } = this.#recorder;
    return writer && { path: writer.path, bytes: writer.bytes, commands: writer.commands };
  }

  start(path: string): void {
    this.#recorder.start(path, this.#options);
    this.onStart();
  }

  stop(): void {
    if (this.#recorder.writer === undefined) throw new UsageError('no recording is being made');
    if (this.#running !== undefined) this.#recorder.end(0);
    this.#running = undefined;
    this.#recorder.stop();
  }

  note(text: string): void {
    if (this.#recorder.writer === undefined) throw new UsageError('no recording is being made');
    this.#recorder.note(text);
  }

  /** A command begins. The line that starts a recording is not in it. */
  begin(line: string, by: string): void {
    if (this.#recorder.writer === undefined) return;
    this.#running = { line, by };
    this.#recorder.command(line, by);
  }

  output(lines: readonly string[]): void {
    if (this.#running !== undefined) this.#recorder.output(lines);
  }

  end(status: number): void {
    if (this.#running !== undefined) this.#recorder.end(status);
    this.#running = undefined;
  }

  close(): void {
    this.#recorder.stop();
  }
}
