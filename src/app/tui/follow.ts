/**
 * What following an object means: which command shows it, and which pane is for its kind. The command is an ordinary
 * line of the shell: it is shown, and it enters the history.
 */
import { isPlainWord } from '../../core/command/words.ts';
import type { Ref } from '../../core/output/line.ts';
import type { PaneName, Selection } from './contract.ts';

export interface Following {
  /** The command that shows what the object is. */
  readonly line: string;
  /** The pane that is for such objects; undefined: where it was followed. */
  readonly pane: PaneName | undefined;
}

/** Kernel text and data lie in the last 2 GiB: code is disassembled, anything else dumped. */
const IMAGE_START = 0xffff_ffff_8000_0000n;

/** What Enter on an object does. `text` is the line that the object is in: a symbol's type letter stands there. */
export function followingOf(ref: Ref, text: string, has: (command: string) => boolean): Following {
  switch (ref.kind) {
    case 'task':
      return { line: `bt ${ref.pid}`, pane: 'stacks' };
    case 'frame':
      return { line: `bt -F ${hex(ref.task)}`, pane: 'stacks' };
    case 'symbol':
      return { line: symbolLine(symbolArgument(ref), text), pane: undefined };
    case 'address':
      return { line: addressLine(ref.address, ref.type, text), pane: undefined };
    case 'type':
      return { line: `struct ${harmless(ref.name)}`, pane: undefined };
    case 'module':
      return { line: `sym -m ${harmless(ref.name)}`, pane: undefined };
    case 'lock':
      return has('waiters')
        ? { line: `waiters ${hex(ref.address)}`, pane: 'locks' }
        : { line: `struct ${harmless(ref.lock)} ${hex(ref.address)}`, pane: undefined };
    // Unfolded where it stands, by no command.
    case 'fold':
      return { line: '', pane: undefined };
    case 'command':
      return { line: ref.line, pane: ref.line.startsWith('report -s ') ? 'stacks' : undefined };
  }
}

/** `ffffffff81000000 (T) name`: functions are disassembled, variables printed. */
function symbolLine(name: string, text: string): string {
  const letter = /\((\w)\)/.exec(text)?.[1];
  return letter === undefined || /[tTwW]/.test(letter) ? `dis ${name}` : `p ${name}`;
}

function addressLine(address: bigint, type: string | undefined, text: string): string {
  if (type !== undefined) return typedLine(harmless(type), address);
  // A frame's program counter: the code that led there.
  if (address >= IMAGE_START && /\bat [0-9a-f]{16}/.test(text)) return `dis -r ${hex(address)}`;
  // An instruction of dis: the code from there on.
  if (/^\s*0x[0-9a-f]+ </.test(text)) return `dis ${hex(address)} 16`;
  return `rd -s ${hex(address)} 16`;
}

/** `struct task_struct` and `task_struct` are the same to whoever refers to it; what is neither is printed as memory. */
function typedLine(type: string, address: bigint): string {
  if (/^(?:struct|union) \w+$/.test(type)) return `${type} ${hex(address)}`;
  return /^\w+$/.test(type) ? `struct ${type} ${hex(address)}` : `rd -s ${hex(address)} 16`;
}

/** A symbol as the argument of a command: its address where its name would be read as something else. */
export function symbolArgument({ name, address }: { readonly name: string; readonly address: bigint }): string {
  return isPlainWord(name) ? name : hex(address);
}

/** A name of types or modules that is not made to be a command of the line that it stands in. */
function harmless(name: string): string {
  return name.replaceAll(/[^\w.$* -]/g, '?');
}

function hex(address: bigint): string {
  return address.toString(16);
}

/** The selection after an object was chosen; `comm` of a task where the line tells it. */
export function selectedWith(selection: Selection, ref: Ref, comm?: string): Selection {
  switch (ref.kind) {
    case 'task': {
      const { kind: _, ...task } = ref;
      return { ...selection, task: { ...task, ...(comm === undefined ? {} : { comm }) } };
    }
    case 'frame':
      return { ...selection, frame: { task: ref.task, index: ref.index } };
    case 'symbol':
      return { ...selection, symbol: { name: ref.name, address: ref.address } };
    case 'lock':
      return { ...selection, lock: { address: ref.address, lock: ref.lock } };
    case 'address':
    case 'type':
    case 'module':
    case 'command':
    case 'fold':
      return selection;
  }
}

/** The parts of a selection in which another object is selected. */
export function changedBy(before: Selection, after: Selection): ReadonlySet<keyof Selection> {
  const keys = ['task', 'frame', 'symbol', 'lock', 'time'] as const;
  return new Set(keys.filter((key) => identityOf(before[key]) !== identityOf(after[key])));
}

/** What tells objects apart: the name of a task is none of it. */
function identityOf(part: object | number | undefined): string {
  if (typeof part !== 'object') return String(part);
  return Object.entries(part)
    .filter(([key]) => key !== 'comm')
    .map(String)
    .join();
}
