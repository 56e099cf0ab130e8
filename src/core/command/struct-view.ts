/**
 * What `struct`, `union` and `*` do: the definition of a type, with offsets, or what is at an address seen as one.
 * The three are one command by three names.
 */
import { FaultError, UsageError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { hexdumpLines } from '../output/hexdump.ts';
import { type Item, type Row, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { definitionLines, formatDefinition, formatSize, memberDeclaration } from '../types/declaration.ts';
import type { EvaluatedAddress } from '../types/evaluate-address.ts';
import { formatMember, formatStruct } from '../types/format-value.ts';
import { getMember, walkMembers } from '../types/member-path.ts';
import { resolve, sizeOf } from '../types/type.ts';
import { typeName } from '../types/type-name.ts';
import { Value } from '../types/value.ts';
import { type Command, counted, defineCommand, flag, maybe, one, option } from './define.ts';
import { signedCount } from './kinds.ts';
import { addressesIn } from './pipe.ts';
import type { Scope } from './scope.ts';
import { offsetRadix } from './settings.ts';
import { addresses, offset, type TypeWithMembers, typeWithMembers } from './target-kinds.ts';
import { userMemory } from './user.ts';
import { chosenRadix, formatOptions, valueLines } from './value-view.ts';

const DESCRIPTION = [
  'Without an address the definition is shown as C, with the size; -o adds offsets. With an address the bytes there are shown as one. Members may be chosen: NAME.MEMBER, with several after commas, each a path like thread.sp or pids[1].',
  'For a per-CPU variable the CPUs stand behind a colon: struct rq.nr_running runqueues:0,2-3 or runqueues:a.',
  'struct and union take either kind of tag; the name alone ("task_struct" or "*task_struct") does the same.',
];

const OPTIONS = {
  o: flag('show the offset of each member; with an address, the address of each'),
  l: option(offset, 'OFFSET', 'the address is that of a member: struct.member or bytes to go back'),
  r: flag('dump the bytes of the structure'),
  p: counted('show what the pointer members point to as well'),
  u: flag("the address is a user address of the context's task"),
  x: flag('integers in hex'),
  d: flag('integers in decimal'),
  c: option(signedCount, 'COUNT', 'so many structures in a row; negative goes down'),
};

const OPERANDS = {
  what: one(typeWithMembers, 'NAME[.MEMBER[,MEMBER]]', 'the type, with members when not all of it is wanted'),
  at: maybe(
    addresses,
    'ADDRESS[:CPUS]',
    'where one is: an address, a symbol, any expression; CPUS for a per-CPU variable',
  ),
  count: maybe(signedCount, 'COUNT', 'so many in a row'),
};

interface StructArgs {
  readonly o: boolean;
  readonly l: number | undefined;
  readonly r: boolean;
  readonly p: number;
  readonly u: boolean;
  readonly x: boolean;
  readonly d: boolean;
  readonly c: number | undefined;
  readonly what: TypeWithMembers;
  readonly at: readonly EvaluatedAddress[] | undefined;
  readonly count: number | undefined;
}

/** One of the three: they take the same arguments and do the same. */
export function structCommand(own: Pick<Command, 'name' | 'summary' | 'examples'>): Command {
  return defineCommand({
    ...own,
    group: 'types',
    description: DESCRIPTION,
    needs: ['types'],
    input: 'address',
    options: OPTIONS,
    operands: OPERANDS,
    run: showStruct,
  });
}

/** More structures in one command are a mistake. */
const COUNT_MAX = 1_000_000;

function* showStruct(scope: Scope, args: StructArgs): Iterable<Item> {
  const { type } = args.what;
  const resolved = resolve(type);
  if (resolved.kind !== 'struct' && resolved.kind !== 'union') {
    throw new UsageError(`${typeName(type)} is not a struct or union`, { hint: 'whatis shows any type' });
  }
  const at = args.at ?? piped(scope, args);
  if (at === undefined) {
    yield definition(scope, args);
    return;
  }
  const count = args.c ?? args.count ?? 1;
  if (count === 0 || Math.abs(count) > COUNT_MAX) throw new UsageError(`${count} structures are not to be shown`);
  const step = BigInt(Math.sign(count) * sizeOf(type));
  let shown = 0;
  for (const { cpu, address } of at) {
    const start = address - BigInt(args.l ?? 0);
    for (let i = 0; i < Math.abs(count); i++) {
      scope.check();
      yield instance(scope, args, start + BigInt(i) * step, cpu, shown++);
    }
  }
}

/** Addresses that a typed pipe brings: `list ... | struct NAME`. */
function piped(scope: Scope, args: StructArgs): readonly EvaluatedAddress[] | undefined {
  if (scope.input === undefined) return undefined;
  if (args.at !== undefined) throw new UsageError('the addresses come from the pipe; none can be given as well');
  return [...addressesIn(scope.input)].map((address) => ({ cpu: undefined, address }));
}

function definition(scope: Scope, args: StructArgs): Item {
  const { type, members } = args.what;
  const radix = chosenRadix(args, offsetRadix(scope.settings));
  const size = sizeOf(type);
  if (members.length > 0) {
    const chosen = members.map((path) => getMember(type, path));
    const data = chosen.map((member) => ({ name: member.path, offset: member.offset, type: typeName(member.type) }));
    return row({ type: typeName(type), size, members: data }, () => [
      `${typeName(type)} {`,
      ...chosen.map((member) => {
        const name = member.path.slice(member.path.lastIndexOf('.') + 1);
        return `${`[${radix === 16 ? `0x${member.offset.toString(16)}` : member.offset}]`.padStart(8)} ${memberDeclaration({ name, type: member.type, bitSize: member.bitSize })}`;
      }),
      '}',
    ]);
  }
  const data = [...walkMembers(type)].map((member) => ({
    name: member.path,
    offset: member.offset,
    type: typeName(member.type),
    ...(member.bitSize === undefined ? {} : { bitOffset: member.bitOffset, bitSize: member.bitSize }),
  }));
  return row({ type: typeName(type), size, members: data }, () => [
    ...formatDefinition(type, definitionLines(type), args.o ? { radix } : undefined),
    formatSize(type, radix),
  ]);
}

function instance(scope: Scope, args: StructArgs, address: bigint, cpu: number | undefined, index: number): Item {
  const { type, members } = args.what;
  const memory = args.u ? userMemory(scope) : scope.kernel.memory;
  const value = Value.at(memory, type, address);
  // Of the only structure asked for nothing can be shown: that is a failure, and not a table with a bad cell.
  const readable = args.o || scope.input !== undefined ? value : value.readable();
  if (readable instanceof Fault && cpu === undefined && index === 0) throw new FaultError(readable);
  const data: Row = {
    type: typeName(type),
    address: BigInt.asUintN(64, address),
    ...(cpu === undefined ? {} : { cpu }),
    value: members.length === 0 ? value : Object.fromEntries(members.map((path) => [path, value.member(path)])),
  };
  return row(data, () => [
    ...(cpu === undefined ? (index > 0 ? [''] : []) : [cpuHeading(cpu, address)]),
    ...instanceLines(scope, args, value, address),
  ]);
}

function cpuHeading(cpu: number, address: bigint): Line {
  return [`[${cpu}]: `, span(formatAddress(address), { kind: 'address', address }, 'address')];
}

function instanceLines(scope: Scope, args: StructArgs, value: Value, address: bigint): readonly Line[] {
  const { type, members } = args.what;
  const options = formatOptions(scope, args);
  if (args.o) {
    const radix = chosenRadix(args, offsetRadix(scope.settings));
    if (members.length === 0) {
      return [...formatDefinition(type, definitionLines(type), { radix, address }), formatSize(type, radix)];
    }
    return members.map((path) => {
      const member = getMember(type, path);
      return `  [${formatAddress(address + BigInt(member.offset))}] ${memberDeclaration({ name: path, type: member.type, bitSize: member.bitSize })}`;
    });
  }
  if (args.r) {
    const bytes = value.bytes();
    return hexdumpLines({ bytes, address, unit: 8 });
  }
  if (members.length === 0) return valueLines(formatStruct(value, options));
  return members.flatMap((path) => {
    const member = value.member(path);
    const lines = valueLines(formatMember(path, member, options));
    return args.p > 0 ? [...lines, ...pointedAt(scope, args, member)] : lines;
  });
}

/** `-p`: what a pointer member points to, after an arrow. */
function pointedAt(scope: Scope, args: StructArgs, member: Value): readonly Line[] {
  const type = resolve(member.type);
  if (type.kind !== 'pointer') return [];
  const target = resolve(type.target);
  if (target.kind !== 'struct' && target.kind !== 'union') return [];
  if (member.toBigInt() === 0n) return ['  -> NULL'];
  const [first = [], ...rest] = valueLines(formatStruct(member.dereference(), formatOptions(scope, args)));
  return [
    ['  -> ', ...(typeof first === 'string' ? [first] : first)],
    ...rest.map((line) => ['  ', ...(typeof line === 'string' ? [line] : line)]),
  ];
}
