/** Zstandard's entropy tables: finite state entropy and Huffman (RFC 8878, 4.1 and 4.2). */
import { DataError } from '../errors.ts';
import { BackwardBits, ForwardBits, highBit } from './zstd-bits.ts';

/** For each state its symbol, and how the next state is made: `base` plus `bits` bits. */
export interface FseTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
  readonly bases: Uint16Array;
}

export interface HuffmanTable {
  readonly log: number;
  readonly symbols: Uint8Array;
  readonly bits: Uint8Array;
}

const HUFFMAN_LOG_MAX = 11;
const WEIGHTS_LOG_MAX = 6;
const WEIGHTS_MAX = 255;

/** From how frequent each symbol is; -1 is less than one state. They must add up to 2^log. */
export function fseTable(frequencies: readonly number[], log: number): FseTable {
  const size = 1 << log;
  const symbols = new Uint8Array(size);
  const next = new Uint16Array(frequencies.length);
  let high = size - 1;
  for (const [symbol, frequency] of frequencies.entries()) {
    if (frequency === -1) symbols[high--] = symbol;
    next[symbol] = Math.abs(frequency);
  }
  const step = (size >> 1) + (size >> 3) + 3;
  let at = 0;
  for (const [symbol, frequency] of frequencies.entries()) {
    for (let i = 0; i < frequency; i++) {
      symbols[at] = symbol;
      do at = (at + step) & (size - 1);
      while (at > high);
    }
  }
  const bits = new Uint8Array(size);
  const bases = new Uint16Array(size);
  for (let state = 0; state < size; state++) {
    const symbol = symbols[state] as number;
    const number = next[symbol] as number;
    next[symbol] = number + 1;
    bits[state] = log - highBit(number);
    bases[state] = (number << (bits[state] as number)) - size;
  }
  return { log, symbols, bits, bases };
}

/** A table that always gives one symbol. */
export function onlySymbol(symbol: number): FseTable {
  return { log: 0, symbols: Uint8Array.of(symbol), bits: Uint8Array.of(0), bases: Uint16Array.of(0) };
}

/** A table as a block describes it, and where the description ends. */
export function readFseTable(
  bytes: Uint8Array,
  start: number,
  end: number,
  logMax: number,
  symbolsMax: number,
): { readonly table: FseTable; readonly end: number } {
  const input = new ForwardBits(bytes, start, end);
  const log = input.read(4) + 5;
  if (log > logMax) throw new DataError('its zstd data has a table that is too large');
  const frequencies: number[] = [];
  let left = 1 << log;
  while (left > 0 && frequencies.length < symbolsMax) {
    const count = highBit(left + 1) + 1;
    const low = (1 << (count - 1)) - 1;
    const threshold = (1 << count) - 1 - (left + 1);
    let value = input.read(count);
    if ((value & low) < threshold) {
      input.rewind(1);
      value &= low;
    } else if (value > low) value -= threshold;
    const frequency = value - 1;
    left -= Math.abs(frequency);
    frequencies.push(frequency);
    if (frequency !== 0) continue;
    for (let zeros = 3; zeros === 3 && frequencies.length <= symbolsMax; ) {
      zeros = input.read(2);
      for (let i = 0; i < zeros; i++) frequencies.push(0);
    }
  }
  if (left !== 0 || frequencies.length > symbolsMax) throw new DataError('its zstd data has a table that is none');
  return { table: fseTable(frequencies, log), end: input.end };
}

/** A Huffman table as literals describe it: by the weights of all symbols but the last. */
export function readHuffmanTable(
  bytes: Uint8Array,
  start: number,
  end: number,
): { readonly table: HuffmanTable; readonly end: number } {
  const head = bytes[start];
  if (head === undefined || start >= end) throw new DataError('its zstd data is cut off before a table');
  const isDirect = head >= 128;
  const length = isDirect ? (head - 127 + 1) >> 1 : head;
  const stop = start + 1 + length;
  if (stop > end) throw new DataError('its zstd data is cut off within a table');
  const weights = isDirect
    ? Array.from({ length: head - 127 }, (_, i) => {
        const pair = bytes[start + 1 + (i >> 1)] as number;
        return i % 2 === 0 ? pair >> 4 : pair & 15;
      })
    : readWeights(bytes, start + 1, stop);
  return { table: huffmanTable(weights), end: stop };
}

/** Two states take turns until the bits are used up. */
function readWeights(bytes: Uint8Array, start: number, stop: number): readonly number[] {
  const { table, end } = readFseTable(bytes, start, stop, WEIGHTS_LOG_MAX, 16);
  const input = new BackwardBits(bytes, end, stop);
  const states = [input.read(table.log), input.read(table.log)];
  const weights: number[] = [];
  for (let turn = 0; weights.length < WEIGHTS_MAX; turn ^= 1) {
    const state = states[turn] as number;
    weights.push(table.symbols[state] as number);
    const count = table.bits[state] as number;
    if (input.left < count) {
      weights.push(table.symbols[states[turn ^ 1] as number] as number);
      return weights;
    }
    states[turn] = (table.bases[state] as number) + input.read(count);
  }
  throw new DataError('its zstd data has too many weights');
}

function huffmanTable(weights: readonly number[]): HuffmanTable {
  const sum = weights.reduce((all, weight) => all + (weight === 0 ? 0 : 2 ** (weight - 1)), 0);
  const log = highBit(sum) + 1;
  const rest = 2 ** log - sum;
  if (sum === 0 || log > HUFFMAN_LOG_MAX || weights.length > WEIGHTS_MAX || (rest & (rest - 1)) !== 0) {
    throw new DataError('its zstd data has weights that make no table');
  }
  const all = [...weights, highBit(rest) + 1];
  const symbols = new Uint8Array(1 << log);
  const bits = new Uint8Array(1 << log);
  let at = 0;
  // The rarer a symbol, the longer its code, and the lower.
  for (let weight = 1; weight <= log; weight++) {
    for (const [symbol, each] of all.entries()) {
      if (each !== weight) continue;
      const count = 1 << (weight - 1);
      symbols.fill(symbol, at, at + count);
      bits.fill(log + 1 - weight, at, at + count);
      at += count;
    }
  }
  return { log, symbols, bits };
}
