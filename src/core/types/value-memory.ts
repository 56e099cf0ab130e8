/** Where typed values read from. */
import type { Fault, ReadRange } from '../memory/fault.ts';

/** What a value reads from: kernel memory (Memory), or the memory of a process. */
export interface ValueMemory {
  tryRead(address: bigint, length: number, what: string): Uint8Array | Fault;
  /** Brings ranges that will be read soon in one request. */
  prefetch?(ranges: readonly (ReadRange & { readonly what?: string })[]): void;
}
