/**
 * Answers to one question over time. The epoch of an answer is the number of commands begun before it. At position N
 * the answer is the one that command N read; else the newest from before; else the earliest from after.
 *
 * A command may read the same page twice and find it changed: asked again at the same position, its answers come in
 * their order, and the last one stays.
 */
import { DataError } from '../../core/errors.ts';

/** Answers in one recording: what bounds the memory of the index (about 12 bytes each, and the keys). */
export const ANSWERS_MAX = 4_000_000;

/** Answers are small integers whose meaning is the caller's. */
export class Versions<K> {
  /** Of each key, the last entry; entries of a key are chained backwards. */
  readonly #last = new Map<K, number>();
  #previous = new Int32Array(1024);
  #epoch = new Int32Array(1024);
  #answer = new Int32Array(1024);
  #length = 0;
  readonly #sorted = new Map<K, Sorted>();
  readonly #asked = new Map<K, number>();

  get size(): number {
    return this.#length;
  }

  has(key: K): boolean {
    return this.#last.has(key);
  }

  /** Everything that was ever asked. */
  keys(): Iterable<K> {
    return this.#last.keys();
  }

  /** Epochs never go down from one call to the next. Throws DataError when there are too many. */
  add(key: K, epoch: number, answer: number): void {
    if (this.#length >= ANSWERS_MAX) throw new DataError(`it holds more than ${ANSWERS_MAX} answers`);
    if (this.#length === this.#answer.length) {
      this.#previous = grown(this.#previous);
      this.#epoch = grown(this.#epoch);
      this.#answer = grown(this.#answer);
    }
    const entry = this.#length++;
    this.#previous[entry] = this.#last.get(key) ?? -1;
    this.#epoch[entry] = epoch;
    this.#answer[entry] = answer;
    this.#last.set(key, entry);
  }

  /** The answer at a position; undefined when the question was never asked. */
  find(key: K, position: number): number | undefined {
    const sorted = this.#sorted.get(key) ?? this.#sort(key);
    if (sorted === undefined) return undefined;
    const { epochs, answers } = sorted;
    if (answers.length === 1) return answers[0];
    const end = after(epochs, position);
    if (end === 0) return answers[0];
    if (epochs[end - 1] !== position) return answers[end - 1];
    const start = after(epochs, position - 1);
    if (end - start === 1) return answers[start];
    const nth = this.#asked.get(key) ?? 0;
    this.#asked.set(key, nth + 1);
    return answers[Math.min(start + nth, end - 1)];
  }

  /** The position changed: the answers of a command come from the first again. */
  rewind(): void {
    this.#asked.clear();
  }

  /** The entries of a key in order, made when it is first asked for: a lookup is then a binary search. */
  #sort(key: K): Sorted | undefined {
    const last = this.#last.get(key);
    if (last === undefined) return undefined;
    let count = 0;
    for (let entry = last; entry >= 0; entry = this.#previous[entry] as number) count++;
    const sorted = { epochs: new Int32Array(count), answers: new Int32Array(count) };
    for (let entry = last; entry >= 0; entry = this.#previous[entry] as number) {
      count--;
      sorted.epochs[count] = this.#epoch[entry] as number;
      sorted.answers[count] = this.#answer[entry] as number;
    }
    this.#sorted.set(key, sorted);
    return sorted;
  }
}

interface Sorted {
  readonly epochs: Int32Array;
  readonly answers: Int32Array;
}

/** How many epochs are not after this one. */
function after(epochs: Int32Array, epoch: number): number {
  let low = 0;
  let high = epochs.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((epochs[middle] as number) <= epoch) low = middle + 1;
    else high = middle;
  }
  return low;
}

function grown(array: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length);
  larger.set(array);
  return larger;
}
