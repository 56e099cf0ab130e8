/**
 * What the far side's reader sends, as frames: a line "MAGIC ID KIND WIRE RAW SUM", so many bytes, and a newline. The
 * magic is new for each start, so that nothing else on the stream looks like a frame; every length is checked before a
 * byte of it is kept. docs/remote-protocol.md has it all.
 */
import { crc32, inflateSync } from 'node:zlib';
import { BackendError } from '../../../core/errors.ts';

/** m: more of the answer follows; e: its end; s: a stream's bytes; x: a stream's end, with why. */
export type FrameKind = 'm' | 'e' | 's' | 'x';

export interface Frame {
  readonly id: number;
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

/** Of what a frame carries: the readers send 256 KiB and what an item adds to it. */
export const FRAME_MAX = 2 * 1024 * 1024;
const HEADER_MAX = 100;

interface Header {
  readonly id: number;
  readonly kind: FrameKind;
  readonly coding: 'z' | 'h' | '';
  readonly wire: number;
  readonly raw: number;
  readonly sum: number | undefined;
}

/** Takes the stream apart. Throws BackendError for bytes that are no frames; it is of no use after that. */
export class FrameDecoder {
  readonly #pattern: RegExp;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #header: Header | undefined;

  constructor(magic: string) {
    this.#pattern = new RegExp(`^${magic} (\\d{1,10}) ([mesx])([zh]?) (\\d{1,8}) (\\d{1,8}|-) ([0-9a-f]{8}|-)$`);
  }

  /** The frames that are complete with these bytes. */
  *push(bytes: Uint8Array): Generator<Frame> {
    this.#pieces.push(bytes);
    this.#length += bytes.length;
    for (;;) {
      this.#header ??= this.#takeHeader();
      if (this.#header === undefined || this.#length < this.#header.wire + 1) return;
      const body = this.#take(this.#header.wire + 1);
      if (body.at(-1) !== 0x0a) throw broken('a frame that is longer than it says', body.subarray(-40));
      yield decodeFrame(this.#header, body.subarray(0, -1));
      this.#header = undefined;
    }
  }

  #takeHeader(): Header | undefined {
    if (this.#length === 0) return undefined;
    const start = this.#join().subarray(0, HEADER_MAX);
    const end = start.indexOf(0x0a);
    if (end < 0 && start.length < HEADER_MAX) return undefined;
    const match = end < 0 ? null : this.#pattern.exec(Buffer.from(start.subarray(0, end)).toString('latin1'));
    if (match === null) throw broken('something that is no frame', start);
    const [, id, kind, coding, wire, raw, sum] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    const header: Header = {
      id: Number(id),
      kind: kind as FrameKind,
      coding: coding as Header['coding'],
      wire: Number(wire),
      raw: raw === '-' ? -1 : Number(raw),
      sum: sum === '-' ? undefined : Number.parseInt(sum, 16),
    };
    if (header.wire > 4 * FRAME_MAX || header.raw > FRAME_MAX) throw broken('a frame that is too long', start);
    this.#take(end + 1);
    return header;
  }

  #join(): Uint8Array {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces, this.#length)];
    return this.#pieces[0] as Uint8Array;
  }

  #take(length: number): Uint8Array {
    const all = this.#join();
    this.#pieces = all.length === length ? [] : [all.subarray(length)];
    this.#length -= length;
    return all.subarray(0, length);
  }
}

function decodeFrame(header: Header, wire: Uint8Array): Frame {
  const { id, kind, coding, raw, sum } = header;
  let bytes: Uint8Array;
  try {
    bytes = decodeBody(coding, wire);
  } catch {
    throw broken('a frame that cannot be decompressed', wire.subarray(0, 40));
  }
  if (raw >= 0 && bytes.length !== raw) throw broken('a frame of another length than it says', bytes.subarray(0, 40));
  if (sum !== undefined && crc32(bytes) !== sum) throw broken('a frame with a wrong check sum', bytes.subarray(0, 40));
  return { id, kind, bytes: new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length) };
}

function decodeBody(coding: Header['coding'], wire: Uint8Array): Uint8Array {
  if (coding === 'z') return inflateSync(wire, { maxOutputLength: FRAME_MAX });
  if (coding === 'h')
    return Buffer.from(
      Buffer.from(wire)
        .toString('latin1')
        .replace(/[^0-9a-f]/g, ''),
      'hex',
    );
  return wire;
}

/** The far side broke the protocol; `seen` is shown so that one can tell what talks there instead. */
export function broken(what: string, seen: Uint8Array): BackendError {
  const shown = JSON.stringify(Buffer.from(seen.subarray(0, 40)).toString('latin1'));
  const safe = shown.replace(/[^\x20-\x7e]/g, '.');
  return new BackendError(
    `the far side sent ${what}: ${safe}`,
    'something else writes to the same stream, or the far side is not what it says; the connection is closed',
  );
}
