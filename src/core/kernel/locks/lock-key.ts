/** What tells locks apart. */
import type { LockReference } from './lock.ts';

/** The key of a lock in maps, `kind:address`; undefined for a wait whose object is not known. */
export function lockKey(lock: LockReference): string | undefined {
  // A ww_mutex may be taken by mutex_lock() on its base as well: it is one lock.
  const kind = lock.kind === 'ww_mutex' ? 'mutex' : lock.kind;
  return lock.address === undefined ? undefined : `${kind}:${lock.address.toString(16)}`;
}
