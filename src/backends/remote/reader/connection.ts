/**
 * A running reader on the far side: requests go out as lines with an id each, answers come as frames in any order.
 * Whatever is received is either what was asked for, within what it may be, or the end of the connection.
 */
import { BackendError } from '../../../core/errors.ts';
import type { CommandRequest } from '../../../core/memory/backend.ts';
import { encodeText } from '../../../core/memory/text.ts';
import type { ByteChannel } from '../channel.ts';
import type { Exchange } from './exchange.ts';
import { broken, type Frame, FrameDecoder } from './frames.ts';
import { type Item, parseItems } from './items.ts';
import { FarStream } from './stream.ts';
import { encodeWord, runLine, type WireRequest, wireRequest } from './wire-request.ts';

/** The far side ends after 60 s in which it heard nothing. */
const PING_MS = 15_000;
/** A far side that sends nothing for so long, though it was asked, is gone. */
const SILENCE_MS = 60_000;

/** An answer of which parts came. */
interface Pending {
  readonly request: WireRequest;
  readonly pieces: Uint8Array[];
  length: number;
  resolve(items: readonly Item[]): void;
  reject(error: BackendError): void;
}

export class Connection {
  readonly wire = { received: 0, sent: 0, requests: 0 };
  readonly #channel: ByteChannel;
  readonly #decoder: FrameDecoder;
  readonly #pending = new Map<number, Pending>();
  readonly #streams = new Map<number, FarStream>();
  readonly #ping: NodeJS.Timeout;
  #heardAt = performance.now();
  #lastId = 0;
  #gone: string | undefined;
  onGone: (why: string) => void = () => undefined;

  /** The channel's bytes are given to `take` by whoever listens to it. */
  constructor(channel: ByteChannel, magic: string) {
    this.#channel = channel;
    this.#decoder = new FrameDecoder(magic);
    this.#ping = setInterval(() => this.#keepAlive(), PING_MS);
    this.#ping.unref();
  }

  /** Sends what an exchange asks for, all of it at once. Rejects with BackendError. */
  async exchange<T>({ requests, answer }: Exchange<T>): Promise<T> {
    const parts = await Promise.all(requests.map((request) => this.#ask(request)));
    try {
      return answer(parts.flat());
    } catch (error) {
      if (error instanceof BackendError) this.end(error.message);
      throw error;
    }
  }

  open(path: string, command?: CommandRequest): FarStream {
    const id = ++this.#lastId;
    const stream = new FarStream({
      taken: (bytes) => this.#send(`${++this.#lastId} t ${id} ${bytes}`),
      close: () => this.#send(`${++this.#lastId} x ${id}`),
    });
    this.#streams.set(id, stream);
    const line = command === undefined ? `o ${stream.credit} ${encodeWord(path)}` : runLine(stream.credit, command);
    this.#askAs(id, wireRequest(line)).then(
      ([item]) => {
        if (item?.kind !== '-') return;
        this.#streams.delete(id);
        stream.refused(path, item.bytes);
      },
      (error: BackendError) => stream.end(error.message),
    );
    return stream;
  }

  /** Bytes that the channel received. */
  take(bytes: Uint8Array): void {
    this.wire.received += bytes.length;
    this.#heardAt = performance.now();
    if (this.#gone !== undefined) return;
    try {
      for (const frame of this.#decoder.push(bytes)) this.#takeFrame(frame);
    } catch (error) {
      if (!(error instanceof BackendError)) throw error;
      this.end(error.message);
    }
  }

  /** The end of it all: told once, to everybody who waits. */
  end(why: string): void {
    if (this.#gone !== undefined) return;
    this.#gone = why;
    clearInterval(this.#ping);
    this.#channel.close();
    for (const { reject } of this.#pending.values()) reject(new BackendError(`the far side has gone: ${why}`));
    this.#pending.clear();
    for (const stream of this.#streams.values()) stream.end(why);
    this.#streams.clear();
    this.onGone(why);
  }

  #ask(request: WireRequest): Promise<readonly Item[]> {
    return this.#askAs(++this.#lastId, request);
  }

  #askAs(id: number, request: WireRequest): Promise<readonly Item[]> {
    if (this.#gone !== undefined) return Promise.reject(new BackendError(`the far side has gone: ${this.#gone}`));
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { request, pieces: [], length: 0, resolve, reject });
      this.#send(`${id} ${request.line}`);
    });
  }

  #send(line: string): void {
    if (this.#gone !== undefined) return;
    const bytes = encodeText(`${line}\n`);
    this.wire.sent += bytes.length;
    this.wire.requests++;
    this.#channel.write(bytes);
  }

  #takeFrame({ id, kind, bytes }: Frame): void {
    if (kind === 's' || kind === 'x') {
      const stream = this.#streams.get(id);
      if (stream === undefined) throw broken('a stream that nobody opened', bytes);
      if (kind === 's') stream.take(bytes);
      else {
        this.#streams.delete(id);
        stream.ended(bytes);
      }
      return;
    }
    const pending = this.#pending.get(id);
    if (pending === undefined) throw broken('an answer that nobody asked for', bytes);
    pending.length += bytes.length;
    if (pending.length > pending.request.bytesMax) throw broken('more than was asked for', bytes);
    pending.pieces.push(bytes);
    if (kind === 'm') return;
    const { pieces, request } = pending;
    const whole = pieces.length === 1 ? (pieces[0] as Uint8Array) : plain(Buffer.concat(pieces));
    const items = parseItems(whole, request.itemsMax, request.bytesMax);
    this.#pending.delete(id);
    pending.resolve(items);
  }

  #keepAlive(): void {
    if (this.#pending.size > 0 && performance.now() - this.#heardAt > SILENCE_MS) {
      this.end(`it sent nothing for ${SILENCE_MS / 1000} s`);
      return;
    }
    // The answer says that it lives; nobody waits for it.
    this.#ask(wireRequest('p')).catch(() => undefined);
  }
}

function plain(buffer: Buffer): Uint8Array {
  return new Uint8Array(buffer.buffer, buffer.byteOffset, buffer.length);
}
