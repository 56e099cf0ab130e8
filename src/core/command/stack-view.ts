/**
 * Stacks as text in crash's layout, and as cells.
 *
 *      #0 [ffffb1d04f0cfb38] __schedule at ffffffffa1c0f3d1
 *      #1 [ffffb1d04f0cfbe0] nvme_reset_work at ffffffffc07b5e12 [nvme] (scan)
 *
 * In brackets is the stack slot that holds the return address. What follows in parentheses is how a frame was found,
 * when that was neither by ORC nor from saved registers; a `?` marks one that rests on a guess before it.
 */
import type { KnownRegisters } from '../arch/x86_64/registers.ts';
import type { Stack } from '../arch/x86_64/stacks.ts';
import type { StackWord } from '../kernel/stack-words.ts';
import { frameWords } from '../kernel/stack-words.ts';
import { formatAddress } from '../memory/address.ts';
import type { Cell } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import type { Symbolise } from '../types/printer.ts';
import { knownRegisterLines, registerCells, registerLines } from './register-view.ts';
import type { ShownFrame, ShownStack } from './task-stacks.ts';

export interface StackViewOptions {
  /** Offsets behind the names of functions. */
  readonly offsets: boolean;
  readonly radix: 10 | 16;
  /** The words of each frame. */
  readonly words: boolean;
  /** Names words that are addresses of symbols. */
  readonly symbolise: Symbolise | undefined;
  /** With the word itself behind its name. */
  readonly raw: boolean;
  /** What each frame's function held in its registers, in the order of the unwound frames, where that is wanted. */
  readonly registers?: readonly KnownRegisters[] | undefined;
}

/** Everything under a task's heading. */
export function stackLines(shown: ShownStack, options: StackViewOptions): readonly Line[] {
  const lines: Line[] = [];
  let stack: Stack | undefined;
  for (const frame of shown.frames) {
    const exception = frame.unwound?.exception;
    if (exception !== undefined) {
      lines.push([`    [exception RIP: ${functionName(frame, true, options.radix)}]`], ...registerLines(exception));
    }
    const here = frame.unwound?.stack;
    if (stack !== undefined && here !== stack && stack.kind !== 'task') lines.push(stackSwitch(stack));
    stack = here;
    lines.push(frameLine(shown, frame, options));
    const held = heldIn(shown, frame, options);
    if (held !== undefined) lines.push(...knownRegisterLines(held));
    if (options.words) lines.push(...wordLines(shown, frame, options));
  }
  if (shown.user !== undefined) lines.push(...registerLines(shown.user));
  for (const reason of [shown.refused, shown.note]) {
    if (reason !== undefined) lines.push([span(`    (${reason})`, undefined, 'warn')]);
  }
  return lines;
}

/** The frames as cells; the words of each with `words`. */
export function frameCells(shown: ShownStack, options: Pick<StackViewOptions, 'words' | 'registers'>): readonly Cell[] {
  return shown.frames.map((frame): Cell => {
    const exception = frame.unwound?.exception;
    const words = options.words ? wordsOf(shown, frame) : undefined;
    const held = heldIn(shown, frame, options);
    return {
      index: frame.index,
      sp: frame.sp ?? null,
      pc: frame.pc ?? null,
      symbol: frame.symbol ?? null,
      offset: frame.symbol === undefined ? null : frame.offset,
      module: frame.module ?? null,
      method: frame.method,
      ...(frame.reliable ? {} : { reliable: false }),
      ...(exception === undefined ? {} : { exception: exception.address, registers: registerCells(exception) }),
      ...(held === undefined ? {} : { held: { ...held } }),
      ...(words === undefined ? {} : { words: words.map(({ address, value }) => ({ address, value })) }),
    };
  });
}

/** The registers of a frame, where they are wanted; an exception's are shown with it. */
function heldIn(
  { unwound }: ShownStack,
  frame: ShownFrame,
  { registers }: Pick<StackViewOptions, 'registers'>,
): KnownRegisters | undefined {
  if (registers === undefined || frame.unwound === undefined || frame.unwound.exception !== undefined) return undefined;
  return registers[unwound?.frames.indexOf(frame.unwound) ?? -1];
}

/** `name`, or `name+0x40`. */
export function functionName(
  frame: Pick<ShownFrame, 'symbol' | 'offset'>,
  withOffset: boolean,
  radix: 10 | 16,
): string {
  if (frame.symbol === undefined) return '(no symbol)';
  return withOffset
    ? `${frame.symbol}+${radix === 16 ? `0x${frame.offset.toString(16)}` : frame.offset}`
    : frame.symbol;
}

function frameLine(shown: ShownStack, frame: ShownFrame, options: StackViewOptions): Line {
  const address = shown.task.task?.address;
  const index = `${frame.index < 10 ? ' ' : ''}#${frame.index}`;
  const number = address === undefined ? index : span(index, { kind: 'frame', task: address, index: frame.index });
  return [
    number,
    ' ',
    ...slotSpans(frame),
    nameSpan(frame, options.offsets || frame.pc === undefined, options.radix),
    ...pcSpans(frame),
    ...moduleSpans(frame),
    ...methodSpans(frame),
  ];
}

/** A frame by its function alone: `__mutex_lock.constprop.0+0x3d [xfs]`. */
export function frameSpans(frame: ShownFrame, withOffset: boolean, radix: 10 | 16): readonly Span[] {
  return [nameSpan(frame, withOffset, radix), ...moduleSpans(frame), ...methodSpans(frame)];
}

function moduleSpans({ module }: ShownFrame): readonly Span[] {
  return module === undefined ? [] : [' ', span(`[${module}]`, { kind: 'module', name: module })];
}

function slotSpans({ sp }: ShownFrame): readonly Span[] {
  if (sp === undefined) return [];
  return ['[', span(sp.toString(16).padStart(8), { kind: 'address', address: sp }, 'address'), '] '];
}

/** The function; of a frame whose address is not known with the offset, which is all that tells where in it. */
function nameSpan(frame: ShownFrame, withOffset: boolean, radix: 10 | 16): Span {
  const text = functionName(frame, withOffset, radix);
  const { symbol, symbolAddress } = frame;
  if (symbol === undefined) return text;
  return symbolAddress === undefined
    ? span(text, { kind: 'command', line: `dis ${symbol}` }, 'symbol')
    : span(text, { kind: 'symbol', name: symbol, address: symbolAddress }, 'symbol');
}

function pcSpans({ pc }: ShownFrame): readonly Span[] {
  return pc === undefined ? [] : [' at ', span(pc.toString(16), { kind: 'address', address: pc }, 'address')];
}

function methodSpans({ method, reliable, unwound }: ShownFrame): readonly Span[] {
  const trampoline = unwound?.trampoline;
  const tracer = trampoline === undefined ? [] : [span(` (returns through ${trampoline})`, undefined, 'dim')];
  if (reliable && (method === 'orc' || method === 'regs' || method === 'proc')) return tracer;
  // A search and a guess are never sure: their names say so.
  const doubt = reliable || method === 'scan' || method === 'guess' ? '' : '?';
  return [...tracer, span(` (${method}${doubt})`, undefined, 'warn')];
}

function stackSwitch(left: Stack): Line {
  const name = left.kind === 'irq' ? 'IRQ' : left.kind === 'entry' ? 'entry trampoline' : `${left.name} exception`;
  return [span(`--- <${name} stack> ---`, undefined, 'dim')];
}

function wordsOf(shown: ShownStack, frame: ShownFrame): readonly StackWord[] {
  return shown.unwound === undefined || frame.unwound === undefined ? [] : frameWords(shown.unwound, frame.unwound);
}

/** Two words a line, as crash's -f. */
function wordLines(shown: ShownStack, frame: ShownFrame, options: StackViewOptions): readonly Line[] {
  const words = wordsOf(shown, frame);
  const lines: Line[] = [];
  for (let i = 0; i < words.length; i += 2) {
    const pair = words.slice(i, i + 2);
    const first = pair[0] as StackWord;
    lines.push([
      '    ',
      span(formatAddress(first.address), { kind: 'address', address: first.address }, 'address'),
      ':',
      ...pair.flatMap(({ value }, at) => [' ', ...wordSpans(value, options, at + 1 < pair.length)]),
    ]);
  }
  return lines;
}

function wordSpans(value: bigint, options: StackViewOptions, padded: boolean): readonly Span[] {
  const found = options.symbolise?.(value);
  const hex = span(formatAddress(value), { kind: 'address', address: value });
  if (found === undefined) return [hex];
  const ref = { kind: 'symbol', name: found.name, address: found.address } as const;
  const name = span(padded && !options.raw ? found.text.padEnd(16) : found.text, ref, 'symbol');
  return options.raw ? [name, ' [', hex, ']'] : [name];
}
