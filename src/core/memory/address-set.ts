/**
 * A set of 64-bit addresses for walks that must not go round in circles. A list may have millions of entries, and a
 * `Set<bigint>` costs some 60 bytes for each; this one costs 12 to 24.
 */

const FIRST_CAPACITY = 64;
/** Addresses come from the target: nobody should be able to choose a million of them that all meet in one slot. */
const SEED = Math.floor(Math.random() * 0xffffffff);

export class AddressSet {
  #low = new Uint32Array(FIRST_CAPACITY);
  #high = new Uint32Array(FIRST_CAPACITY);
  #used = new Uint8Array(FIRST_CAPACITY);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds an address; false when it was there. */
  add(address: bigint): boolean {
    if ((this.#size + 1) * 4 > this.#used.length * 3) this.#grow();
    const low = Number(BigInt.asUintN(32, address));
    const high = Number(BigInt.asUintN(32, address >> 32n));
    const slot = this.#slot(low, high);
    if (this.#used[slot] === 1) return false;
    this.#put(slot, low, high);
    this.#size++;
    return true;
  }

  has(address: bigint): boolean {
    const low = Number(BigInt.asUintN(32, address));
    const high = Number(BigInt.asUintN(32, address >> 32n));
    return this.#used[this.#slot(low, high)] === 1;
  }

  /** The slot that holds the address, or the free one where it belongs (open addressing, linear probing). */
  #slot(low: number, high: number): number {
    const mask = this.#used.length - 1;
    let hash = Math.imul(low ^ SEED, 0x9e3779b1);
    hash = Math.imul(hash ^ (hash >>> 15) ^ high, 0x85ebca6b);
    let slot = (hash ^ (hash >>> 13)) & mask;
    while (this.#used[slot] === 1 && (this.#low[slot] !== low || this.#high[slot] !== high)) slot = (slot + 1) & mask;
    return slot;
  }

  #put(slot: number, low: number, high: number): void {
    this.#low[slot] = low;
    this.#high[slot] = high;
    this.#used[slot] = 1;
  }

  #grow(): void {
    const [low, high, used] = [this.#low, this.#high, this.#used];
    this.#low = new Uint32Array(low.length * 2);
    this.#high = new Uint32Array(low.length * 2);
    this.#used = new Uint8Array(low.length * 2);
    for (let i = 0; i < used.length; i++) {
      if (used[i] === 0) continue;
      const [l, h] = [low[i] as number, high[i] as number];
      this.#put(this.#slot(l, h), l, h);
    }
  }
}
