/**
 * Memory as words, text, symbols.
 */
import { counted, defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { word } from '../src/core/command/kinds.ts';
import { addressesIn } from '../src/core/command/pipe.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { address, integer } from '../src/core/command/target-kinds.ts';
import { userMemory } from '../src/core/command/user.ts';
import { symbolise } from '../src/core/command/value-view.ts';
import { FaultError, UsageError } from '../src/core/errors.ts';
import { formatAddress, PAGE_SIZE } from '../src/core/memory/address.ts';
import { Fault } from '../src/core/memory/fault.ts';
import { asciiOf, hexdumpLines, type WordSize } from '../src/core/output/hexdump.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import type { Line } from '../src/core/output/line.ts';

/** Read and shown at a time: rows stream, and a fault loses no more than what follows it. */
const CHUNK = PAGE_SIZE;
/** A text without a COUNT is given up after so many bytes without a NUL. */
const TEXT_MAX = 64 * 1024;
const BYTES_MAX = 256 * 1024 * 1024;

export default defineCommand({
  name: 'rd',
  group: 'memory',
  summary: 'read memory and show it as words, text or symbols',
  description: [
    "ADDRESS is a kernel virtual address unless -p or -u says otherwise. COUNT is a number of words (of strings' characters with -a); one word unless given, to the end with -e.",
    'A range that cannot be read to its end is shown up to there, and the fault says where and why it ends.',
  ],
  needs: ['memory'],
  input: 'address',
  options: {
    p: flag('a physical address'),
    u: flag("a user address of the context's task"),
    d: flag('signed decimal'),
    D: flag('unsigned decimal'),
    x: flag('without the column of text'),
    s: flag('words that are kernel addresses as symbols'),
    S: counted('as -s'),
    '8': flag('bytes'),
    '16': flag('16-bit words'),
    '32': flag('32-bit words'),
    '64': flag('64-bit words'),
    a: flag('text; up to a NUL unless COUNT is given'),
    N: flag('in network byte order'),
    R: flag('backwards: ADDRESS is the last word shown'),
    o: option(integer, 'OFFSET', 'added to ADDRESS'),
    e: option(address, 'END', 'up to this address'),
    r: option(word, 'FILE', 'write the raw bytes to this file of your machine instead'),
  },
  operands: {
    start: maybe(address, 'ADDRESS', 'an address, a symbol, any expression'),
    count: maybe(integer, 'COUNT', 'how many words'),
  },
  examples: [
    { line: 'rd -a linux_banner', shows: 'a string' },
    { line: 'rd init_task 8', shows: 'eight words' },
    { line: 'rd -32 jiffies 2', shows: '32-bit words' },
    { line: 'rd -s sys_call_table 4', shows: 'pointers as symbols' },
  ],
  *run(scope, args) {
    const starts = args.start === undefined ? piped(scope) : [args.start];
    for (const start of starts) yield* dump(scope, args, start);
  },
});

interface RdArgs {
  readonly p: boolean;
  readonly u: boolean;
  readonly d: boolean;
  readonly D: boolean;
  readonly x: boolean;
  readonly s: boolean;
  readonly S: number;
  readonly '8': boolean;
  readonly '16': boolean;
  readonly '32': boolean;
  readonly a: boolean;
  readonly N: boolean;
  readonly R: boolean;
  readonly o: bigint | undefined;
  readonly e: bigint | undefined;
  readonly r: string | undefined;
  readonly count: bigint | undefined;
}

function piped(scope: Scope): Iterable<bigint> {
  if (scope.input === undefined) throw new UsageError('rd wants an ADDRESS');
  return addressesIn(scope.input);
}

function* dump(scope: Scope, args: RdArgs, base: bigint): Iterable<Item> {
  const unit: WordSize = args['8'] || args.a ? 1 : args['16'] ? 2 : args['32'] ? 4 : 8;
  let start = base + (args.o ?? 0n);
  if (args.e !== undefined && args.e <= start) throw new UsageError('-e END is not above ADDRESS');
  const length = lengthOf(args, start, unit);
  if (args.R) start -= BigInt(length - unit);
  if (args.r !== undefined) {
    const bytes = readBytes(scope, args, start, length);
    if (bytes instanceof Fault) throw new FaultError(bytes);
    scope.shell.writeFile(args.r, bytes);
    yield row({ file: args.r, bytes: length, address: start }, () => [
      `${length} bytes copied from ${formatAddress(start)} to ${args.r}`,
    ]);
    return;
  }
  const isText = args.a && args.count === undefined && args.e === undefined;
  for (let done = 0; done < length; ) {
    scope.check();
    const at = start + BigInt(done);
    const { bytes, fault } = readable(scope, args, at, Math.min(CHUNK, length - done), unit);
    const nul = isText ? bytes.indexOf(0) : -1;
    const shown = nul < 0 ? bytes : bytes.subarray(0, nul);
    if (shown.length > 0) yield chunk(scope, args, at, shown, unit);
    if (nul >= 0) return;
    if (fault !== undefined) throw new FaultError(fault);
    done += bytes.length;
  }
  if (isText) yield notice(`no NUL in ${length} bytes: COUNT shows more`);
}

/** What can be read of a range, in whole words, and the fault that ends it. */
function readable(
  scope: Scope,
  args: RdArgs,
  at: bigint,
  length: number,
  unit: WordSize,
): { readonly bytes: Uint8Array; readonly fault?: Fault } {
  const bytes = readBytes(scope, args, at, length);
  if (!(bytes instanceof Fault)) return { bytes };
  const toPageEnd = PAGE_SIZE - Number(at & BigInt(PAGE_SIZE - 1));
  const whole = toPageEnd - (toPageEnd % unit);
  const part = whole > 0 && whole < length ? readBytes(scope, args, at, whole) : bytes;
  if (part instanceof Fault) return { bytes: new Uint8Array(0), fault: part };
  return { bytes: part, fault: bytes };
}

function lengthOf(args: RdArgs, start: bigint, unit: WordSize): number {
  if (args.e !== undefined) return bounded(args.e - start);
  if (args.count !== undefined) return bounded(args.count * BigInt(unit));
  return args.a ? TEXT_MAX : unit;
}

function bounded(length: bigint): number {
  if (length <= 0n || length > BigInt(BYTES_MAX)) throw new UsageError(`${length} bytes are not to be shown`);
  return Number(length);
}

function readBytes(scope: Scope, args: RdArgs, at: bigint, length: number): Uint8Array | Fault {
  if (args.u) return userMemory(scope).tryRead(at, length, 'user memory');
  return scope.kernel.memory.tryRead(at, length, 'memory', args.p ? 'physical' : 'virtual');
}

function chunk(scope: Scope, args: RdArgs, at: bigint, bytes: Uint8Array, unit: WordSize): Item {
  const text = asciiOf(bytes);
  if (args.a) return row({ address: at, text }, () => textLines(at, text));
  const symbols = args.s || args.S > 0 ? symbolise(scope) : undefined;
  const words = wordsOf(bytes, unit, args.N);
  return row({ address: at, words, ascii: text }, () =>
    hexdumpLines({
      bytes,
      address: at,
      unit,
      swap: args.N,
      ascii: !args.x && symbols === undefined,
      ...(args.d ? { base: 'signed' } : args.D ? { base: 'unsigned' } : {}),
      ...(symbols === undefined ? {} : { name: (word) => nameWord(word, symbols) }),
    }),
  );
}

function nameWord(word: bigint, symbols: ReturnType<typeof symbolise>) {
  const found = symbols(word);
  return found && { text: found.text, ref: { kind: 'symbol', name: found.name, address: found.address } as const };
}

/** Little-endian words as bigints of their size: JSON shows them as hex. */
function wordsOf(bytes: Uint8Array, unit: WordSize, swap: boolean): readonly bigint[] {
  const words: bigint[] = [];
  for (let at = 0; at + unit <= bytes.length; at += unit) {
    let value = 0n;
    for (let i = 0; i < unit; i++) value = (value << 8n) | BigInt(bytes[at + (swap ? i : unit - 1 - i)] as number);
    words.push(value);
  }
  return words;
}

/** Sixty characters a line, as crash. */
function textLines(at: bigint, text: string): readonly Line[] {
  const lines: string[] = [];
  for (let i = 0; i < text.length; i += 60) lines.push(`${formatAddress(at + BigInt(i))}:  ${text.slice(i, i + 60)}`);
  return lines;
}
