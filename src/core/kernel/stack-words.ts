/**
 * What is on a stack besides the frames' names: its words frame by frame (`bt -f`), every word that points into text
 * (`bt -t`), every exception frame (`bt -e`).
 */
import { type ExceptionFrame, searchExceptionFrames } from '../arch/x86_64/exception-frame.ts';
import { stackMemory } from '../arch/x86_64/stacks.ts';
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';
import type { StackFrame, TaskStack } from './stack.ts';
import { unwindText } from './unwind-text.ts';

/** One word of a stack. */
export interface StackWord {
  readonly address: bigint;
  readonly value: bigint;
}

/** A word that points into text. */
export interface TextWord extends StackWord {
  readonly symbol: KernelSymbol;
  /** value minus the symbol's address. */
  readonly offset: number;
}

/** Words of one frame at most: a whole stack with KASAN. */
const FRAME_WORDS_MAX = 8192;

/**
 * The words of a frame, from its own first one to the return address into its caller, as `bt -f` lists them. The
 * outermost frame reaches to the registers at the stack's end, or to the end. Empty where the frame's memory is not in
 * the stack's image (a frame on an interrupt stack).
 */
export function frameWords(stack: TaskStack, frame: StackFrame): readonly StackWord[] {
  if (stack.image === undefined) return [];
  const memory = stackMemory([stack.image]);
  const end = frame.end ?? stack.user?.address ?? stack.image.stack.end;
  const words: StackWord[] = [];
  for (let address = frame.start; address < end && words.length < FRAME_WORDS_MAX; address += 8n) {
    const value = memory.word(address);
    if (value === undefined) break;
    words.push({ address, value });
  }
  return words;
}

/**
 * The words of a stack that point into text: from the innermost frame up (`bt -t`), or with `all` from the image's
 * beginning (`bt -T`; unwind with `whole` to have all of the stack). Leftovers of frames long gone are among them.
 */
export function textOnStack(
  kernel: Kernel,
  stack: TaskStack,
  options: { readonly all?: boolean } = {},
): readonly TextWord[] {
  const { image } = stack;
  if (image === undefined) return [];
  const innermost = stack.frames[0]?.sp;
  const { isText } = unwindText(kernel, stack.task);
  const view = new DataView(image.bytes.buffer, image.bytes.byteOffset, image.bytes.byteLength);
  const words: TextWord[] = [];
  for (let offset = 0; offset + 8 <= image.bytes.length; offset += 8) {
    const address = image.address + BigInt(offset);
    if (options.all !== true && innermost !== undefined && address < innermost) continue;
    const value = view.getBigUint64(offset, true);
    const found = isText(value) ? kernel.symbols.nearest(value) : undefined;
    if (found !== undefined) words.push({ address, value, ...found });
  }
  return words;
}

/** Every believable struct pt_regs in the stack's image, by address (unwind with `whole` to search all of it). */
export function exceptionFramesOn(kernel: Kernel, stack: TaskStack): readonly ExceptionFrame[] {
  if (stack.image === undefined) return [];
  return searchExceptionFrames(stack.image, unwindText(kernel, stack.task).isText);
}
