/**
 * A far side on this machine: a shell as a child process, with a file like /proc/kcore.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openCommandChannel } from '../../../../src/backends/remote/command-channel.ts';
import { type ReaderOptions, startReader } from '../../../../src/backends/remote/reader/start.ts';
import type { Reader } from '../../../../src/backends/remote/reader.ts';

/** Ranges of the kernel image, of RAM and of memory that is not physically contiguous. */
export const SEGMENTS = [
  { virtual: 0xffff_ffff_8100_0000n, physical: 0x100_0000n, offset: 0x3000n, length: 0x20_0000n },
  { virtual: 0xffff_8880_0000_0000n, physical: 0n, offset: 0x20_3000n, length: 0x10_0000n },
  { virtual: 0xffff_c900_0000_0000n, physical: 0xffff_ffff_ffff_ffffn, offset: 0x30_3000n, length: 0x4000n },
] as const;
export const RAM = SEGMENTS[1].virtual;

const FILE_LENGTH = 0x30_7000;

/** Each word of it is its own virtual address, but those that `words` sets. */
export function kcoreBytes(words: ReadonlyMap<bigint, bigint> = new Map()): Buffer {
  const bytes = Buffer.alloc(FILE_LENGTH);
  bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  bytes.writeUInt16LE(4, 16);
  bytes.writeUInt16LE(62, 18);
  bytes.writeBigUInt64LE(64n, 32);
  bytes.writeUInt16LE(64, 52);
  bytes.writeUInt16LE(56, 54);
  bytes.writeUInt16LE(SEGMENTS.length, 56);
  for (const [i, { virtual, physical, offset, length }] of SEGMENTS.entries()) {
    const at = 64 + 56 * i;
    bytes.writeUInt32LE(1, at);
    for (const [n, value] of [offset, virtual, physical, length, length].entries()) {
      bytes.writeBigUInt64LE(value, at + 8 + 8 * n);
    }
    for (let word = 0; word < Number(length); word += 8) {
      const address = virtual + BigInt(word);
      bytes.writeBigUInt64LE(words.get(address) ?? address, Number(offset) + word);
    }
  }
  return bytes;
}

export interface FarSide {
  readonly folder: string;
  readonly kcore: string;
  start(argv: readonly string[], options?: ReaderOptions): Promise<Reader>;
  /** A script in the folder, to be run as the command. */
  script(name: string, text: string): string;
  close(): void;
}

export function farSide(words?: ReadonlyMap<bigint, bigint>): FarSide {
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-far-'));
  const kcore = join(folder, 'kcore');
  writeFileSync(kcore, kcoreBytes(words));
  const readers: Reader[] = [];
  return {
    folder,
    kcore,
    async start(argv, options = {}) {
      const { reader } = await startReader(openCommandChannel(argv), { kcore, timeoutMs: 10_000, ...options });
      readers.push(reader);
      return reader;
    },
    script(name, text) {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o755 });
      return path;
    },
    close() {
      for (const reader of readers) reader.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Processes that run with this environment variable set: all that one far side started. */
export function processesOf(mark: string): readonly string[] {
  const found: string[] = [];
  for (const pid of readdirSync('/proc')) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`).includes(mark)) continue;
      found.push(`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').slice(0, 100)}`);
    } catch {
      // It ended meanwhile.
    }
  }
  return found;
}

/** Waits until it holds; false when it does not within the time. */
export async function eventually(holds: () => boolean, milliseconds: number): Promise<boolean> {
  const end = performance.now() + milliseconds;
  while (!holds()) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}
