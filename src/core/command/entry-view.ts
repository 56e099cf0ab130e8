/**
 * Entries of a container as `list` and `tree` show them: the address of each structure, and with -s the structure or
 * the members asked for.
 */
import { formatAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { type Item, type Row, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { isStringPointer } from '../types/c-string.ts';
import { formatMember, formatStruct } from '../types/format-value.ts';
import { getMember } from '../types/member-path.ts';
import { type CType, resolve, sizeOf } from '../types/type.ts';
import { typeName } from '../types/type-name.ts';
import { Value } from '../types/value.ts';
import { flag, repeated } from './define.ts';
import type { Scope } from './scope.ts';
import { type TypeWithMembers, typeWithMembers } from './target-kinds.ts';
import { formatOptions, type RadixFlags, valueLines } from './value-view.ts';

export const ENTRY_OPTIONS = {
  s: repeated(typeWithMembers, 'NAME[.MEMBER[,MEMBER]]', 'show each entry as this structure, or these members of it'),
  S: repeated(
    typeWithMembers,
    'NAME[.MEMBER[,MEMBER]]',
    'the same (crash reads -S with less checking; here -s is as fast)',
  ),
  x: flag('integers in hex'),
  d: flag('integers in decimal'),
};

export interface EntryArgs extends RadixFlags {
  readonly s: readonly TypeWithMembers[];
  readonly S: readonly TypeWithMembers[];
}

/** The row of one entry. `extra` comes between the address and the members; `note` is a line of its own. */
export function entryItem(scope: Scope, args: EntryArgs, address: bigint, extra: Row = {}, note?: string): Item {
  const shown = [...args.s, ...args.S];
  const members: Record<string, Value> = {};
  for (const { type, members: paths } of shown) {
    const value = Value.at(scope.kernel.memory, type, address);
    if (paths.length === 0) members[typeName(type)] = value;
    for (const path of paths) members[path] = value.member(path);
  }
  return row({ address, ...extra, ...members }, () => lines(scope, args, address, shown, note));
}

function lines(
  scope: Scope,
  args: EntryArgs,
  address: bigint,
  shown: readonly TypeWithMembers[],
  note: string | undefined,
): readonly Line[] {
  const type = shown[0] === undefined ? undefined : typeName(shown[0].type);
  const heading: Line = [
    span(formatAddress(address), { kind: 'address', address, ...(type === undefined ? {} : { type }) }, 'address'),
  ];
  const options = formatOptions(scope, args);
  const members = shown.flatMap(({ type, members }) => {
    const value = Value.at(scope.kernel.memory, type, address);
    if (members.length === 0) return valueLines(formatStruct(value, options));
    return members.flatMap((path) => valueLines(formatMember(path, value.member(path), options)));
  });
  return [heading, ...(note === undefined ? [] : [note]), ...members];
}

/** The parts of an entry that are shown, relative to its address. */
interface Shown {
  readonly offset: number;
  readonly type: CType;
}

/** How many entries are brought in together: few at first, for who stops early. */
const BATCH_FIRST = 32;
const BATCH_MAX = 1024;
/** Bytes of a string that are likely enough to be all of it. */
const STRING_LENGTH = 64;
/** Bytes of structures that one batch brings in at most: a fraction of the page cache. */
const BATCH_BYTES_MAX = 8 * 1024 * 1024;

/**
 * The entries of a walk, some ahead of what is shown: their structures are scattered, and on a remote target each would
 * be a round trip. Where nothing is shown of them they pass one by one. What ends the walk comes after the entries
 * that were found before it; the generator returns what the walk returns.
 */
export function* entriesAhead<T, R>(
  scope: Scope,
  args: EntryArgs,
  walk: Iterator<T, R>,
  addressOf: (entry: T) => bigint | undefined,
): Generator<T, R> {
  const shown = shownParts(args);
  const bytes = shown.reduce((sum, { type }) => sum + sizeOf(type), 1);
  const most = Math.max(1, Math.min(BATCH_MAX, Math.floor(BATCH_BYTES_MAX / bytes)));
  let size = shown.length === 0 ? 1 : Math.min(BATCH_FIRST, most);
  for (;;) {
    const batch: T[] = [];
    let end: IteratorReturnResult<R> | undefined;
    let failure: { readonly error: unknown } | undefined;
    while (batch.length < size && end === undefined && failure === undefined) {
      try {
        scope.check();
        const next = walk.next();
        if (next.done === true) end = next;
        else batch.push(next.value);
      } catch (error) {
        failure = { error };
      }
    }
    if (batch.length > 1) prefetchParts(scope, shown, batch.map(addressOf));
    yield* batch;
    if (failure !== undefined) throw failure.error;
    if (end !== undefined) return end.value;
    size = Math.min(size * 8, shown.length === 0 ? 1 : most);
  }
}

/** Where in an entry the members of -s and -S are. */
function shownParts(args: EntryArgs): readonly Shown[] {
  return [...args.s, ...args.S].flatMap(({ type, members }): readonly Shown[] =>
    members.length === 0
      ? [{ offset: 0, type }]
      : members.map((path) => {
          const member = getMember(type, path);
          return { offset: member.offset, type: member.type };
        }),
  );
}

/** One request for what is shown, and one for the strings that char pointers among it lead to. */
function prefetchParts(scope: Scope, shown: readonly Shown[], addresses: readonly (bigint | undefined)[]): void {
  const { memory } = scope.kernel;
  const places = addresses.filter((address) => address !== undefined);
  const range = (address: bigint, length: number, what: string) =>
    ({ space: 'virtual', address: BigInt.asUintN(64, address), length, what }) as const;
  memory.prefetch(
    places.flatMap((place) =>
      shown.map(({ offset, type }) => range(place + BigInt(offset), Math.max(1, sizeOf(type)), typeName(type))),
    ),
  );
  const strings = shown
    .filter(({ type }) => isStringPointer(resolve(type)))
    .flatMap(({ offset }) => places.map((place) => memory.tryRead(place + BigInt(offset), 8, 'pointer')))
    .flatMap((bytes) => (bytes instanceof Fault ? [] : [new DataView(bytes.buffer, bytes.byteOffset, 8)]))
    .map((view) => view.getBigUint64(0, true))
    .filter((address) => address !== 0n);
  if (strings.length > 1) memory.prefetch(strings.map((address) => range(address, STRING_LENGTH, 'strings')));
}

/** From the entry's address on, the bytes that hold all that is shown of it. */
export function shownExtent(args: EntryArgs): { readonly offset: number; readonly length: number } | undefined {
  const parts = shownParts(args);
  if (parts.length === 0) return undefined;
  const offset = Math.min(...parts.map((part) => part.offset));
  return { offset, length: Math.max(...parts.map((part) => part.offset + sizeOf(part.type))) - offset };
}
