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
import { callsThroughSwitch, type Syscall, syscalls } from '../src/core/kernel/syscall.ts';
import { decodeTaints, formatTaints, taintMask } from '../src/core/kernel/taint.ts';
import { addressColumn, decimalColumn, textColumn } from '../src/core/output/columns.ts';
import { type Item, notice, row } from '../src/core/output/item.ts';
import { type Line, span } from '../src/core/output/line.ts';

const LABEL_WIDTH = 12;

const SYSCALL_COLUMNS = {
  number: decimalColumn('NUM', 'its number', { width: 3 }),
  address: addressColumn('ADDRESS', 'the function that does it'),
  name: textColumn('SYSTEM CALL', 'its name'),
};

export default defineCommand({
  name: 'sys',
  group: 'system',
  summary: 'the system: kernel, time, load, memory',
  description: [
    'Without an argument what crash shows when it starts: which kernel on which target, how long it has been up, how loaded it is, and why it died if it did. "status" tells what this target offers to a debugger.',
    '"sys config" shows the configuration that the kernel was built with, as far as it is at hand: /boot/config-RELEASE, /proc/config.gz, or the copy in kernel memory. With NAMES only the options whose names contain one of them.',
    "crash's -panic does not exist here: kdbg never changes the kernel that it looks at.",
  ],
  options: {
    t: flag('the taint flags, explained'),
    i: flag('what the firmware says of the machine (DMI)'),
    c: flag('system calls, or those of these NAMES and numbers'),
  },
  operands: { names: many(word, '[config] NAME', 'of system calls with -c, of options after config') },
  examples: [
    { line: 'sys', shows: 'the system in a dozen lines' },
    { line: 'sys -t', shows: 'what has tainted the kernel' },
    { line: 'sys -c openat 257', shows: 'system calls by name and number' },
    { line: 'sys config KALLSYMS', shows: 'options of the kernel' },
  ],
  *run(scope, { t, i, c, names }) {
    if ([t, i, c].filter(Boolean).length > 1) throw new UsageError('-t, -i and -c are asked one at a time');
    if (t) yield* taints(scope);
    else if (i) yield* firmware(scope);
    else if (c) yield* calls(scope, names);
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

function* calls({ kernel }: Scope, names: readonly string[]): Iterable<Item> {
  const all = syscalls(kernel);
  if (all.length === 0) throw new UnsupportedError('this kernel has no sys_call_table and no symbols of system calls');
  const chosen =
    names.length === 0 ? all.filter(({ isUnused }) => !isUnused) : names.flatMap((name) => matching(all, name));
  if (all[0]?.number === undefined) yield notice('without memory the numbers of system calls are not known');
  else if (callsThroughSwitch(kernel)) yield notice('this kernel calls through x64_sys_call; the table serves tracing');
  for (const call of chosen) {
    const { number, name, address, symbol } = call;
    yield row(
      { number: number ?? null, name, address, symbol: symbol?.name ?? null, module: symbol?.module ?? null },
      SYSCALL_COLUMNS,
    );
    if (call.isDiverted) yield notice(`call ${number} leads to ${describeTarget(call)}: no function of vmlinux`);
  }
}

function matching(all: readonly Syscall[], name: string): readonly Syscall[] {
  const number = /^\d+$/.test(name) ? Number(name) : undefined;
  const wanted = name.replace(/^(?:__x64_)?sys_/, '');
  const found = all.filter((call) => (number === undefined ? call.name.includes(wanted) : call.number === number));
  if (found.length === 0) throw new NotFoundError('symbol', name, [], 'among the system calls');
  return found.some((call) => call.name === wanted) ? found.filter((call) => call.name === wanted) : found;
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
