/**
 * User memory of the context's task, for `-u`.
 */

import { UnsupportedError } from '../errors.ts';
import type { ValueMemory } from '../types/value.ts';
import type { Scope } from './scope.ts';

/** Reads through the page tables of the context's task. Throws UnsupportedError where it has no memory of its own. */
export function userMemory(_scope: Scope): ValueMemory {
  throw new UnsupportedError('user memory cannot be read here');
}
