/**
 * Messages that printk put aside because it could not take the log's lock where they came from: per CPU a struct
 * printk_safe_seq_buf for nested printk, and one for NMIs. Since 93d102f094be "printk: remove safe buffers" (v5.15) the
 * lockless ring takes messages from anywhere, and there are none.
 */
import { decodeText } from '../memory/text.ts';
import { cpus } from './cpu.ts';
import type { Kernel } from './kernel.ts';
import { findStructMember } from './member.ts';
import { perCpuSymbol } from './percpu.ts';
import { defineStruct, embedded, int } from './struct.ts';

const SafeBuffer = defineStruct('printk_safe_seq_buf', {
  length: int('len'),
  lost: int('message_lost'),
  buffer: embedded('buffer'),
});

const SYMBOLS = [
  ['safe_print_seq', 'printk_safe'],
  ['nmi_print_seq', 'printk_nmi'],
] as const;
const LENGTH_MAX = 1 << 20;

/** What one CPU put aside. */
export interface SafeMessages {
  readonly cpu: number;
  readonly buffer: 'printk_safe' | 'printk_nmi';
  /** Messages that found no room. */
  readonly lost: number;
  readonly lines: readonly string[];
}

/** The buffers that are not empty; undefined for a kernel without them. Throws FaultError. */
export function printkSafeBuffers(kernel: Kernel): readonly SafeMessages[] | undefined {
  const known = SYMBOLS.filter(([symbol]) => kernel.addressOf(symbol) !== undefined);
  if (known.length === 0 || !kernel.hasStruct('printk_safe_seq_buf')) return undefined;
  const struct = kernel.struct(SafeBuffer);
  const room = struct.size - (findStructMember(kernel, 'printk_safe_seq_buf', 'buffer')?.offset ?? 0);
  const found: SafeMessages[] = [];
  for (const cpu of cpus(kernel, 'possible')) {
    for (const [symbol, buffer] of known) {
      const address = perCpuSymbol(kernel, symbol, cpu);
      if (address === undefined) continue;
      const { length, lost, buffer: bytesAt } = struct.at(address);
      if (length <= 0 && lost === 0) continue;
      const bytes = kernel.memory.read(bytesAt, Math.max(0, Math.min(length, room, LENGTH_MAX)), symbol);
      found.push({ cpu, buffer, lost, lines: parseSafeText(bytes) });
    }
  }
  return found;
}

/** Lines without the level that each begins with (an SOH byte and a digit). */
function parseSafeText(bytes: Uint8Array): readonly string[] {
  const lines = decodeText(bytes).split('\n');
  if (lines.at(-1) === '') lines.pop();
  return lines.map((line) => (line.charCodeAt(0) === 1 ? line.slice(2) : line));
}
