/**
 * What stands in the place of a word that is not to be told: a word of the same length, and of the same kinds of
 * characters at the same places. The same word gets the same one everywhere in a recording. They come of a key that is
 * made for one redaction and kept nowhere, so that no dictionary tells what they were.
 *
 * Words are bytes, one character each (Latin-1).
 */
import { createHash, randomBytes } from 'node:crypto';
import { DataError } from '../../../core/errors.ts';

/** Words of one recording: what bounds the memory. */
const WORDS_MAX = 2_000_000;
/** Short words run out: after so many tries two may get the same one. */
const TRIES = 64;

const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = '0123456789';
const HEX = '0123456789abcdef';

export class Pseudonyms {
  readonly #key: Uint8Array;
  readonly #isTaken: (word: string) => boolean;
  /** Undefined until a pseudonym is wanted. */
  readonly #given = new Map<string, string | undefined>();
  readonly #smallGiven = new Map<string, string>();
  readonly #issued = new Set<string>();
  #isGathering = true;

  /** `isTaken`: a pseudonym must not be a word that means something. */
  constructor(isTaken: (word: string) => boolean, key: Uint8Array = randomBytes(32)) {
    this.#isTaken = isTaken;
    this.#key = key;
  }

  /** All words are known that a pseudonym must not be the same as: from now on pseudonyms are given. */
  begin(): void {
    this.#isGathering = false;
  }

  /** The pseudonym; the word itself while words are only gathered. Throws DataError when there are too many. */
  of(word: string, isHex = false): string {
    const known = this.#given.get(word);
    if (known !== undefined) return known;
    if (this.#given.size >= WORDS_MAX) throw new DataError(`it has more than ${WORDS_MAX} words to replace`);
    if (this.#isGathering) {
      this.#given.set(word, undefined);
      return word;
    }
    const fresh = inCase(this.#small(word.toLowerCase(), isHex), word);
    this.#given.set(word, fresh);
    this.#issued.add(fresh);
    return fresh;
  }

  /** The pseudonym of a word in lower case: those of words that differ in their case differ in nothing else. */
  #small(word: string, isHex: boolean): string {
    const known = this.#smallGiven.get(word);
    if (known !== undefined) return known;
    let fresh = word;
    for (let attempt = 0; attempt < TRIES; attempt++) {
      fresh = this.#derive(word, attempt, isHex);
      if (fresh !== word && !this.#issued.has(fresh) && !this.#given.has(fresh) && !this.#isTaken(fresh)) break;
    }
    this.#smallGiven.set(word, fresh);
    this.#issued.add(fresh);
    return fresh;
  }

  /** True for a word that was or will be replaced. */
  has(word: string): boolean {
    return this.#given.has(word);
  }

  isIssued(word: string): boolean {
    return this.#issued.has(word);
  }

  words(): Iterable<string> {
    return this.#given.keys();
  }

  #derive(word: string, attempt: number, isHex: boolean): string {
    const hash = createHash('shake256', { outputLength: Math.max(1, word.length) });
    const bytes = hash.update(this.#key).update(`${attempt} `).update(word, 'latin1').digest();
    let fresh = '';
    for (let i = 0; i < word.length; i++) {
      const alphabet = alphabetOf(word.charCodeAt(i), isHex);
      fresh += alphabet === undefined ? word.charAt(i) : alphabet.charAt((bytes[i] as number) % alphabet.length);
    }
    return fresh;
  }
}

/** The letters of a word in lower case as another has them. */
function inCase(word: string, like: string): string {
  let cased = '';
  for (let i = 0; i < word.length; i++) {
    const code = like.charCodeAt(i);
    cased += code >= 0x41 && code <= 0x5a ? word.charAt(i).toUpperCase() : word.charAt(i);
  }
  return cased;
}

/** The characters of the same kind; undefined for one that stays. */
function alphabetOf(code: number, isHex: boolean): string | undefined {
  if (code >= 0x30 && code <= 0x39) return isHex ? HEX : DIGITS;
  if (code >= 0x61 && code <= 0x7a) return isHex ? HEX : LOWER;
  return code >= 0x80 ? LOWER : undefined;
}
