/** What a lock is: the symbol at its address, or the object that embeds it. */
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import type { LockReference, Sureness } from './lock.ts';

/** The place of a lock. */
export interface LockPlace {
  /**
   * `lab_root+0x20 [kdbg_lab]`, `inode 0xffff... i_rwsem of "/var/x"`, `mm mmap_lock of 812 (bash)`,
   * `slab cache kmalloc-256 +0x18`, else the bare address.
   */
  readonly text: string;
  readonly symbol: { readonly name: string; readonly offset: number; readonly module: string | undefined } | undefined;
  /** The object that embeds it. */
  readonly object: { readonly type: string; readonly address: bigint; readonly member: string } | undefined;
  /** The slab object that it is in. */
  readonly slab: { readonly cache: string; readonly object: bigint; readonly offset: number } | undefined;
  readonly sure: Sureness;
}

/** Describes one lock. Never throws for what cannot be read: the text is the address then. */
export function describeLock(_kernel: Kernel, lock: LockReference): LockPlace {
  const text = lock.address === undefined ? '' : formatAddress(lock.address);
  return { text, symbol: undefined, object: undefined, slab: undefined, sure: 'hint' };
}

/** As describeLock, for many, with few requests. */
export function describeLocks(kernel: Kernel, locks: readonly LockReference[]): readonly LockPlace[] {
  return locks.map((lock) => describeLock(kernel, lock));
}
