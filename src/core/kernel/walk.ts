/**
 * What all walks over the kernel's containers share. Kernel memory may be corrupt, a dump may lack pages, and on a
 * live target a container changes while it is read; so every walk is bounded, never visits a node twice, can be
 * cancelled, and tells damage from the end. A walk over a tree leaves a damaged part out and goes on, so that what
 * can be read is read, and throws the first damage at its end: rows already found are kept.
 */
import { CancelledError, DataError, type KdbgError } from '../errors.ts';
import { AddressSet } from '../memory/address-set.ts';
import type { Kernel } from './kernel.ts';

/** Nodes of one walk at most: more than any container of a kernel that works. */
export const WALK_NODES_MAX = 1 << 24;
/** How often, on a live target, one walk reads a place again that looks wrong. */
const RETRIES_MAX = 64;
const CANCEL_EVERY = 1024;

export interface WalkOptions {
  /** Nodes at most; a container with more is damage. */
  readonly limit?: number;
  /** Told of each damaged part, which the walk leaves out. Without it the walk throws the first one at its end. */
  readonly damaged?: (error: KdbgError) => void;
}

export class Walk {
  readonly #kernel: Kernel;
  readonly #options: WalkOptions;
  readonly #seen = new AddressSet();
  #retries = 0;
  #damage: KdbgError | undefined;
  /** What is walked, for messages: "list at ffff888003a41b40". */
  readonly place: string;

  constructor(kernel: Kernel, place: string, options: WalkOptions = {}) {
    this.#kernel = kernel;
    this.#options = options;
    this.place = place;
  }

  /** Nodes visited so far. */
  get count(): number {
    return this.#seen.size;
  }

  /** Visits a node: false when it was visited before. Throws DataError beyond the limit, CancelledError. */
  visit(address: bigint): boolean {
    if (!this.#seen.add(address)) return false;
    const limit = this.#options.limit ?? WALK_NODES_MAX;
    if (this.#seen.size > limit) throw new DataError(`the ${this.place} has more than ${limit} entries`);
    if (this.#seen.size % CANCEL_EVERY === 0 && this.#kernel.cancelled()) throw new CancelledError();
    return true;
  }

  hasVisited(address: bigint): boolean {
    return this.#seen.has(address);
  }

  /** On a live target forgets the pages of a place that looks wrong and says true: read it again. Bounded. */
  retry(address: bigint, length: number): boolean {
    if (this.#kernel.liveness === 'frozen' || this.#retries >= RETRIES_MAX) return false;
    this.#retries++;
    this.#kernel.memory.refresh(address, length);
    return true;
  }

  /** Notes a part that is left out. */
  damage(error: KdbgError): void {
    if (this.#options.damaged !== undefined) this.#options.damaged(error);
    else this.#damage ??= error;
  }

  /** The walk is over: throws the first damage that nobody was told of. */
  finish(): void {
    if (this.#damage !== undefined) throw this.#damage;
  }

  /** A DataError that names the place; on a live target it says that the place may be changing. */
  broken(what: string): DataError {
    const live = this.#kernel.liveness === 'live';
    return new DataError(
      `the ${this.place} ${what}`,
      live ? 'the target is live: it may have changed while it was read' : undefined,
    );
  }
}
