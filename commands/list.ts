/**
 * Linked lists: the kernel's list_head in every way that one can be held, and structures that point at the next one.
 */
import { defineCommand, flag, maybe, one, option } from '../src/core/command/define.ts';
import { ENTRY_OPTIONS, type EntryArgs, entriesAhead, entryItem, shownExtent } from '../src/core/command/entry-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { address, type OffsetOrAddress, offset, offsetOrAddress } from '../src/core/command/target-kinds.ts';
import { DataError, UsageError } from '../src/core/errors.ts';
import { type Chain, type ChainEnd, walkChain } from '../src/core/kernel/chain.ts';
import { formatAddress } from '../src/core/memory/address.ts';
import { type Item, notice } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'list',
  group: 'types',
  summary: 'walk a linked list, showing each entry or members of it',
  description: [
    'Three kinds of START. Plain: the first structure of a chain; the pointer at OFFSET in each leads to the next structure. With -h: a structure on a circular list; OFFSET is that of the list_head embedded in each. With -H: the head of a list, a list_head that no entry contains; it is not shown itself.',
    'A plain START that is the address of a list_head follows list_heads; with -s and -l OFFSET the structures that contain them are shown.',
    'The walk ends at NULL, at the head, at the first entry or at -e END. It never shows an entry twice: a list that loops back into itself ends with an error that says where.',
  ],
  needs: ['memory'],
  options: {
    ...ENTRY_OPTIONS,
    o: option(offset, 'OFFSET', 'where the next pointer or the list_head is: struct.member or bytes'),
    e: option(address, 'END', 'stop before this address'),
    h: flag('START is a structure on the list'),
    H: flag('START is the head of the list, outside of any entry'),
    O: option(
      offset,
      'OFFSET',
      'with -h: the list_head of START itself is here, as when START holds the list of its children',
    ),
    l: option(offset, 'OFFSET', 'START is a list_head at this offset of the structures shown with -s'),
    r: flag('backwards, along prev'),
    B: flag('on a loop say how long it is and where it begins'),
  },
  operands: {
    first: one(offsetOrAddress, '[OFFSET] START', 'where to start; a bare offset may stand before it, as in crash'),
    second: maybe(address, '', ''),
  },
  examples: [
    { line: 'list task_struct.tasks -h init_task -s task_struct.pid,comm', shows: 'processes, from the first task' },
    { line: 'list -H modules -o module.list -s module.name', shows: 'the modules' },
    { line: 'list -r -H modules', shows: 'list_heads backwards' },
  ],
  run: (scope, args) => show(scope, args),
});

interface ListArgs extends EntryArgs {
  readonly o: number | undefined;
  readonly e: bigint | undefined;
  readonly h: boolean;
  readonly H: boolean;
  readonly O: number | undefined;
  readonly l: number | undefined;
  readonly r: boolean;
  readonly B: boolean;
  readonly first: OffsetOrAddress;
  readonly second: bigint | undefined;
}

function* show(scope: Scope, args: ListArgs): Iterable<Item> {
  const { start, offset } = placeOf(args);
  if (start === 0n) throw new DataError('START is NULL: there is no list at address 0');
  if (args.h && args.H) throw new UsageError('-h and -H exclude each other');
  if (args.O !== undefined && !args.h) throw new UsageError('-O goes with -h');
  const { chain, containerOffset } = chainOf(args, start, offset);
  const seen: bigint[] = [];
  const extent = shownExtent(args);
  const around = extent && { offset: extent.offset - Number(containerOffset), length: extent.length };
  const walk = walkChain(scope.kernel, around ? { ...chain, around } : chain, { limit: scope.settings.walk_max });
  const container = (node: bigint): bigint => BigInt.asUintN(64, node - containerOffset);
  const ahead = entriesAhead(scope, args, walk, container);
  let end: ChainEnd | undefined;
  try {
    for (;;) {
      const next = ahead.next();
      if (next.done === true) {
        end = next.value;
        break;
      }
      if (args.B) seen.push(next.value);
      yield entryItem(scope, args, container(next.value));
    }
  } catch (error) {
    const loop = args.B && error instanceof DataError ? describeLoop(error, seen) : undefined;
    if (loop === undefined) throw error;
    yield notice(loop);
  }
  if (end === 'null' && (args.h || args.H) && !scope.settings['null-stop']) {
    throw new DataError(
      `the ${chain.place} ends with a NULL pointer`,
      'is START the head? "set null-stop on" accepts it',
    );
  }
}

/** Where to start, and the offset that -o or a first operand gives. */
function placeOf(args: ListArgs): { readonly start: bigint; readonly offset: number } {
  const { first, second } = args;
  if (second === undefined) {
    if (first.address === undefined) throw new UsageError('list wants a START behind the offset');
    return { start: first.address, offset: args.o ?? 0 };
  }
  if (args.o !== undefined) throw new UsageError('the offset is given twice: with -o and before START');
  return { start: second, offset: checkedOffset(first.offset) };
}

/** More bytes than any structure has. */
const OFFSET_MAX = 1 << 24;

function checkedOffset(offset: number | undefined): number {
  if (offset !== undefined && offset <= OFFSET_MAX) return offset;
  throw new UsageError('of two operands the first is an offset: struct.member or bytes');
}

/** What to walk, and what to take off each node to have the structure that contains it. */
function chainOf(args: ListArgs, start: bigint, offset: number): { chain: Chain; containerOffset: bigint } {
  const listHead = { nextOffset: args.r ? 8 : 0, backOffset: args.r ? 0 : 8 };
  // The end is looked for behind START: to itself is once around.
  const e = args.e === start ? undefined : args.e;
  const end = e === undefined ? {} : { end: e };
  const place = (at: bigint): string => `list at ${formatAddress(at)}`;
  if (args.H) {
    return {
      chain: { place: place(start), from: { head: start }, end: start, ...listHead, ...end },
      containerOffset: BigInt(offset),
    };
  }
  if (args.h && args.O !== undefined) {
    const head = start + BigInt(args.O);
    return {
      chain: { place: place(head), from: { head }, end: head, ...listHead, ...end },
      containerOffset: BigInt(offset),
    };
  }
  if (args.h) {
    const node = start + BigInt(offset);
    const stop = e === undefined ? {} : { end: e + BigInt(offset) };
    return { chain: { place: place(node), from: { node }, ...listHead, ...stop }, containerOffset: BigInt(offset) };
  }
  if (args.r) {
    return {
      chain: { place: place(start), from: { node: start }, ...listHead, ...end },
      containerOffset: BigInt(args.l ?? 0),
    };
  }
  return {
    chain: { place: place(start), from: { node: start }, nextOffset: offset, ...end },
    containerOffset: BigInt(args.l ?? 0),
  };
}

/** `-B`: where the loop that an error tells of begins and how long it is; undefined for other errors. */
function describeLoop(error: DataError, seen: readonly bigint[]): string | undefined {
  const back = /back to ([0-9a-f]{16})/.exec(error.message)?.[1];
  if (back === undefined) return undefined;
  const at = seen.indexOf(BigInt(`0x${back}`));
  return at < 0 ? undefined : `loop of ${seen.length - at} entries that begins at entry ${at} (${back})`;
}
