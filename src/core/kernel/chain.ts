/**
 * Singly linked chains: the common ground of list_head, hlist, llist and of structures that point at the next one of
 * their kind. A chain ends at NULL, at the address that the caller names, or back at its first node.
 *
 * Where the chain has back pointers each is compared with the node that led there. On a frozen target one that
 * differs is told in a notice, once, and the walk goes on. On a live one the two nodes are read again, and a chain
 * that stays inconsistent ends with an error: its next pointer may lead into memory that was freed.
 */
import { FaultError, type KdbgError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import type { Kernel } from './kernel.ts';
import { describePoison } from './poison.ts';
import { Walk, type WalkOptions } from './walk.ts';

export interface Chain {
  /** For messages: "list at ffff888003a41b40". */
  readonly place: string;
  /** The first node, or the head whose pointer, at `nextOffset`, leads to it. */
  readonly from: { readonly node: bigint } | { readonly head: bigint };
  /** Where the pointer to the next node is in each node, in bytes. */
  readonly nextOffset: number;
  /** The chain ends before this node. */
  readonly end?: bigint;
  /** Where the pointer back to the previous node (or to the head) is. */
  readonly backOffset?: number;
  /** Bits of a next pointer that are flags: they are masked out. */
  readonly flags?: bigint;
  /** An odd pointer is the end (hlist_nulls). */
  readonly oddIsEnd?: boolean;
  /** What the caller reads around each node, relative to it: asked for with one request for many nodes. */
  readonly around?: { readonly offset: number; readonly length: number };
}

/** Why a chain ended: NULL, the end that was named, back at the first node, or damage that `damaged` was told of. */
export type ChainEnd = 'null' | 'end' | 'first' | 'damage';

/** How many nodes one request follows on the far side: few at first, for callers that want few. */
const FOLLOW_FIRST = 256;
const FOLLOW_MAX = 4096;
const TRIES_MAX = 3;

/**
 * The nodes of a chain in order. Throws DataError when it loops back into itself or is longer than the limit, and
 * FaultError when a node cannot be read; with `options.damaged` it ends there instead.
 */
export function* walkChain(kernel: Kernel, chain: Chain, options: WalkOptions = {}): Generator<bigint, ChainEnd> {
  const walk = new Walk(kernel, chain.place, options);
  const ahead = prefetcher(kernel, chain);
  let leader = 'head' in chain.from ? chain.from.head : undefined;
  let node = 'head' in chain.from ? nextOf(kernel, chain, walk, chain.from.head) : chain.from.node;
  const first = node;
  let toldOfBack = false;
  for (let tries = 0; ; ) {
    if (node === 0n || (chain.oddIsEnd === true && typeof node === 'bigint' && (node & 1n) === 1n)) return 'null';
    if (node === chain.end) return 'end';
    if (node === first && walk.count > 0) return 'first';
    let trouble: Trouble | undefined;
    if (typeof node === 'bigint') {
      ahead(node);
      trouble = inspect(kernel, chain, walk, node, leader);
    } else {
      trouble = { kind: 'end', error: node };
    }
    if (trouble !== undefined && tries < TRIES_MAX && retry(chain, walk, node, leader)) {
      tries++;
      if (leader !== undefined) node = nextOf(kernel, chain, walk, leader);
      continue;
    }
    if (trouble?.kind === 'end' || typeof node !== 'bigint') {
      if (trouble !== undefined) walk.damage(trouble.error);
      walk.finish();
      return 'damage';
    }
    if (trouble !== undefined && !toldOfBack) {
      kernel.notice(trouble.error.message);
      toldOfBack = true;
    }
    tries = 0;
    walk.visit(node);
    yield node;
    leader = node;
    node = nextOf(kernel, chain, walk, node);
  }
}

/** What is wrong with a node, and whether the walk has to end there. */
interface Trouble {
  readonly kind: 'end' | 'notice';
  readonly error: KdbgError;
}

function inspect(
  kernel: Kernel,
  chain: Chain,
  walk: Walk,
  node: bigint,
  leader: bigint | undefined,
): Trouble | undefined {
  if (walk.hasVisited(node)) {
    return { kind: 'end', error: walk.broken(`loops at entry ${walk.count} (back to ${formatAddress(node)})`) };
  }
  const next = nextOf(kernel, chain, walk, node);
  if (typeof next !== 'bigint') return { kind: 'end', error: next };
  if (chain.backOffset === undefined || leader === undefined) return undefined;
  const back = readPointer(kernel, chain, walk, node + BigInt(chain.backOffset));
  if (typeof back !== 'bigint') return { kind: 'end', error: back };
  if (back === leader) return undefined;
  const error = walk.broken(
    `is inconsistent at entry ${walk.count}: ${formatAddress(leader)} leads to ${formatAddress(node)}, ` +
      `which points back to ${describePoison(back) ?? formatAddress(back)}`,
  );
  return { kind: kernel.liveness === 'live' ? 'end' : 'notice', error };
}

/** On a live target forgets the node and the one that led to it. */
function retry(chain: Chain, walk: Walk, node: bigint | FaultError, leader: bigint | undefined): boolean {
  const length = Math.max(chain.nextOffset, chain.backOffset ?? 0) + 8;
  const nodeAgain = typeof node === 'bigint' && walk.retry(node, length);
  const leaderAgain = leader !== undefined && walk.retry(leader, length);
  return nodeAgain || leaderAgain;
}

function nextOf(kernel: Kernel, chain: Chain, walk: Walk, node: bigint): bigint | FaultError {
  const next = readPointer(kernel, chain, walk, node + BigInt(chain.nextOffset));
  return typeof next === 'bigint' && chain.flags !== undefined ? next & ~chain.flags : next;
}

/** Reads a pointer; its fault says where in the container it is, and what a poisoned pointer tells. */
function readPointer(kernel: Kernel, chain: Chain, walk: Walk, at: bigint): bigint | FaultError {
  try {
    return kernel.memory.u64(at, chain.place);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    const { space, address, length, reason, detail } = error.fault;
    const poison = describePoison(at - BigInt(chain.nextOffset)) ?? describePoison(at - BigInt(chain.backOffset ?? 0));
    const what = `entry ${walk.count} of the ${chain.place}`;
    return new FaultError(new Fault({ space, address, length, what }, reason, poison ?? detail));
  }
}

/** Where the source can follow a chain by itself, brings in the pages of the next nodes with two requests. */
function prefetcher(kernel: Kernel, chain: Chain): (node: bigint) => void {
  const source = kernel.memory.source;
  if (source.follow === undefined || chain.flags !== undefined || chain.oddIsEnd) return () => undefined;
  let left = 0;
  let batch = FOLLOW_FIRST;
  const start = chain.around?.offset ?? 0;
  const nodeLength = Math.max(chain.nextOffset, chain.backOffset ?? 0) + 8;
  const length = chain.around?.length ?? nodeLength;
  return (node) => {
    // A list in memory that is here already, as a short one beside its head is, needs nobody to follow it.
    if (left-- > 0 || kernel.memory.holds(node, nodeLength)) return;
    const found = source.follow?.({
      start: node,
      nextOffset: chain.nextOffset,
      end: chain.end,
      limit: batch,
      ranges: [],
      what: chain.place,
    });
    if (found === undefined) return;
    left = found.nodes.length - 1;
    batch = Math.min(batch * 4, FOLLOW_MAX);
    kernel.memory.prefetch(
      found.nodes.flatMap(({ address }) => [
        { space: 'virtual', address: address + BigInt(start), length, what: chain.place } as const,
        { space: 'virtual', address, length: nodeLength, what: chain.place } as const,
      ]),
    );
  };
}
