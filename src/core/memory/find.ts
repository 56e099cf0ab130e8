/**
 * Finds words and texts in bytes. Words are looked for where the kernel aligns them, at multiples of their size; texts
 * anywhere.
 */

/** Words of 2, 4 or 8 bytes, little-endian. */
export interface WordPattern {
  readonly unit: 2 | 4 | 8;
  readonly values: readonly bigint[];
  /** Bits that need not agree. */
  readonly ignore: bigint;
}

/** Where in the bytes, and which of the values. */
export interface Match {
  readonly offset: number;
  readonly index: number;
}

/** Every word that agrees with a value; `bytes` begin at a multiple of the unit. */
export function* findWords(bytes: Uint8Array, pattern: WordPattern): Generator<Match, void> {
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : bytes.slice();
  if (pattern.unit === 2) {
    const halves = new Uint16Array(aligned.buffer, aligned.byteOffset, aligned.length >> 1);
    yield* findNarrow(halves, pattern);
    return;
  }
  const words = new Uint32Array(aligned.buffer, aligned.byteOffset, aligned.length >> 2);
  if (pattern.unit === 4) yield* findNarrow(words, pattern);
  else yield* findWide(words, pattern);
}

function* findNarrow(words: Uint16Array | Uint32Array, { unit, values, ignore }: WordPattern): Generator<Match, void> {
  const keep = Number(BigInt.asUintN(unit * 8, ~ignore));
  for (const [i, value] of values.entries()) {
    const wanted = (Number(BigInt.asUintN(unit * 8, value)) & keep) >>> 0;
    for (let at = 0; at < words.length; at++) {
      if (((words[at] as number) & keep) >>> 0 === wanted) yield { offset: at * unit, index: i };
    }
  }
}

function* findWide(words: Uint32Array, { values, ignore }: WordPattern): Generator<Match, void> {
  const keep = BigInt.asUintN(64, ~ignore);
  const keepLow = Number(keep & 0xffff_ffffn);
  const keepHigh = Number(keep >> 32n);
  for (const [i, value] of values.entries()) {
    const wanted = BigInt.asUintN(64, value) & keep;
    const low = Number(wanted & 0xffff_ffffn);
    const high = Number(wanted >> 32n);
    // Halves of the words: a bigint for each would take fifty times as long.
    for (let at = 0; at + 1 < words.length; at += 2) {
      if (((words[at] as number) & keepLow) >>> 0 !== low) continue;
      if (((words[at + 1] as number) & keepHigh) >>> 0 === high) yield { offset: at * 4, index: i };
    }
  }
}

/** Every occurrence of each text, overlapping ones too. */
export function* findTexts(bytes: Uint8Array, texts: readonly Uint8Array[]): Generator<Match, void> {
  for (const [index, text] of texts.entries()) {
    const first = text[0];
    if (first === undefined) continue;
    for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
      if (at + text.length > bytes.length) break;
      let same = 1;
      while (same < text.length && bytes[at + same] === text[same]) same++;
      if (same === text.length) yield { offset: at, index };
    }
  }
}
