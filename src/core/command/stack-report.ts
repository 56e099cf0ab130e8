/**
 * What is on a stack besides its frames: `bt -t`, `-T`, `-e`, `-E`, `-r`, `-v`.
 */
import { type ExceptionFrame, searchExceptionFrames } from '../arch/x86_64/exception-frame.ts';
import type { Stack, StackImage } from '../arch/x86_64/stacks.ts';
import { cpus } from '../kernel/cpu.ts';
import { checkStacks } from '../kernel/stack-check.ts';
import { cpuStacks } from '../kernel/stack-cpu.ts';
import { exceptionFramesOn, type TextWord, textOnStack } from '../kernel/stack-words.ts';
import { structOf, type TaskSummary } from '../kernel/task-summary.ts';
import { formatAddress } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { hexdumpLines } from '../output/hexdump.ts';
import { type Cell, type Item, notice, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { formatSymbol } from '../symbols/symbol-table.ts';
import { registerCells, registerLines } from './register-view.ts';
import type { Scope } from './scope.ts';
import { functionName, type StackViewOptions } from './stack-view.ts';
import type { ShownStack } from './task-stacks.ts';
import { taskCells, taskHeading } from './task-view.ts';
import { symbolise } from './value-view.ts';

type View = Pick<StackViewOptions, 'offsets' | 'radix'>;

/** `-t`, `-T`: the words that point into text, from the innermost frame up or on all of the stack. */
export function textItem(scope: Scope, shown: ShownStack, heading: readonly Line[], all: boolean, view: View): Item {
  const words = shown.unwound === undefined ? [] : textOnStack(scope.kernel, shown.unwound, { all });
  const data = {
    ...taskCells(shown.task),
    words: words.map(({ address, value, symbol, offset }) => ({
      address,
      value,
      symbol: symbol.name,
      offset,
      module: symbol.module ?? null,
    })),
    ...refusal(shown),
  };
  return row(data, () => {
    const [start] = shown.frames;
    const begin =
      start?.pc === undefined || all
        ? []
        : [`     START: ${start.symbol ?? '(no symbol)'} at ${start.pc.toString(16)}`];
    return [...heading, ...begin, ...words.map((word) => textLine(word, view)), ...refusalLines(shown)];
  });
}

function textLine({ address, value, symbol, offset }: TextWord, view: View): Line {
  const name = view.offsets ? formatSymbol({ ...symbol, module: undefined }, offset, view.radix) : symbol.name;
  return [
    '  [',
    span(formatAddress(address), { kind: 'address', address }, 'address'),
    '] ',
    span(name, { kind: 'symbol', name: symbol.name, address: symbol.address }, 'symbol'),
    ' at ',
    span(value.toString(16), { kind: 'address', address: value }, 'address'),
    ...(symbol.module === undefined ? [] : [` [${symbol.module}]`]),
  ];
}

/** `-e`: what looks like saved registers. */
export function exceptionItem(scope: Scope, shown: ShownStack, heading: readonly Line[], view: View): Item {
  const found = shown.unwound === undefined ? [] : exceptionFramesOn(scope.kernel, shown.unwound);
  const data = { ...taskCells(shown.task), exceptions: found.map(exceptionCells), ...refusal(shown) };
  return row(data, () => [
    ...heading,
    ...found.flatMap((frame) => ['', ...exceptionLines(scope, frame, view)]),
    ...(found.length === 0 && shown.refused === undefined ? ['    (no exception frames)'] : []),
    ...refusalLines(shown),
  ]);
}

/** `-E`: the same on the interrupt and exception stacks of CPUs. */
export function* cpuExceptions(scope: Scope, chosen: readonly number[] | undefined, view: View): Iterable<Item> {
  const { kernel } = scope;
  for (const cpu of chosen ?? cpus(kernel, 'online')) {
    for (const stack of cpuStacks(kernel, cpu)) {
      scope.check();
      if (stack.kind === 'entry') continue;
      const image = readImage(scope, stack);
      if (image instanceof Fault) {
        yield notice(image.message);
        continue;
      }
      const found = searchExceptionFrames(image, (address) => kernel.symbols.isText(address));
      const data = { cpu, stack: stack.name, address: stack.start, exceptions: found.map(exceptionCells) };
      yield row(data, () => [
        `CPU ${cpu} ${stack.name}${stack.kind === 'irq' ? '' : ' EXCEPTION'} STACK:${found.length === 0 ? ' (no exception frames)' : ''}`,
        ...found.flatMap((frame) => exceptionLines(scope, frame, view)),
      ]);
    }
  }
}

function readImage(scope: Scope, stack: Stack): StackImage | Fault {
  const bytes = scope.kernel.memory.tryRead(stack.start, Number(stack.end - stack.start), `${stack.name} stack`);
  return bytes instanceof Fault ? bytes : { stack, address: stack.start, bytes };
}

function exceptionCells(frame: ExceptionFrame): Cell {
  return { address: frame.address, mode: frame.mode, registers: registerCells(frame) };
}

function exceptionLines(scope: Scope, frame: ExceptionFrame, view: View): readonly Line[] {
  const where = frame.mode === 'kernel' ? [`    [exception RIP: ${nameOf(scope, frame.registers.ip, view)}]`] : [];
  return [
    [
      `${frame.mode === 'kernel' ? 'KERNEL' : 'USER'}-MODE EXCEPTION FRAME AT: `,
      span(
        formatAddress(frame.address),
        { kind: 'address', address: frame.address, type: 'struct pt_regs' },
        'address',
      ),
    ],
    ...where,
    ...registerLines(frame),
  ];
}

function nameOf(scope: Scope, pc: bigint, view: View): string {
  const found = scope.kernel.symbols.nearest(pc);
  return functionName({ symbol: found?.symbol.name, offset: found?.offset ?? 0 }, true, view.radix);
}

/** `-r`: the stack as it is, words that are addresses of symbols named. */
export function rawItem(scope: Scope, shown: ShownStack, heading: readonly Line[]): Item {
  const image = shown.unwound?.image;
  const name = symbolise(scope);
  const data = { ...taskCells(shown.task), address: image?.address ?? null, words: wordsOf(image), ...refusal(shown) };
  return row(data, () => [
    ...heading,
    ...(image === undefined
      ? []
      : hexdumpLines({
          bytes: image.bytes,
          address: image.address,
          unit: 8,
          ascii: false,
          name(word) {
            const found = name(word);
            return found && { text: found.text, ref: { kind: 'symbol', name: found.name, address: found.address } };
          },
        })),
    ...refusalLines(shown),
  ]);
}

function wordsOf(image: StackImage | undefined): readonly bigint[] {
  if (image === undefined) return [];
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  return Array.from({ length: Math.floor(image.bytes.length / 8) }, (_, i) => view.getBigUint64(8 * i, true));
}

/** `-v`: the tasks whose stacks show signs of an overflow. */
export function* suspectItems(scope: Scope, tasks: readonly TaskSummary[]): Iterable<Item> {
  const { kernel } = scope;
  const addresses = tasks.map((task) => structOf(kernel, task).address);
  let suspects = 0;
  let at = 0;
  for (const problem of checkStacks(kernel, addresses)) {
    scope.check();
    const task = tasks[at++] as TaskSummary;
    if (problem === undefined) continue;
    const gap = suspects++ === 0 ? [] : [''];
    yield row({ ...taskCells(task), problem }, () => [
      ...gap,
      taskHeading(task),
      ['    ', span(problem, undefined, 'error')],
    ]);
  }
  if (suspects === 0) yield notice(`${tasks.length} stacks were checked: none shows an overflow`);
}

/** Why a stack has nothing to show, as cells. */
export function refusal(shown: ShownStack): { readonly refused?: string; readonly note?: string } {
  return {
    ...(shown.refused === undefined ? {} : { refused: shown.refused }),
    ...(shown.note === undefined ? {} : { note: shown.note }),
  };
}

function refusalLines(shown: ShownStack): readonly Line[] {
  return shown.refused === undefined ? [] : [[span(`    (${shown.refused})`, undefined, 'warn')]];
}
