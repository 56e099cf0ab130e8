/**
 * What `-R` looks for on a stack: a function, a 'regular expression' over functions, a [module], or an address: of a
 * function, of a frame, or any word that the stack in use holds, such as the lock that somebody waits for.
 */
import { UsageError } from '../errors.ts';
import { parseHex } from '../memory/address.ts';
import type { Kind } from './define.ts';
import { symbolName } from './target-kinds.ts';
import type { ShownFrame, ShownStack } from './task-stacks.ts';

/** As typed, and whether a stack has it. */
export interface StackReference {
  readonly text: string;
  readonly isOn: (stack: ShownStack) => boolean;
}

/** Shorter hex words (`add`, `dead`) are taken for names of functions. */
const ADDRESS_DIGITS_MIN = 6;
const NAME_MAX = 512;

export const stackReference: Kind<StackReference> = {
  name: 'function|module|address',
  keepsQuotes: true,
  parse(text) {
    const pattern = /^'(.*)'$/s.exec(text)?.[1];
    if (pattern !== undefined) return ofFrames(text, matching(pattern));
    const module = /^\[([^\]]+)\]$/.exec(text)?.[1];
    if (module !== undefined) return ofFrames(text, (frame) => sameModule(frame.module, module));
    const address = /^0[xX]/.test(text) || text.length >= ADDRESS_DIGITS_MIN ? parseHex(text) : undefined;
    if (address !== undefined) return { text, isOn: (stack) => holds(stack, address) };
    const name = /^([A-Za-z_.$][\w.$]*)(?:\+(0x[0-9a-fA-F]+|\d+))?$/.exec(text);
    if (name === null) throw new UsageError(`"${text}" is no function, [module] or address`, { column: 0 });
    const offset = name[2] === undefined ? undefined : Number(name[2]);
    return ofFrames(text, (frame) => isNamed(frame, name[1] as string, offset));
  },
  complete(text, scope) {
    const functions = symbolName.complete?.(text, scope).candidates ?? [];
    return { candidates: functions.filter(({ detail }) => detail?.startsWith('text') === true) };
  },
};

/** The module of this name, with brackets or without. */
export function moduleReference(name: string): StackReference {
  return ofFrames(`[${name}]`, (frame) => sameModule(frame.module, name));
}

/** True when the stack has every one of `all` and none of `none`. */
export function passes(
  stack: ShownStack,
  all: readonly StackReference[],
  none: readonly StackReference[] = [],
): boolean {
  return all.every((reference) => reference.isOn(stack)) && !none.some((reference) => reference.isOn(stack));
}

function ofFrames(text: string, matches: (frame: ShownFrame) => boolean): StackReference {
  return { text, isOn: (stack) => stack.frames.some(matches) };
}

/** The compiler's pieces of a function (`.isra.0`, `.cold`) go by its name too. */
function isNamed({ symbol, offset }: ShownFrame, name: string, at: number | undefined): boolean {
  if (symbol === undefined || (at !== undefined && at !== offset)) return false;
  return symbol === name || symbol.startsWith(`${name}.`);
}

function sameModule(module: string | undefined, wanted: string): boolean {
  return (module ?? 'vmlinux').replaceAll('-', '_') === wanted.replaceAll('-', '_');
}

function matching(pattern: string): (frame: ShownFrame) => boolean {
  let expression: RegExp;
  try {
    expression = new RegExp(pattern);
  } catch {
    throw new UsageError(`'${pattern}' is not a regular expression`, { column: 0 });
  }
  return ({ symbol }) => symbol !== undefined && expression.test(symbol.slice(0, NAME_MAX));
}

/** Frames by address, and the words from the innermost frame up. */
function holds(stack: ShownStack, address: bigint): boolean {
  const found = stack.frames.some((frame) => [frame.pc, frame.sp, frame.symbolAddress].includes(address));
  const image = stack.unwound?.image;
  if (found || image === undefined) return found;
  const { bytes } = image;
  // The innermost frame of a task that was interrupted is on another stack.
  const innermost = Number((stack.frames[0]?.sp ?? image.address) - image.address);
  const from = innermost > 0 && innermost < bytes.length ? innermost & ~7 : 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let offset = from; offset + 8 <= bytes.length; offset += 8) {
    if (view.getBigUint64(offset, true) === address) return true;
  }
  return false;
}
