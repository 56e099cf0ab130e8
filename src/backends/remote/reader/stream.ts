/**
 * A file that flows from the far side. It sends no more than it has credit for; what was taken is credited again.
 */
import { decodeText } from '../../../core/memory/text.ts';
import { escapeControls } from '../../../core/output/escape.ts';
import type { ReaderStream } from '../reader.ts';
import { broken } from './frames.ts';
import { farError, fileFailure } from './items.ts';

/** Bytes that may be on the way or untaken. */
const CREDIT = 256 * 1024;
/** A reader may end a piece or a record with more than it had credit for. */
const OVERDRAFT = 64 * 1024;
/** Credit is given in portions. */
const PORTION = 32 * 1024;

export interface StreamWire {
  taken(bytes: number): void;
  close(): void;
}

export class FarStream implements ReaderStream {
  readonly #wire: StreamWire;
  onData: (bytes: Uint8Array) => void = () => undefined;
  onEnd: (why: string) => void = () => undefined;
  readonly credit = CREDIT;
  #open = CREDIT;
  #taken = 0;
  #isEnded = false;

  constructor(wire: StreamWire) {
    this.#wire = wire;
  }

  taken(bytes: number): void {
    if (this.#isEnded) return;
    this.#taken += bytes;
    if (this.#taken < PORTION) return;
    this.#wire.taken(this.#taken);
    this.#open += this.#taken;
    this.#taken = 0;
  }

  finish(): void {
    if (!this.#isEnded) this.#wire.close();
  }

  close(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#wire.close();
  }

  /** Bytes that came, on the way still when it was closed here. Throws BackendError when there was no credit for them. */
  take(bytes: Uint8Array): void {
    this.#open -= bytes.length;
    if (this.#open < -OVERDRAFT) throw broken('more of a stream than was taken', bytes);
    if (!this.#isEnded) this.onData(bytes);
  }

  /** The far side says that it ended, and why. */
  ended(why: Uint8Array): void {
    this.end(escapeControls(decodeText(why.subarray(0, 200))));
  }

  refused(path: string, error: Uint8Array): void {
    this.end(`cannot read ${path}: ${fileFailure(path, farError(error)).detail}`);
  }

  end(why: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.onEnd(why);
  }
}
