/**
 * A fault is a value: one read that did not succeed, with what was being read, where and why. It travels in the place
 * of the bytes, so that one unreadable member spoils one cell of a table and not the command.
 */
import { formatAddress } from './address.ts';

/** An address space: kernel virtual, or physical. User memory is read through the page tables as physical. */
export type Space = 'virtual' | 'physical';

/** Why a read failed. */
export type FaultReason =
  | 'unmapped' // No mapping at this address, or outside what the source serves.
  | 'null' // A pointer into the first page: almost always a NULL dereference.
  | 'non-canonical' // Not an address that x86-64 can have.
  | 'not-recorded' // A recording never read this page.
  | 'excluded' // Filtered out of the dump.
  | 'denied' // The source refuses: privileges or lockdown.
  | 'truncated' // The source ends within the range.
  | 'swapped' // A user page that is not in memory.
  | 'io'; // The read itself failed.

const REASONS: Readonly<Record<FaultReason, string>> = {
  unmapped: 'not mapped',
  null: 'null pointer',
  'non-canonical': 'not a canonical address',
  'not-recorded': 'not recorded',
  excluded: 'excluded from the dump',
  denied: 'access denied',
  truncated: 'the source ends here',
  swapped: 'not in memory (swapped out or never touched)',
  io: 'read error',
};

/** One failed read. */
export class Fault {
  readonly space: Space;
  readonly address: bigint;
  /** Bytes that were asked for. */
  readonly length: number;
  /** What they are in kernel terms: "task_struct.comm". */
  readonly what: string;
  readonly reason: FaultReason;
  /** The source's own words, when it has any. */
  readonly detail: string | undefined;

  constructor(request: ReadRange & { readonly what: string }, reason: FaultReason, detail?: string) {
    this.space = request.space;
    this.address = request.address;
    this.length = request.length;
    this.what = request.what;
    this.reason = reason;
    this.detail = detail;
  }

  /** `cannot read task_struct.comm (16 bytes at ffff888003a41b40): not recorded`. */
  get message(): string {
    const where = `${this.space === 'physical' ? 'physical ' : ''}${formatAddress(this.address)}`;
    const why = this.detail === undefined ? REASONS[this.reason] : `${REASONS[this.reason]} (${this.detail})`;
    return `cannot read ${this.what} (${this.length} ${this.length === 1 ? 'byte' : 'bytes'} at ${where}): ${why}`;
  }

  /** What the user can do about it, when there is something. */
  get hint(): string | undefined {
    if (this.reason === 'not-recorded') return 'the recording holds only the pages that its session read';
    if (this.reason === 'denied') return 'as a rule root sees it: "status" says how to become root here';
    return undefined;
  }

  /** The same failure seen from a smaller read inside the failed range, with its own name. */
  narrowed(address: bigint, length: number, what: string): Fault {
    return new Fault({ space: this.space, address, length, what }, this.reason, this.detail);
  }
}

/** A range of an address space. */
export interface ReadRange {
  readonly space: Space;
  readonly address: bigint;
  /** Bytes. */
  readonly length: number;
}
