/**
 * Machine code as the kernel runs it: live text is shown as it is patched (ftrace, static keys, alternatives), which
 * differs from vmlinux.
 */

import type { Instruction } from '../src/core/arch/x86_64/disassemble.ts';
import {
  type CodeSource,
  disassembleCount,
  disassembleFrom,
  disassembleFunction,
  disassembleUntil,
  instructionAround,
} from '../src/core/arch/x86_64/disassemble-function.ts';
import { defineCommand, flag, maybe, option } from '../src/core/command/define.ts';
import { count } from '../src/core/command/kinds.ts';
import { addressesIn } from '../src/core/command/pipe.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { offsetRadix } from '../src/core/command/settings.ts';
import { address } from '../src/core/command/target-kinds.ts';
import { userMemory } from '../src/core/command/user.ts';
import { chosenRadix, type RadixFlags } from '../src/core/command/value-view.ts';
import { UsageError } from '../src/core/errors.ts';
import { formatHex } from '../src/core/memory/address.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, type Span, span } from '../src/core/output/line.ts';
import { formatSymbol, isTextType, type KernelSymbol } from '../src/core/symbols/symbol-table.ts';

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
    l: flag('line numbers (none without debug information)'),
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
    if (args.r && args.f) throw new UsageError('-r and -f exclude each other');
    if (args.l) yield notice('no line numbers: BTF has none');
    const targets = args.target === undefined ? piped(scope) : [args.target];
    for (const target of targets) {
      yield* warnOfMiddle(scope, args, target);
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

/** x86 code decodes from any byte on; only from an instruction's first does it mean what the CPU runs. */
function* warnOfMiddle(scope: Scope, args: DisArgs, target: bigint): Iterable<Item> {
  if (args.u || args.r) return;
  const around = instructionAround(codeSource(scope, scope.kernel.memory), target);
  if (around === undefined) return;
  const at = formatHex(around.address);
  yield notice(`${formatHex(target)} is in the middle of the instruction at ${at}; dis -r shows the way there`);
}

function codeSource({ kernel, shell }: Scope, memory: CodeSource['memory']): CodeSource {
  return { disassembler: shell.disassembler(), symbols: kernel.symbols, memory };
}

function disassemble(scope: Scope, args: DisArgs, target: bigint): readonly Instruction[] {
  const { kernel, settings } = scope;
  const source = codeSource(scope, args.u ? userMemory(scope) : kernel.memory);
  const options = {
    syntax: args.i ? ('intel' as const) : settings.syntax,
    radix: chosenRadix(args, offsetRadix(settings)),
    ...(args.b === undefined ? {} : { bytesAfterUd2: args.b }),
    ...(args.count === undefined ? {} : { count: args.count }),
  };
  if (args.r) return disassembleUntil(source, target, options);
  if (args.f) return disassembleFrom(source, target, options);
  const starting = args.u || args.count !== undefined ? undefined : kernel.symbols.nearest(target);
  const isFunction = starting?.offset === 0 && isTextType(starting.symbol.type);
  if (isFunction) return disassembleFunction(source, starting.symbol, options);
  return disassembleCount(source, target, args.count ?? 1, options);
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
