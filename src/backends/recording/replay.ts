/**
 * Replays a recording: a backend whose answers are the recorded ones, at a position in the session. What was never
 * read is the fault 'not-recorded', never zeros.
 *
 * A replay has the liveness of what was recorded, so that the same engine does the same: on a live target it forgets
 * its pages at each command, which is also what makes a change of position show.
 */
import { NotFoundError } from '../../core/errors.ts';
import type { Backend, Capability } from '../../core/memory/backend.ts';
import { decodeText } from '../../core/memory/text.ts';
import type { RecordingHeader } from './header.ts';
import { recordedPrograms } from './programs.ts';
import { RecordedControl, RecordedStreams } from './recorded-control.ts';
import { RecordedFiles } from './recorded-files.ts';
import { RecordedMemory } from './recorded-memory.ts';
import { type Damage, openRecordingFile, type RecordingFile } from './recording-file.ts';
import { indexRecording, type RecordedMoment, type RecordingIndex } from './recording-index.ts';
import type { RecordedCommand, RecordedEvent } from './session.ts';

/** Opens a recording. Damage within it is a notice; a file that is no recording at all throws OpenError. */
export function openRecording(path: string): Recording {
  const file = openRecordingFile(path);
  try {
    return new Recording(file, indexRecording(file));
  } catch (error) {
    file.close();
    throw error;
  }
}

export class Recording {
  readonly path: string;
  readonly header: RecordingHeader;
  readonly backend: Backend;
  /** What the user should know of the file: that it is cut off or damaged, and from where on. */
  readonly notices: readonly string[];
  readonly #counters = { roundTrips: 0, bytes: 0 };
  readonly #file: RecordingFile;
  readonly #index: RecordingIndex;
  #position: number;
  /** The last command whose effects are there. */
  #done: number;
  readonly #control: RecordedControl;
  readonly #streams: RecordedStreams;

  constructor(file: RecordingFile, index: RecordingIndex) {
    this.path = file.path;
    this.header = file.header;
    this.#file = file;
    this.#index = index;
    this.#position = index.session.commands.length;
    this.#done = this.#position;
    this.notices = noticesOf(file, index);
    const moment = this.#moment();
    this.#control = new RecordedControl(moment);
    this.#streams = new RecordedStreams(moment);
    this.backend = this.#makeBackend(moment);
  }

  /** Which kernel was recorded. */
  get identity(): RecordingHeader['kernel'] {
    return this.header.kernel;
  }

  /** The session in its order. */
  get events(): readonly RecordedEvent[] {
    return this.#index.session.events;
  }

  get commands(): readonly RecordedCommand[] {
    return this.#index.session.commands;
  }

  /** The epoch that is answered for; after opening, the last. */
  get position(): number {
    return this.#position;
  }

  /**
   * Moves to the state that a command saw. The engine then begins a new command, which drops the cached pages.
   * Throws NotFoundError when the recording has no such command.
   */
  seek(position: number | 'end'): void {
    const last = this.commands.length;
    const epoch = position === 'end' ? last : position;
    if (!Number.isInteger(epoch) || epoch < 0 || epoch > last) {
      throw new NotFoundError('command', String(position), [], `in ${this.path}, which has ${last}`);
    }
    this.#position = epoch;
    this.#done = position === 'end' ? last : epoch - 1;
    this.#control.rewind();
    this.#streams.rewind();
    this.#index.pages.virtual.rewind();
    this.#index.pages.physical.rewind();
    this.#index.files.rewind();
  }

  /** The epochs in which this command line was run, first to last. */
  epochsOf(line: string): readonly number[] {
    return this.#index.session.epochsOf(line);
  }

  /**
   * Where to go when this line is typed: its next run after the position, else its first; undefined if never run. What
   * a start-up file ran only counts where nobody else ran the line.
   */
  epochFor(line: string, after = this.#position): number | undefined {
    const all = this.epochsOf(line);
    const typed = all.filter((epoch) => this.commands[epoch - 1]?.by !== 'rc');
    const epochs = typed.length > 0 ? typed : all;
    return epochs.find((epoch) => epoch > after) ?? epochs[0];
  }

  /** What a command printed, line by line; undefined when it is not in the recording. */
  output(epoch: number): readonly string[] | undefined {
    const output = this.commands[epoch - 1]?.output;
    if (output === undefined) return [];
    if ('withheld' in output) return undefined;
    return output.lines === 0 ? [] : decodeText(this.#file.join(output.data)).split('\n');
  }

  /** The recorded wall clock at the position, in milliseconds since 1970: what the shell's `now` is in a replay. */
  now(): number {
    const created = Date.parse(this.header.created);
    return (Number.isNaN(created) ? 0 : created) + (this.commands[this.#position - 1]?.at ?? 0);
  }

  close(): void {
    this.#file.close();
  }

  #moment(): RecordedMoment {
    return {
      file: this.#file,
      index: this.#index,
      position: () => this.#position,
      done: () => this.#done,
      count: (bytes) => {
        this.#counters.roundTrips++;
        this.#counters.bytes += bytes;
      },
    };
  }

  #makeBackend(moment: RecordedMoment): Backend {
    const { target } = this.header;
    const counters = this.#counters;
    const files = target.serves.includes('files') ? new RecordedFiles(moment) : undefined;
    // Recordings of sessions that changed nothing have none, as those of older versions.
    const isControlled = this.#index.restores.length > 0 || this.#index.changes.size > 0;
    return {
      name: `replay:${this.path}`,
      liveness: target.liveness,
      ...(target.serves.includes('memory') && { memory: new RecordedMemory(moment) }),
      ...(files && { files, programs: recordedPrograms(files) }),
      ...(isControlled && { control: this.#control }),
      ...(this.#index.streams.size > 0 && { streams: this.#streams }),
      counters,
      vmcoreinfo: () => this.#index.vmcoreinfo && decodeText(this.#file.join(this.#index.vmcoreinfo)),
      capabilities: () => [this.#describe(), ...this.#index.capabilities],
      close: () => this.close(),
    };
  }

  #describe(): Capability {
    const { kernel, target, created } = this.header;
    const commands = this.commands.length;
    const pages = this.#index.pages.virtual.size + this.#index.pages.physical.size;
    return {
      name: 'replay',
      available: true,
      detail: `of ${target.name} (${kernel.release ?? 'unknown kernel'}), ${created.slice(0, 16).replace('T', ' ')} UTC: ${commands} commands, ${pages} page reads, ${this.#index.answers.length} file reads`,
    };
  }
}

function noticesOf(file: RecordingFile, index: RecordingIndex): readonly string[] {
  const notices: string[] = [];
  if (index.damage !== undefined) notices.push(describeDamage(file.path, index.damage, file.length));
  else if (!index.closed) {
    notices.push(`${file.path} was not ended: it is still being written, or kdbg ended suddenly`);
  }
  return notices;
}

/** One line: which chunk is wrong, why, and what follows from it. */
export function describeDamage(path: string, damage: Damage, length: number): string {
  const where = `chunk ${damage.chunk} (at byte ${damage.offset})`;
  const lost = length - damage.offset;
  return damage.kind === 'cut'
    ? `${path} is cut off in ${where}: ${damage.reason}; everything before it is used`
    : `${path} is damaged: ${where}: ${damage.reason}; the last ${lost} of its ${length} bytes are not used`;
}
