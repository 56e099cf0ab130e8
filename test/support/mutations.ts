/**
 * Damage to bytes, for property tests of decoders: flipped bits, extreme values, cuts, repeats. Deterministic for a
 * seed, so that a failure can be run again.
 */

/** A generator of numbers in [0, 1) from a seed (mulberry32's recurrence). */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}

const EXTREMES = [0, 1, 0x7f, 0x80, 0xff];

/** A damaged copy: one to eight changes. */
export function mutate(bytes: Uint8Array, random: () => number): Uint8Array {
  let damaged = bytes.slice();
  const at = () => Math.floor(random() * damaged.length);
  for (let changes = 1 + Math.floor(random() * 8); changes > 0 && damaged.length > 0; changes--) {
    const kind = random();
    if (kind < 0.4) {
      const i = at();
      damaged[i] = (damaged[i] as number) ^ (1 << Math.floor(random() * 8));
    } else if (kind < 0.75) {
      const value = EXTREMES[Math.floor(random() * EXTREMES.length)] as number;
      const from = at();
      damaged.fill(value, from, from + 1 + Math.floor(random() * 8));
    } else if (kind < 0.85) {
      damaged = damaged.slice(0, at());
    } else if (kind < 0.95) {
      damaged.copyWithin(at(), at(), at());
    } else {
      damaged[at()] = Math.floor(random() * 256);
    }
  }
  return damaged;
}
