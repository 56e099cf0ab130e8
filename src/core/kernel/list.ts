/**
 * Circular doubly linked lists (struct list_head: next at 0, prev at 8). The head is a list_head that no structure
 * contains; every other node is embedded in a structure, at an offset that container_of takes off again.
 */
import { DataError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { walkChain } from './chain.ts';
import type { Kernel } from './kernel.ts';
import { memberOffset } from './member.ts';
import type { WalkOptions } from './walk.ts';

export interface ListOptions extends WalkOptions {
  /** From the last entry to the first, along `prev`. */
  readonly reverse?: boolean;
}

/** The addresses of the list_heads between a head and itself. Throws as walkChain does. */
export function* walkList(kernel: Kernel, head: bigint, options: ListOptions = {}): Generator<bigint, void> {
  yield* walkNodes(kernel, head, undefined, options);
}

/**
 * The structures on a list: `walkListOf(kernel, head, 'task_struct', 'tasks')` yields the address of each task_struct.
 * `member` is a path; several are the names that kernels gave it, newest first.
 */
export function* walkListOf(
  kernel: Kernel,
  head: bigint,
  structure: string,
  member: string | readonly string[],
  options: ListOptions = {},
): Generator<bigint, void> {
  const { offset, size } = memberOffset(kernel, structure, member);
  for (const node of walkNodes(kernel, head, { offset: -offset, length: size }, options)) yield node - BigInt(offset);
}

/** True when the list has no entries. Throws FaultError. */
export function isListEmpty(kernel: Kernel, head: bigint): boolean {
  return kernel.memory.u64(head, 'list_head.next') === head;
}

function* walkNodes(
  kernel: Kernel,
  head: bigint,
  around: { readonly offset: number; readonly length: number } | undefined,
  options: ListOptions,
): Generator<bigint, void> {
  const chain = {
    place: `list at ${formatAddress(head)}`,
    from: { head },
    nextOffset: options.reverse === true ? 8 : 0,
    backOffset: options.reverse === true ? 0 : 8,
    end: head,
    ...(around === undefined ? {} : { around }),
  };
  const ended = yield* walkChain(kernel, chain, options);
  if (ended !== 'null') return;
  const error = new DataError(
    `the ${chain.place} is not circular: it ends with NULL, as one that was never initialised`,
  );
  if (options.damaged === undefined) throw error;
  options.damaged(error);
}
