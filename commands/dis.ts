/**
 * Machine code as the kernel runs it: live text is shown as it is patched (ftrace, static keys, alternatives), which
 * differs from vmlinux.
 */

import type { Instruction, Symbolise } from '../src/core/arch/x86_64/disassemble.ts';
import { defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { addressesIn } from '../src/core/command/pipe.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { address } from '../src/core/command/target-kinds.ts';
import { userMemory } from '../src/core/command/user.ts';
import { chosenRadix, type RadixFlags } from '../src/core/command/value-view.ts';
import { FaultError, NotFoundError, UsageError } from '../src/core/errors.ts';
import { formatHex } from '../src/core/memory/address.ts';
import { Fault } from '../src/core/memory/fault.ts';
import { type Item, row } from '../src/core/output/item.ts';
import { type Line, type Span, span } from '../src/core/output/line.ts';
import { formatSymbol, isTextType, type KernelSymbol } from '../src/core/symbols/symbol-table.ts';

/** An x86 instruction has at most 15 bytes. */
const INSTRUCTION_MAX = 15;
/** The last function before a gap has no known end; no function of a kernel is longer. */
const FUNCTION_MAX = 1024 * 1024;

export default defineCommand({
  name: 'dis',
  group: 'symbols',
  summary: 'disassemble a function or the code at an address',
  description: [
    'The name of a function disassembles all of it, an address one instruction, with COUNT so many. Targets of calls and jumps and the variables that an instruction names stand beside it.',
    'On a live kernel the code is shown as it runs now: ftrace, jump labels and alternatives patch it, so it differs from a vmlinux on disk.',
  ],
  needs: ['memory', 'symbols'],
  input: 'address',
  options: {
    r: flag('from the start of the function to ADDRESS'),
    f: flag('from ADDRESS to the end of the function'),
    u: flag("a user address of the context's task"),
    b: option(count, 'BYTES', 'bytes of data that follow each ud2 in this kernel'),
    i: flag('Intel syntax'),
    B: flag('show the bytes of each instruction'),
    x: flag('offsets in hex'),
    d: flag('offsets in decimal'),
  },
  operands: {
    target: maybe(address, 'SYMBOL|ADDRESS', 'a function, an address, any expression'),
    count: maybe(count, 'COUNT', 'how many instructions'),
  },
  examples: [
    { line: 'dis schedule 4', shows: 'the first instructions of a function' },
    { line: 'dis -r (schedule+0x20)', shows: 'from its start to an address: how it came there' },
    { line: 'dis -f (schedule+0x5) 5', shows: 'from there on' },
    { line: 'dis -i schedule 4', shows: 'in Intel syntax' },
  ],
  *run(scope, args) {
    const targets = args.target === undefined ? piped(scope) : [args.target];
    for (const target of targets) {
      for (const instruction of disassemble(scope, args, target)) yield instructionItem(scope, args, instruction);
    }
  },
});

interface DisArgs extends RadixFlags {
  readonly r: boolean;
  readonly f: boolean;
  readonly u: boolean;
  readonly b: number | undefined;
  readonly i: boolean;
  readonly B: boolean;
  readonly count: number | undefined;
}

function piped(scope: Scope): Iterable<bigint> {
  if (scope.input === undefined) throw new UsageError('dis wants a SYMBOL or an ADDRESS');
  return addressesIn(scope.input);
}

function* disassemble(scope: Scope, args: DisArgs, target: bigint): Iterable<Instruction> {
  const symbol = args.u ? undefined : functionAt(scope, target);
  const whole = symbol?.address === target && !args.r && !args.f && args.count === undefined;
  const range = rangeOf(args, target, symbol, whole);
  const options = {
    symbolise: symboliser(scope),
    syntax: args.i ? ('intel' as const) : scope.settings.syntax,
    ...(args.b === undefined ? {} : { bytesAfterUd2: args.b }),
  };
  const limit = whole || args.r || (args.f && args.count === undefined) ? undefined : (args.count ?? 1);
  const bytes = readCode(scope, args, range.start, Number(range.end - range.start));
  const instructions = scope.shell.disassembler().decode(bytes, range.start, {
    ...options,
    ...(limit === undefined ? {} : { limit }),
  });
  yield* whole || args.f
    ? withoutPadding(instructions)
    : args.r
      ? upTo(instructions, target, args.count)
      : instructions;
}

function rangeOf(
  args: DisArgs,
  target: bigint,
  symbol: KernelSymbol | undefined,
  whole: boolean,
): { readonly start: bigint; readonly end: bigint } {
  if (!whole && !args.r && !args.f) return { start: target, end: target + BigInt((args.count ?? 1) * INSTRUCTION_MAX) };
  if (symbol === undefined)
    throw new NotFoundError('symbol', formatHex(target), [], 'at that address: no function is there');
  const end = symbol.address + BigInt(Math.min(symbol.size ?? FUNCTION_MAX, FUNCTION_MAX));
  if (args.r) return { start: symbol.address, end: target + BigInt(INSTRUCTION_MAX) };
  return { start: args.f ? target : symbol.address, end };
}

/** The function that an address is in; undefined outside of known code. */
function functionAt(scope: Scope, target: bigint): KernelSymbol | undefined {
  const found = scope.kernel.symbols.nearest(target);
  return found !== undefined && (isTextType(found.symbol.type) || scope.kernel.symbols.isText(target))
    ? found.symbol
    : undefined;
}

/** What can be read of the code; a fault at once is an error, a later one ends the listing. */
function readCode(scope: Scope, args: DisArgs, start: bigint, length: number): Uint8Array {
  const memory = args.u ? userMemory(scope) : scope.kernel.memory;
  const bytes = memory.tryRead(start, length, 'code');
  if (!(bytes instanceof Fault)) return bytes;
  const toPageEnd = 4096 - Number(start & 0xfffn);
  const part = memory.tryRead(start, Math.min(toPageEnd, length), 'code');
  if (part instanceof Fault) throw new FaultError(bytes);
  return part;
}

/** `-r`: the instructions up to the one at the target; COUNT keeps the last ones. */
function upTo(instructions: readonly Instruction[], target: bigint, last: number | undefined): readonly Instruction[] {
  const shown = instructions.filter((instruction) => instruction.address <= target);
  return last === undefined ? shown : shown.slice(-last);
}

/** Without the filling between this function and the next. */
function withoutPadding(instructions: readonly Instruction[]): readonly Instruction[] {
  let end = instructions.length;
  while (end > 1 && instructions[end - 1]?.isPadding === true) end--;
  return instructions.slice(0, end);
}

function symboliser(scope: Scope): Symbolise {
  const radix = offsetRadix(scope.settings);
  return (at) => {
    const found = scope.kernel.symbols.nearest(at);
    if (found === undefined) return undefined;
    const { symbol, offset } = found;
    if (symbol.size !== undefined && offset >= symbol.size && offset > 0) return undefined;
    return formatSymbol(symbol, offset, radix);
  };
}

function instructionItem(scope: Scope, args: DisArgs, instruction: Instruction): Item {
  const found = args.u ? undefined : scope.kernel.symbols.nearest(instruction.address);
  const bytes = [...instruction.bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(' ');
  const data = {
    address: instruction.address,
    symbol: found?.symbol.name ?? null,
    offset: found?.offset ?? null,
    bytes,
    text: instruction.text,
  };
  return row(data, () => [instructionLine(scope, args, instruction, found, bytes)]);
}

function instructionLine(
  scope: Scope,
  args: DisArgs,
  instruction: Instruction,
  found: { readonly symbol: KernelSymbol; readonly offset: number } | undefined,
  bytes: string,
): Line {
  const radix = chosenRadix(args, offsetRadix(scope.settings));
  const where: readonly Span[] =
    found === undefined
      ? []
      : [
          ' <',
          span(
            formatSymbol(found.symbol, found.offset, radix),
            { kind: 'symbol', name: found.symbol.name, address: found.symbol.address },
            'symbol',
          ),
          '>',
        ];
  const { target } = instruction;
  const text: Span =
    target === undefined ? instruction.text : span(instruction.text, { kind: 'address', address: target.address });
  return [
    span(formatHex(instruction.address), { kind: 'address', address: instruction.address }, 'address'),
    ...where,
    ':\t',
    ...(args.B ? [`${bytes.padEnd(30)} `] : []),
    text,
  ];
}
