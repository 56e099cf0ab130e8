/**
 * A link without a thread and without a wire: a reader's answers from a fake kernel's memory and files. It counts as a
 * wire does: what is sent before an answer is waited for has come with that answer.
 */
import { createHash } from 'node:crypto';
import type { AllSent, Connected, Link, LinkStream, Sent } from '../../src/backends/remote/link.ts';
import type { ReaderAnswer, ReaderFacts, ReaderRequest } from '../../src/backends/remote/reader.ts';
import { openRemote, type RemoteTarget } from '../../src/backends/remote/remote.ts';
import { BackendError, CancelledError, type KdbgError } from '../../src/core/errors.ts';
import type { ChaseRequest, ChaseResult, ControlStep, FileResult, FileSource } from '../../src/core/memory/backend.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import { coreFile, note, type TestSegment } from './elf-builder.ts';
import { type FakeMemory, fakeFiles, followOver } from './fake-kernel.ts';

/** RAM and the kernel image: no address of a fake kernel is a hole. */
const SEGMENTS: readonly TestSegment[] = [
  { type: 1, virtual: 0xffff_8000_0000_0000n, physical: 0n, offset: 0x2000n, length: 0x4000_0000_0000n },
  {
    type: 1,
    virtual: 0xffff_ffff_8000_0000n,
    physical: 0x7000_0000_0000n,
    offset: 0x9000_0000_0000n,
    length: 0x7f00_0000n,
  },
];

export const FAKE_FACTS: ReaderFacts = {
  kind: 'perl',
  uid: 0,
  release: '6.12.0-test',
  bootId: 'boot-1',
  buildId: 'aabbccddeeff00112233445566778899aabbccdd',
  pids: [4242],
  compresses: true,
};

export interface FakeLinkOptions {
  readonly files?: FileSource;
  readonly facts?: Partial<ReaderFacts>;
  readonly segments?: readonly TestSegment[];
  readonly vmcoreinfo?: string;
  /** This user may not read it. */
  readonly kcore?: 'denied';
}

export class FakeLink implements Link {
  readonly name = 'web7';
  lost: string | undefined = 'not made yet';
  facts: ReaderFacts;
  /** Everything that was sent. */
  readonly requests: ReaderRequest[] = [];
  readonly controlled: ControlStep[] = [];
  restore: readonly ControlStep[] = [];
  /** What the next attempts to connect throw. */
  readonly refusals: KdbgError[] = [];
  /** Called with each request before it is answered: the wire breaks here. */
  onRequest: ((request: ReaderRequest) => void) | undefined;
  /** Changes answers on their way. */
  mangle: ((answer: unknown) => unknown) | undefined;
  cancelled = false;
  rested = 0;
  /** Bytes that streams give. */
  readonly flowing: Uint8Array[] = [];
  readonly #memory: FakeMemory;
  readonly #files: FileSource;
  readonly #kcore: Uint8Array | undefined;
  #lastId = 0;
  #there = 0;

  constructor(memory: FakeMemory, options: FakeLinkOptions = {}) {
    this.#memory = memory;
    this.#files = options.files ?? fakeFiles({});
    this.facts = { ...FAKE_FACTS, ...options.facts };
    const notes = note('VMCOREINFO', 0, encodeText(options.vmcoreinfo ?? 'OSRELEASE=6.12.0-test\n'));
    this.#kcore = options.kcore === 'denied' ? undefined : coreFile({ notes, segments: options.segments ?? SEGMENTS });
  }

  readonly wire = { received: 0, sent: 0, latency: { last: 50, min: 49, median: 50 } };

  connect<const R extends readonly ReaderRequest[]>(_tell: (notice: string) => void, first: R): Connected<R> {
    const refusal = this.refusals.shift();
    if (refusal !== undefined) throw refusal;
    this.lost = undefined;
    return { facts: this.facts, sent: first.map((request) => this.send(request)) as unknown as AllSent<R> };
  }

  send<R extends ReaderRequest>(request: R): Sent<R> {
    if (this.lost !== undefined) throw this.#lostError();
    this.requests.push(request);
    return { id: ++this.#lastId, request };
  }

  isThere({ id }: Sent): boolean {
    return id <= this.#there;
  }

  take<R extends ReaderRequest>({ request }: Sent<R>): ReaderAnswer<R> {
    if (this.cancelled) throw new CancelledError();
    this.#there = this.#lastId;
    this.onRequest?.(request);
    if (this.lost !== undefined) throw this.#lostError();
    const answer = this.#answer(request);
    return (this.mangle === undefined ? answer : this.mangle(answer)) as ReaderAnswer<R>;
  }

  drop(): void {}

  open(): LinkStream {
    return {
      take: () => this.flowing.shift(),
      wait: () => this.flowing.length > 0,
      ended: undefined,
      finish: () => undefined,
      close: () => undefined,
    };
  }

  rest(milliseconds: number): void {
    this.rested += milliseconds;
  }

  close(): void {}

  #lostError(): BackendError {
    return new BackendError(`the connection to web7 was lost: ${this.lost}`);
  }

  #answer(request: ReaderRequest): ReaderAnswer<ReaderRequest> {
    switch (request.op) {
      case 'read':
        return this.#memory.read(request.ranges);
      case 'follow':
        return followOver(this.#memory)(request.walk);
      case 'chase':
        return chaseOver(this.#memory, request.way);
      case 'files':
        return request.paths.map((path, i) => this.#file(path, request.limit, request.known?.[i] ?? ''));
      case 'program':
        return { ok: false, failure: { path: request.path, reason: 'absent', detail: 'no such file' } };
      case 'list':
        return this.#files.list(request.path);
      case 'link':
        return this.#files.link?.(request.path);
      case 'control':
        this.controlled.push(...request.steps);
        return undefined;
      case 'restore':
        this.restore = request.steps;
        return undefined;
    }
  }

  #file(path: string, limit: number, known: string): FileResult | 'same' {
    if (path === '/proc/kcore') {
      if (this.#kcore === undefined) return { ok: false, failure: { path, reason: 'denied', detail: 'EACCES' } };
      return { ok: true, bytes: this.#kcore.subarray(0, limit), truncated: true };
    }
    const result = this.#files.read(path, limit);
    if (!result.ok || known === '') return result;
    return createHash('sha256').update(result.bytes).digest('hex') === known ? 'same' : result;
  }
}

/** A way along pointers as a far side goes it. */
function chaseOver(memory: FakeMemory, { start, offsets, flags, what }: ChaseRequest): ChaseResult {
  const pointers: bigint[] = [];
  let at = start;
  for (const offset of offsets) {
    const [bytes] = memory.read([{ space: 'virtual', address: at + BigInt(offset), length: 8, what }]);
    if (!(bytes instanceof Uint8Array)) return { pointers, ...(bytes && { fault: bytes }) };
    const pointer = new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
    pointers.push(pointer);
    at = pointer & ~BigInt(flags);
    if (at === 0n) break;
  }
  return { pointers };
}

/** A target behind a fake link. */
export function fakeRemote(link: FakeLink, cacheRoot?: string): RemoteTarget {
  return openRemote({ link, name: 'ssh:web7', cacheRoot, becomeRoot: 'log in as root, or add --sudo' });
}
