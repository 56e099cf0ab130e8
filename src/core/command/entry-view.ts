/**
 * Entries of a container as `list` and `tree` show them: the address of each structure, and with -s the structure or
 * the members asked for.
 */
import { formatAddress } from '../memory/address.ts';
import { type Item, type Row, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { formatMember, formatStruct } from '../types/format-value.ts';
import { sizeOf } from '../types/type.ts';
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

/** Brings many entries' structures in with one request, before their members are read one by one. */
export function prefetchEntries(scope: Scope, args: EntryArgs, addresses: readonly bigint[]): void {
  const length = Math.max(0, ...[...args.s, ...args.S].map(({ type }) => sizeOf(type)));
  if (length === 0) return;
  scope.kernel.memory.prefetch(addresses.map((address) => ({ space: 'virtual', address, length })));
}
