/**
 * How many reads a debugger makes that asks for one field at a time: each integer, string or structure that kdbg takes
 * out of kernel memory while it replays a recorded command. Over a wire each would be a round trip.
 */
import { Memory } from '../../src/core/memory/memory.ts';
import { openReplay } from '../support/replay-session.ts';

const READERS = ['u8', 'u16', 'u32', 's32', 'u64', 's64', 'cString', 'tryRead'] as const;

/** Reads of each line, in order, on a recording that has run them. */
export const countFieldReads = (recording: string, lines: readonly string[]): readonly number[] => {
  const prototype = Memory.prototype as unknown as Record<string, (...args: unknown[]) => unknown>;
  const originals = READERS.map((name) => [name, prototype[name]!] as const);
  let count = 0;
  let depth = 0;
  for (const [name, original] of originals) {
    prototype[name] = function (this: Memory, ...args: unknown[]): unknown {
      // What a read is made of is no read of its own.
      if (depth++ === 0) count++;
      try {
        return original.apply(this, args);
      } finally {
        depth--;
      }
    };
  }
  try {
    const session = openReplay(recording);
    try {
      return lines.map((line) => {
        const before = count;
        session.run(line);
        return count - before;
      });
    } finally {
      session.close();
    }
  } finally {
    for (const [name, original] of originals) prototype[name] = original;
  }
};
