/**
 * A place in a program or library, by a symbol of it:
 *
 *     /usr/bin/bash:readline   /lib/x86_64-linux-gnu/libc.so.6:malloc+0x10   .../libc.so.6:memcpy@GLIBC_2.14
 *
 * The kernel takes offsets in the file alone. They come from the symbol's address by the program header that loads it.
 */
import { DataError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import type { ElfNames, NamedSymbol } from '../formats/elf-names.ts';
import { codeOffset, type Program, readProgram } from '../formats/elf-program.ts';
import { prepareNearNames } from '../symbols/near-names.ts';
import type { Kernel } from './kernel.ts';

export interface ProgramPlace {
  /** Bytes from the start of the file. */
  readonly offset: bigint;
  /** The symbol's name, without its version. */
  readonly name: string;
  /** Bytes behind the symbol. */
  readonly within: number;
}

const SYMBOL = /^(?<name>[^\s+@]+?)(?:@@?(?<version>[\w.]+))?(?:\+(?<within>0x[0-9a-f]{1,8}|\d{1,9}))?$/i;
const SHOWN_MAX = 5;
const BY_OFFSET =
  'an offset in the file needs no symbols: "nm -D FILE" lists addresses, "readelf -lW FILE" what to subtract from them';
const STRIPPED =
  'an offset in the file is probed without a name: debug symbols of the same build tell addresses, "readelf -lW FILE" what to subtract';

/** Where `text` (SYMBOL, SYMBOL@VERSION, with +OFFSET) is in the file. Throws UsageError, UnsupportedError. */
export function programPlace(kernel: Kernel, path: string, text: string): ProgramPlace {
  const refuse = (message: string, hint: string): never => {
    throw new UsageError(message, { source: `${path}:${text}`, column: path.length + 1, hint });
  };
  const { name, version, within } = SYMBOL.exec(text)?.groups ?? {};
  if (name === undefined) {
    return refuse(`"${text}" is no place in a program`, '/PATH:SYMBOL, SYMBOL+OFFSET, or an offset in the file');
  }
  const program = programAt(kernel, path);
  const found = named(program, name);
  const defined = found.filter(({ kind }) => kind !== 'imported');
  if (defined.length === 0) {
    const [message, hint] = found.length > 0 ? imported(path, program, name) : unknown(path, program, name);
    return refuse(message, hint);
  }
  const chosen = version === undefined ? defined : defined.filter((each) => each.version === version);
  const [symbol] = chosen;
  if (symbol === undefined || new Set(chosen.map(({ address }) => address)).size > 1) {
    const all = [...new Set(defined.map(shownName))];
    const what = symbol === undefined ? `has no ${name}@${version}` : `has ${chosen.length} symbols named ${name}`;
    const hasVersions = defined.every((each) => each.version !== undefined);
    return refuse(
      `${path} ${what}: ${all.slice(0, SHOWN_MAX).join(', ')}${all.length > SHOWN_MAX ? ` and ${all.length - SHOWN_MAX} more` : ''}`,
      hasVersions ? 'SYMBOL@VERSION says which; what is linked today uses the one with @@' : BY_OFFSET,
    );
  }
  const start = codeOffset(program, symbol.address);
  if (symbol.kind !== 'code' || start === undefined) return refuse(...noFunction(path, symbol));
  const bytes = Number(within ?? 0);
  if (symbol.size > 0 && bytes >= symbol.size) {
    return refuse(`${name} is ${symbol.size} bytes long`, '"objdump -d FILE" shows where instructions begin');
  }
  return { offset: start + BigInt(bytes), name, within: bytes };
}

/** Functions of a program whose names begin so, so many at most, without those that cannot be probed. */
export function programFunctions(kernel: Kernel, path: string, start: string, most: number): readonly string[] {
  const program = programAt(kernel, path);
  const names = new Set<string>();
  for (const table of [program.dynamic, program.all()]) {
    for (const symbol of table?.startingWith(start) ?? []) {
      if (names.size >= most) return [...names];
      if (symbol.kind === 'code' && codeOffset(program, symbol.address) !== undefined) names.add(symbol.name);
    }
  }
  return [...names];
}

/** Read anew for each command: the file may be replaced. */
function programAt(kernel: Kernel, path: string): Program {
  const { programs, name } = kernel.backend;
  if (programs === undefined) {
    throw new UnsupportedError(`${name} has no programs: symbols of ${path} cannot be read`, BY_OFFSET);
  }
  return kernel.memo(`program ${path}`, 'command', () => {
    try {
      return readProgram((ranges) => {
        const result = programs.read(path, ranges);
        if (result.ok) return result.bytes;
        const { reason, detail } = result.failure;
        const hint = reason === 'absent' ? 'the path is one on the target' : `a program is an ELF file; ${BY_OFFSET}`;
        throw new UsageError(`${path}: ${detail}`, reason === 'not-recorded' ? {} : { hint });
      });
    } catch (error) {
      throw error instanceof DataError ? new UsageError(`${path}: ${error.message}`, { hint: BY_OFFSET }) : error;
    }
  });
}

/** What it offers goes before what only it knows. */
function named(program: Program, name: string): readonly NamedSymbol[] {
  const offered = program.dynamic?.named(name) ?? [];
  if (offered.some(({ kind }) => kind !== 'imported')) return offered;
  const own = program.all()?.named(name) ?? [];
  return [...offered, ...own];
}

function shownName({ name, version, isDefault, address }: NamedSymbol): string {
  return version === undefined ? `${name} at 0x${address.toString(16)}` : `${name}${isDefault ? '@@' : '@'}${version}`;
}

function imported(path: string, { needed }: Program, name: string): readonly [string, string] {
  const from = needed.length === 0 ? '' : `: ${needed.join(', ')}`;
  return [
    `${path} only calls ${name}, which is in a library of its${from}`,
    `probe it there: "ldd ${path}" says where they are`,
  ];
}

function unknown(path: string, program: Program, name: string): readonly [string, string] {
  const all = program.all();
  if (program.dynamic === undefined && all === undefined) return [`${path} has no symbols: it is stripped`, STRIPPED];
  const near = [program.dynamic, all].flatMap((table) => nearNames(table, name));
  const { message } = new NotFoundError('symbol', name, [...new Set(near)], `in ${path}`);
  if (all !== undefined) return [message, 'a small function may be inlined in all that call it: probe one of those'];
  return [message, `it is stripped of all names but those that it offers to others; ${STRIPPED}`];
}

function nearNames(table: ElfNames | undefined, name: string): readonly string[] {
  if (table === undefined) return [];
  const columns = table.columns();
  return prepareNearNames(
    columns,
    Uint32Array.from({ length: columns.count }, (_, i) => i),
  )(name, SHOWN_MAX);
}

function noFunction(path: string, { name, kind }: NamedSymbol): readonly [string, string] {
  switch (kind) {
    case 'indirect':
      return [
        `${name} of ${path} has no code of its own: when the file is loaded, one of several functions is chosen for this CPU (IFUNC)`,
        `probe the chosen one by its offset (gdb's "disassemble ${name}" in a process shows it), or a function that calls it`,
      ];
    case 'thread-local':
    case 'data':
      return [`${name} of ${path} is data, not a function`, '"nm -D FILE" marks functions with T or W'];
    default:
      return [`${name} of ${path} is not within code that is loaded from the file`, BY_OFFSET];
  }
}
