/**
 * Recording is a decorator over a backend, under the page cache: it sees whole pages and whole files, hands them on
 * unchanged, and writes down each answer. It can be there all the time and idle, which costs one test a call.
 *
 * A recording must hold whatever its commands need, so what was read before it started must be read again: whoever
 * calls `start` in mid-session then calls `Kernel.forgetAll`, which drops the page cache and everything derived from
 * it (symbols, types, tables). The next command reads all of it through here.
 */
import type { BackendError } from '../../core/errors.ts';
import { formatAddress, PAGE_SIZE } from '../../core/memory/address.ts';
import type {
  Backend,
  ChaseRequest,
  FileSource,
  FollowRequest,
  MemorySource,
  ReadRequest,
} from '../../core/memory/backend.ts';
import { Fault, type ReadRange } from '../../core/memory/fault.ts';
import type { Compression } from './chunk.ts';
import { identify } from './identity.ts';
import { recordPrograms } from './programs.ts';
import { type RecordedControlSource, recordControl, recordStreams } from './record-control.ts';
import { createRecording, type RecordingWriter } from './writer.ts';

const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);
/** A range that faulted as a whole is asked page by page only when it is no longer than this. */
const SPLIT_PAGES_MAX = 4096;

/** A backend that writes every answer to the writer of the moment, when there is one. */
export function recordBackend(
  inner: Backend,
  current: () => RecordingWriter | undefined,
  control = inner.control && recordControl(inner.control, current),
): Backend {
  const { vmcoreinfo, regain } = inner;
  return {
    name: inner.name,
    liveness: inner.liveness,
    ...(inner.memory && { memory: recordMemory(inner.memory, current) }),
    ...(inner.files && { files: recordFiles(inner.files, current) }),
    ...(inner.programs && { programs: recordPrograms(inner.programs, current) }),
    ...(control && { control }),
    ...(inner.streams && { streams: recordStreams(inner.streams, current) }),
    ...(vmcoreinfo && { vmcoreinfo: () => vmcoreinfo.call(inner) }),
    ...(regain && { regain: () => regain.call(inner) }),
    get counters() {
      return inner.counters;
    },
    capabilities: () => inner.capabilities(),
    close: () => inner.close(),
  };
}

/** A backend that writes every answer to one recording, from the start: `--record`. */
export function record(inner: Backend, writer: RecordingWriter): Backend {
  announce(inner, writer);
  return recordBackend(inner, () => (writer.isOpen ? writer : undefined));
}

export interface RecordOptions {
  /** The program that records: "kdbg 0.1.0". */
  readonly tool: string;
  /** Records user memory, environments and command lines of processes as well. */
  readonly userData?: boolean;
  /** The PID that commands without a task mean. */
  readonly pid?: number;
  readonly compression?: Compression;
  readonly onFailure?: (failure: BackendError) => void;
  readonly now?: () => number;
}

/** The recording of a session that may start and stop at any time. Everything does nothing while none is written. */
export class Recorder {
  /** To be used in the place of the backend given. */
  readonly backend: Backend;
  readonly #inner: Backend;
  readonly #control: RecordedControlSource | undefined;
  #writer: RecordingWriter | undefined;

  constructor(inner: Backend) {
    this.#inner = inner;
    this.#control = inner.control && recordControl(inner.control, () => this.writer);
    this.backend = recordBackend(inner, () => this.writer, this.#control);
  }

  /** The recording being written. */
  get writer(): RecordingWriter | undefined {
    return this.#writer?.isOpen === true ? this.#writer : undefined;
  }

  /** The last recording, ended or not: tells how it went. */
  get last(): RecordingWriter | undefined {
    return this.#writer;
  }

  /**
   * Starts a recording; one that runs is ended first. Throws OpenError when the file cannot be made. Unless nothing
   * was read yet, `Kernel.forgetAll` must follow: see the top of this file.
   */
  start(path: string, options: RecordOptions): RecordingWriter {
    const { tool, userData = false, pid, ...rest } = options;
    const { name, liveness, memory, files } = this.#inner;
    const serves = [...(memory ? (['memory'] as const) : []), ...(files ? (['files'] as const) : [])];
    const kernel = identify(this.#inner);
    const writer = createRecording(path, {
      ...rest,
      header: { tool, target: { name, liveness, serves, ...(pid === undefined ? {} : { pid }) }, kernel, userData },
    });
    this.stop();
    this.#writer = writer;
    announce(this.#inner, writer);
    const said = this.#control?.said() ?? [];
    if (said.length > 0) writer.restore(said);
    return writer;
  }

  /** Ends the recording; the file is on the disk when this returns. */
  stop(): void {
    this.#writer?.close();
  }

  /** A command line begins. `by` says who ran it: 'user', 'pane', 'rc'. */
  command(line: string, by?: string): void {
    this.writer?.command(line, by);
  }

  output(lines: readonly string[]): void {
    this.writer?.output(lines);
  }

  end(status: number): void {
    this.writer?.end(status);
  }

  note(text: string): void {
    this.writer?.note(text);
  }
}

/** What is known before anything is read. */
function announce(inner: Backend, writer: RecordingWriter): void {
  writer.capabilities(inner.capabilities());
  const text = inner.vmcoreinfo?.();
  if (text !== undefined) writer.vmcoreinfo(text);
  writer.flush();
}

function recordMemory(inner: MemorySource, current: () => RecordingWriter | undefined): MemorySource {
  const { prefetch, forget, keepTable, follow, chase, held } = inner;
  return {
    read(requests) {
      const writer = current();
      return writer === undefined ? inner.read(requests) : readRecorded(inner, writer, requests);
    },
    ...(prefetch && { prefetch: (ranges: readonly ReadRange[]) => prefetch.call(inner, ranges) }),
    ...(forget && { forget: () => forget.call(inner) }),
    ...(keepTable && { keepTable: (table: ReadRequest) => keepTable.call(inner, table) }),
    ...(held && { held: () => held.call(inner) }),
    ...(chase && {
      chase(way: ChaseRequest) {
        const result = chase.call(inner, way);
        const writer = current();
        if (writer !== undefined) {
          // A replay goes this way pointer by pointer, and looks at more of each place than its pointer.
          const places = [way.start, ...result.pointers.map((pointer) => pointer & ~BigInt(way.flags))];
          const pages = places.flatMap((place, i) =>
            pagesOf(
              [place],
              [
                { offset: 0, length: 8 },
                { offset: way.offsets[i] ?? 0, length: 8 },
              ],
              way.what,
            ),
          );
          readRecorded(inner, writer, pages);
        }
        return result;
      },
    }),
    ...(follow && {
      follow(walk: FollowRequest) {
        const result = follow.call(inner, walk);
        const writer = current();
        if (writer !== undefined) {
          // A walk on the far side returns parts of pages, but a replay walks by itself and needs them whole.
          const nodes = [walk.start, ...result.nodes.map((node) => node.address)];
          const ranges = [{ offset: walk.nextOffset, length: 8 }, ...walk.ranges];
          readRecorded(inner, writer, pagesOf(nodes, ranges, walk.what));
        }
        return result;
      },
    }),
  };
}

/** Reads whole pages around what is asked for, writes them down, and answers what was asked for. */
function readRecorded(
  inner: MemorySource,
  writer: RecordingWriter,
  requests: readonly ReadRequest[],
): readonly (Uint8Array | Fault)[] {
  const whole = requests.map(wholePages);
  const answers = inner.read(whole);
  // When one page of a long range cannot be read, which one is for the recording to know.
  const isSplit = ({ length }: ReadRequest, i: number): boolean =>
    answers[i] instanceof Fault && length > PAGE_SIZE && length <= SPLIT_PAGES_MAX * PAGE_SIZE;
  const single = whole.filter(isSplit).flatMap(splitPages);
  const kept = single.length === 0 ? whole : whole.filter((request, i) => !isSplit(request, i));
  writer.pages(kept, single.length === 0 ? answers : answers.filter((_, i) => !isSplit(whole[i] as ReadRequest, i)));
  if (single.length > 0) writer.pages(single, inner.read(single));
  return requests.map((request, i) => {
    const asked = whole[i] as ReadRequest;
    const answer = answers[i] ?? new Fault(request, 'io', 'no answer');
    if (asked === request) return answer;
    if (answer instanceof Fault) return readExactly(inner, writer, request, answer);
    const start = Number(request.address - asked.address);
    return answer.subarray(start, start + request.length);
  });
}

/** The whole pages cannot be read; what was asked for perhaps can: the end of a dump's segment. */
function readExactly(
  inner: MemorySource,
  writer: RecordingWriter,
  request: ReadRequest,
  fault: Fault,
): Uint8Array | Fault {
  const answer = inner.read([request])[0] ?? fault;
  if (answer instanceof Fault) return answer;
  for (let done = 0; done < answer.length; ) {
    const address = request.address + BigInt(done);
    const length = Math.min(answer.length - done, PAGE_SIZE - Number(address & ~PAGE_MASK));
    writer.part({ space: request.space, address, length }, answer.subarray(done, done + length), request.what);
    done += length;
  }
  return answer;
}

function wholePages(request: ReadRequest): ReadRequest {
  const address = request.address & PAGE_MASK;
  const offset = Number(request.address - address);
  const length = Math.ceil((offset + request.length) / PAGE_SIZE) * PAGE_SIZE;
  return offset === 0 && length === request.length ? request : { ...request, address, length };
}

function splitPages(request: ReadRequest): readonly ReadRequest[] {
  return Array.from({ length: request.length / PAGE_SIZE }, (_, i) => ({
    ...request,
    address: request.address + BigInt(i * PAGE_SIZE),
    length: PAGE_SIZE,
  }));
}

/** The distinct pages that hold these ranges of these nodes. */
function pagesOf(nodes: readonly bigint[], ranges: FollowRequest['ranges'], what: string): readonly ReadRequest[] {
  const pages = new Map<string, ReadRequest>();
  for (const node of nodes) {
    for (const { offset, length } of ranges) {
      const first = BigInt.asUintN(64, node + BigInt(offset)) & PAGE_MASK;
      for (let address = first; address < node + BigInt(offset + length); address += BigInt(PAGE_SIZE)) {
        pages.set(formatAddress(address), { space: 'virtual', address, length: PAGE_SIZE, what });
      }
    }
  }
  return [...pages.values()];
}

function recordFiles(inner: FileSource, current: () => RecordingWriter | undefined): FileSource {
  const { link, listMany, prefetch } = inner;
  return {
    ...(prefetch && { prefetch: (paths: readonly string[]) => prefetch.call(inner, paths) }),
    read(path, limit) {
      const result = inner.read(path, limit);
      current()?.file(path, result);
      return result;
    },
    readMany(paths, limit) {
      const results = inner.readMany(paths, limit);
      const writer = current();
      if (writer !== undefined) {
        for (const [i, path] of paths.entries()) {
          const result = results[i];
          if (result !== undefined) writer.file(path, result);
        }
      }
      return results;
    },
    list(path) {
      const result = inner.list(path);
      current()?.list(path, result);
      return result;
    },
    ...(listMany && {
      listMany(paths: readonly string[]) {
        const results = listMany.call(inner, paths);
        for (const [i, result] of results.entries()) current()?.list(paths[i] as string, result);
        return results;
      },
    }),
    ...(link && {
      link(path: string) {
        const target = link.call(inner, path);
        current()?.link(path, target);
        return target;
      },
    }),
  };
}
