/**
 * The system: which kernel, since when, how loaded; its taints, firmware, system calls, configuration.
 */
import { defineCommand, flag, many } from '../src/core/command/define.ts';
import { word } from '../src/core/command/kinds.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { systemFacts } from '../src/core/command/system-summary.ts';
import { NotFoundError, UnsupportedError, UsageError } from '../src/core/errors.ts';
import { kernelConfig } from '../src/core/kernel/config.ts';
import { dmiFields } from '../src/core/kernel/dmi.ts';
import { modules } from '../src/core/kernel/module.ts';
import {
  type Syscall,
  type SyscallAbi,
  type SyscallState,
  syscalls,
  tableServesTracing,
} from '../src/core/kernel/syscall.ts';
import { decodeTaints, formatTaints, taintMask } from '../src/core/kernel/taint.ts';
import { addressColumn, decimalColumn, meaningColumn, textColumn } from '../src/core/output/columns.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';
import { formatRanges } from '../src/core/types/cpu-list.ts';

const LABEL_WIDTH = 12;

/** What a process gets that calls it, where that is not the call. */
const OUTCOMES: Readonly<Record<SyscallState, string>> = {
  here: '',
  stub: 'ENOSYS: not built into this kernel',
  unused: 'ENOSYS: no call has this number',
  unlisted: 'ENOSYS: no number leads to it',
  diverted: 'no function of vmlinux',
};

const SYSCALL_COLUMNS = {
  number: decimalColumn('NUM', 'its number', { width: 3 }),
  address: addressColumn('ADDRESS', 'the function that does it'),
  name: textColumn('SYSTEM CALL', 'its name', { width: 26 }),
  state: meaningColumn('OUTCOME', 'what calling it gives, where that is not the call', OUTCOMES),
};

export default defineCommand({
  name: 'sys',
  group: 'system',
  summary: 'the system: kernel, time, load, memory',
  description: [
    'Without an argument what crash shows when it starts: which kernel on which target, how long it has been up, how loaded it is, and why it died if it did. "status" tells what this target offers to a debugger.',
    '"sys config" shows the configuration that the kernel was built with, as far as it is at hand: /boot/config-RELEASE, /proc/config.gz, or the copy in kernel memory. With NAMES only the options whose names contain one of them.',
    "With -c the OUTCOME tells which calls end with ENOSYS, and why: the kernel was built without them, or no number leads to them. -n shows only those; a call's name finds it also when it has no number. -32 shows what 32-bit processes call, read from the kernel's code where it keeps no table of that.",
    "crash's -panic does not exist here: kdbg never changes the kernel that it looks at.",
  ],
  options: {
    t: flag('the taint flags, explained'),
    i: flag('what the firmware says of the machine (DMI)'),
    c: flag('system calls, or those of these NAMES and numbers'),
    n: flag('with -c: only those that end with ENOSYS'),
    '32': flag('with -c: the calls of 32-bit processes'),
  },
  operands: { names: many(word, '[config] NAME', 'of system calls with -c, of options after config') },
  examples: [
    { line: 'sys', shows: 'the system in a dozen lines' },
    { line: 'sys -t', shows: 'what has tainted the kernel' },
    { line: 'sys -c openat 257', shows: 'system calls by name and number' },
    { line: 'sys -c -n', shows: 'what this kernel answers with ENOSYS' },
    { line: 'sys -c -32 uselib', shows: 'a call of 32-bit processes' },
    { line: 'sys config KALLSYMS', shows: 'options of the kernel' },
  ],
  *run(scope, { t, i, c, n, 32: compat, names }) {
    if ((n || compat) && !c) throw new UsageError('-n and -32 go with -c');
    if ([t, i, c].filter(Boolean).length > 1) throw new UsageError('-t, -i and -c are asked one at a time');
    if (t) yield* taints(scope);
    else if (i) yield* firmware(scope);
    else if (c) yield* calls(scope, { abi: compat ? '32' : '64', refused: n, names });
    else if (names[0] === 'config') yield* config(scope, names.slice(1));
    else if (names.length > 0) throw new UsageError(`sys does not know "${names[0]}"`);
    else yield* summary(scope);
  },
});

function* summary({ kernel }: Scope): Iterable<Item> {
  const missing: string[] = [];
  for (const { key, value, text } of systemFacts(kernel, (name) => missing.push(name))) {
    yield row({ key, value }, () => [[span(`${key.padStart(LABEL_WIDTH)}: `, undefined, 'header'), text]]);
  }
  if (missing.length > 0) yield notice(`the recording has no ${missing.join(', ')}`);
}

function* taints({ kernel }: Scope): Iterable<Item> {
  const mask = taintMask(kernel);
  if (mask === undefined) throw new UnsupportedError('this target does not tell whether its kernel is tainted');
  const line: Line = `TAINTED_MASK: ${mask.toString(16)}  ${formatTaints(mask)}`.trimEnd();
  yield row({ key: 'TAINTED_MASK', value: mask, letters: formatTaints(mask) }, () => [line]);
  if (mask === 0n) yield notice('the kernel is not tainted');
  for (const { bit, letter, meaning } of decodeTaints(mask)) {
    const by = modulesWith(kernel, letter);
    const who = by.length === 0 ? '' : ` (${by.join(', ')})`;
    yield row({ key: letter, value: meaning, bit, modules: by }, () => [
      `  ${letter}  bit ${String(bit).padEnd(2)}  ${meaning}${who}`,
    ]);
  }
}

/** The modules that have a taint of their own; none where the target does not tell of modules. */
function modulesWith(kernel: Scope['kernel'], letter: string): readonly string[] {
  try {
    return modules(kernel)
      .filter((module) => module.taints.includes(letter))
      .map(({ name }) => name);
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return [];
    throw error;
  }
}

function* firmware({ kernel }: Scope): Iterable<Item> {
  const fields = dmiFields(kernel);
  if (fields.length === 0)
    throw new UnsupportedError('this target has no DMI data: neither dmi_ident nor /sys/class/dmi');
  const width = Math.max(...fields.map(({ name }) => name.length));
  for (const { name, text } of fields)
    yield row({ key: name, value: text }, () => [`${name.padStart(width)}: ${text}`]);
}

interface CallsWanted {
  readonly abi: SyscallAbi;
  /** Only those that end with ENOSYS. */
  readonly refused: boolean;
  readonly names: readonly string[];
}

function* calls({ kernel }: Scope, { abi, refused, names }: CallsWanted): Iterable<Item> {
  const all = syscalls(kernel, abi);
  if (all.length === 0) throw new UnsupportedError('this kernel has no table and no symbols of such system calls');
  const chosen = names.length === 0 ? all.filter((call) => isShown(call, refused)) : matching(all, names);
  if (all[0]?.number === undefined) yield notice(`${whyNoNumbers(kernel)} the numbers of system calls are not known`);
  else if (tableServesTracing(kernel, abi))
    yield notice('this kernel calls through a switch; the table serves tracing');
  for (const call of chosen) {
    if (refused && OUTCOMES[call.state] === '') continue;
    const { number, name, address, symbol, state } = call;
    const module = symbol?.module ?? null;
    yield row({ number: number ?? null, name, address, symbol: symbol?.name ?? null, module, state }, SYSCALL_COLUMNS);
    if (state === 'diverted') yield notice(`call ${number} leads to ${describeTarget(call)}: no function of vmlinux`);
  }
  if (refused && names.length === 0) yield* gaps(all);
}

/** The numbers below the highest that are no calls: a process that uses one gets ENOSYS as well. */
function* gaps(all: readonly Syscall[]): Iterable<Item> {
  const numbers = all.flatMap(({ state, number }) => (state === 'unused' && number !== undefined ? [number] : []));
  if (numbers.length > 0) yield notice(`no call has the numbers ${formatRanges(numbers)}`);
}

/** Without names: what is numbered, or what the kernel was built without. */
function isShown({ state }: Syscall, refused: boolean): boolean {
  if (refused) return state === 'stub';
  return state !== 'unused' && state !== 'unlisted';
}

function whyNoNumbers(kernel: Scope['kernel']): string {
  return kernel.hasMemory ? 'this kernel keeps no table:' : 'without memory';
}

function matching(all: readonly Syscall[], names: readonly string[]): readonly Syscall[] {
  return names.flatMap((name) => {
    const number = /^\d+$/.test(name) ? Number(name) : undefined;
    if (number !== undefined)
      return found(
        name,
        all.filter((call) => call.number === number),
      );
    const wanted = name.replace(/^(?:__(?:x64|ia32)_(?:compat_)?)?sys_/, '');
    const exact = all.filter((call) => call.name === wanted);
    return exact.length > 0
      ? exact
      : found(
          name,
          all.filter((call) => call.name.includes(wanted)),
        );
  });
}

function found(name: string, calls: readonly Syscall[]): readonly Syscall[] {
  if (calls.length === 0) throw new NotFoundError('symbol', name, [], 'among the system calls');
  return calls;
}

function describeTarget({ address, symbol }: Syscall): string {
  const where = symbol?.module === undefined ? '' : ` [${symbol.module}]`;
  return symbol === undefined ? `0x${address.toString(16)}` : `${symbol.name}${where}`;
}

function* config({ kernel, shell }: Scope, names: readonly string[]): Iterable<Item> {
  const { options, source } = kernelConfig(kernel, (bytes) => shell.gunzip(bytes));
  yield notice(`from ${source}`);
  const wanted = names.map((name) => name.toUpperCase());
  let shown = 0;
  for (const [key, value] of options) {
    if (wanted.length > 0 && !wanted.some((name) => key.includes(name))) continue;
    shown++;
    yield row({ key, value }, () => [`${key}=${value}`]);
  }
  if (shown === 0) yield notice(`no option that is set has ${names.join(' or ')} in its name`);
}
