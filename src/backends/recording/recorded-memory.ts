/**
 * Recorded memory, as it was at a position of the session.
 */
import { DataError } from '../../core/errors.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type { MemorySource, ReadRequest } from '../../core/memory/backend.ts';
import { Fault, type ReadRange, type Space } from '../../core/memory/fault.ts';
import { ZERO_PAGE } from './contents.ts';
import { partKey, type RecordedMoment } from './recording-index.ts';

const PAGE_MASK = ~BigInt(PAGE_SIZE - 1);
const ZEROS = new Uint8Array(PAGE_SIZE);
/** As long as the longest read of memory.ts. */
const READ_MAX = 256 * 1024 * 1024;

export class RecordedMemory implements MemorySource {
  readonly #moment: RecordedMoment;

  constructor(moment: RecordedMoment) {
    this.#moment = moment;
  }

  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    const answers = requests.map((request) => this.#read(request));
    this.#moment.count(answers.reduce((sum, answer) => sum + (answer instanceof Fault ? 0 : answer.length), 0));
    return answers;
  }

  /** Pages that were ever asked for, neighbours together. */
  held(): readonly ReadRange[] {
    const pages = [...this.#moment.index.pages.virtual.keys()];
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
    const found = this.#moment.index.pages[space].find(number, this.#moment.position());
    try {
      const part = found === undefined || found < 0 ? this.#readPart(space, number, address, length) : undefined;
      if (part !== undefined) return part;
      if (found === undefined) return new Fault(request, 'not-recorded');
      if (found === ZERO_PAGE) return ZEROS.subarray(0, length);
      if (found < 0) {
        const fault = this.#moment.index.faults[-1 - found];
        return new Fault(request, fault?.reason ?? 'io', fault?.detail);
      }
      const page = this.#moment.file.content(found);
      if (page.length !== PAGE_SIZE) throw new DataError(`content ${found} is no page`);
      return page.subarray(offset, offset + length);
    } catch (error) {
      if (error instanceof DataError) return new Fault(request, 'io', error.message);
      throw error;
    }
  }

  #readPart(space: Space, page: number, address: bigint, length: number): Uint8Array | undefined {
    let best: Uint8Array | undefined;
    for (const part of this.#moment.index.parts.get(partKey(space, page)) ?? []) {
      if (best !== undefined && part.epoch > this.#moment.position()) break;
      const bytes = this.#moment.file.content(part.content);
      const start = Number(address - part.address);
      if (start >= 0 && start + length <= bytes.length) best = bytes.subarray(start, start + length);
    }
    return best;
  }
}
