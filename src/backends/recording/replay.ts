/**
 * Replays a recording: a backend whose answers are the recorded ones, at a position in the session. What was never
 * read is the fault 'not-recorded', never zeros.
 *
 * A replay has the liveness of what was recorded, so that the same engine does the same: on a live target it forgets
 * its pages at each command, which is also what makes a change of position show.
 */
import { DataError, NotFoundError } from '../../core/errors.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type {
  Backend,
  Capability,
  FileFailure,
  FileResult,
  FileSource,
  MemorySource,
  ReadRequest,
} from '../../core/memory/backend.ts';
import { Fault, type ReadRange, type Space } from '../../core/memory/fault.ts';
import { decodeText } from '../../core/memory/text.ts';
import { ZERO_PAGE } from './contents.ts';
import type { RecordingHeader } from './header.ts';
import type { Contents, FileQuestion } from './journal.ts';
import { type Damage, openRecordingFile, type RecordingFile } from './recording-file.ts';
import { fileKey, indexRecording, partKey, type RecordedFile, type RecordingIndex } from './recording-index.ts';
import type { RecordedCommand, RecordedEvent } from './session.ts';

const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);
const ZEROS = new Uint8Array(PAGE_SIZE);
/** As long as the longest read of memory.ts. */
const READ_MAX = 256 * 1024 * 1024;

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
  readonly #file: RecordingFile;
  readonly #index: RecordingIndex;
  #position: number;

  constructor(file: RecordingFile, index: RecordingIndex) {
    this.path = file.path;
    this.header = file.header;
    this.#file = file;
    this.#index = index;
    this.#position = index.session.commands.length;
    this.notices = noticesOf(file, index);
    this.backend = this.#makeBackend();
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
  epochFor(line: string): number | undefined {
    const all = this.epochsOf(line);
    const typed = all.filter((epoch) => this.commands[epoch - 1]?.by !== 'rc');
    const epochs = typed.length > 0 ? typed : all;
    return epochs.find((epoch) => epoch > this.#position) ?? epochs[0];
  }

  /** What a command printed, line by line; undefined when it is not in the recording. */
  output(epoch: number): readonly string[] | undefined {
    const output = this.commands[epoch - 1]?.output;
    if (output === undefined) return [];
    if ('withheld' in output) return undefined;
    return output.lines === 0 ? [] : decodeText(this.#join(output.data)).split('\n');
  }

  /** The recorded wall clock at the position, in milliseconds since 1970: what the shell's `now` is in a replay. */
  now(): number {
    const created = Date.parse(this.header.created);
    return (Number.isNaN(created) ? 0 : created) + (this.commands[this.#position - 1]?.at ?? 0);
  }

  close(): void {
    this.#file.close();
  }

  #makeBackend(): Backend {
    const { target } = this.header;
    const count = { roundTrips: 0, bytes: 0 };
    return {
      name: `replay:${this.path}`,
      liveness: target.liveness,
      ...(target.serves.includes('memory') && { memory: this.#memory(count) }),
      ...(target.serves.includes('files') && { files: this.#files(count) }),
      counters: count,
      vmcoreinfo: () => this.#index.vmcoreinfo && decodeText(this.#join(this.#index.vmcoreinfo)),
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

  #memory(count: { roundTrips: number; bytes: number }): MemorySource {
    return {
      read: (requests) => {
        count.roundTrips++;
        return requests.map((request) => {
          const answer = this.#read(request);
          if (answer instanceof Uint8Array) count.bytes += answer.length;
          return answer;
        });
      },
      held: () => this.#heldPages(),
    };
  }

  /** Pages that were ever asked for, neighbours together. */
  #heldPages(): readonly ReadRange[] {
    const pages = [...this.#index.pages.virtual.keys()];
    const found: { space: Space; address: bigint; length: number }[] = [];
    let next = -1;
    for (const page of pages.sort((a, b) => a - b)) {
      const last = found.at(-1);
      if (last !== undefined && page === next) last.length += PAGE_SIZE;
      else found.push({ space: 'virtual', address: BigInt(page) << 12n, length: PAGE_SIZE });
      next = page + 1;
    }
    return found;
  }

  #read(request: ReadRequest): Uint8Array | Fault {
    const { space, address, length } = request;
    if (length < 0 || length > READ_MAX) return new Fault(request, 'truncated', 'an impossible length');
    const bytes = new Uint8Array(length);
    for (let done = 0; done < length; ) {
      const at = BigInt.asUintN(64, address + BigInt(done));
      const offset = Number(at & ~PAGE_MASK);
      const part = Math.min(length - done, PAGE_SIZE - offset);
      const answer = this.#readPage(space, at, offset, part, request);
      if (answer instanceof Fault) return answer;
      bytes.set(answer, done);
      done += part;
    }
    return bytes;
  }

  /** `length` bytes at `offset` of the page around `address`. */
  #readPage(space: Space, address: bigint, offset: number, length: number, request: ReadRequest): Uint8Array | Fault {
    const number = Number(address >> 12n);
    const found = this.#index.pages[space].find(number, this.#position);
    try {
      const part = found === undefined || found < 0 ? this.#readPart(space, number, address, length) : undefined;
      if (part !== undefined) return part;
      if (found === undefined) return new Fault(request, 'not-recorded');
      if (found === ZERO_PAGE) return ZEROS.subarray(0, length);
      if (found < 0) {
        const fault = this.#index.faults[-1 - found];
        return new Fault(request, fault?.reason ?? 'io', fault?.detail);
      }
      const page = this.#file.content(found);
      if (page.length !== PAGE_SIZE) throw new DataError(`content ${found} is no page`);
      return page.subarray(offset, offset + length);
    } catch (error) {
      if (error instanceof DataError) return new Fault(request, 'io', error.message);
      throw error;
    }
  }

  #readPart(space: Space, page: number, address: bigint, length: number): Uint8Array | undefined {
    let best: Uint8Array | undefined;
    for (const part of this.#index.parts.get(partKey(space, page)) ?? []) {
      if (best !== undefined && part.epoch > this.#position) break;
      const bytes = this.#file.content(part.content);
      const start = Number(address - part.address);
      if (start >= 0 && start + length <= bytes.length) best = bytes.subarray(start, start + length);
    }
    return best;
  }

  #files(count: { roundTrips: number; bytes: number }): FileSource {
    const read = (path: string, limit = Number.POSITIVE_INFINITY): FileResult => {
      const answer = this.#answer('file', path);
      if (!answer.ok) return answer;
      const { bytes, truncated } = answer;
      count.bytes += Math.min(bytes.length, limit);
      return bytes.length > limit
        ? { ok: true, bytes: bytes.subarray(0, limit), truncated: true }
        : { ok: true, bytes, truncated };
    };
    return {
      read: (path, limit) => {
        count.roundTrips++;
        return read(path, limit);
      },
      readMany: (paths, limit) => {
        count.roundTrips++;
        return paths.map((path) => read(path, limit));
      },
      list: (path) => {
        count.roundTrips++;
        const answer = this.#answer('list', path);
        if (!answer.ok) return answer;
        const names = answer.bytes.length === 0 ? [] : decodeText(answer.bytes).split('\0');
        return { ok: true, names };
      },
      link: (path) => {
        count.roundTrips++;
        const answer = this.#answer('link', path);
        return answer.ok ? decodeText(answer.bytes) : undefined;
      },
    };
  }

  #answer(
    question: FileQuestion,
    path: string,
  ):
    | { readonly ok: true; readonly bytes: Uint8Array; readonly truncated: boolean }
    | { readonly ok: false; readonly failure: FileFailure } {
    const number = this.#index.files.find(fileKey(question, path), this.#position);
    const answer: RecordedFile | undefined = number === undefined ? undefined : this.#index.answers[number];
    const failure = (reason: FileFailure['reason'], detail: string) =>
      ({ ok: false, failure: { path, reason, detail } }) as const;
    if (answer === undefined) return failure('not-recorded', 'the recorded session never read it');
    if (!answer.ok) return failure(answer.reason, answer.detail);
    try {
      return { ok: true, bytes: this.#join(answer.data), truncated: answer.truncated };
    } catch (error) {
      if (error instanceof DataError) return failure('io', error.message);
      throw error;
    }
  }

  #join(data: Contents): Uint8Array {
    const pieces = data.map((number) => this.#file.content(number));
    const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
    if (length > READ_MAX) throw new DataError(`${this.path} has an answer of ${length} bytes`);
    const bytes = new Uint8Array(length);
    let at = 0;
    for (const piece of pieces) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
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
