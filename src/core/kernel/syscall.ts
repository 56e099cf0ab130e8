/**
 * System calls: the functions by number that the entry code of 64-bit and of 32-bit (compat) processes calls, and what
 * a process gets that calls them.
 *
 * The tables are `sys_call_table` and, until 1e3ad78334a6 "x86/syscall: Don't force use of indirect calls for system
 * calls" (v6.9, and the stable branches that took it), `ia32_sys_call_table`. Since that commit the kernel calls
 * through switches; the 64-bit table remains for tracing. The other switch is read as code (syscall-switch.ts). Where
 * that tells nothing either the calls are known by their functions' names, and their numbers are not.
 *
 * A call that the kernel was built without is a weak function that returns -ENOSYS (COND_SYSCALL). Before 00198a6eaf66
 * "syscalls/x86: Fix function types in COND_SYSCALL" (v5.5) it was a weak alias of sys_ni_syscall, which a table's
 * entry does not tell from a number that is no call.
 */
import { readSwitch } from '../arch/x86_64/syscall-switch.ts';
import { Fault } from '../memory/fault.ts';
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';

/** Which processes call: 64-bit ones, or 32-bit ones through int 0x80 and sysenter. */
export type SyscallAbi = '64' | '32';

/**
 * `stub`: the kernel was built without it. `unused`: the number is no call. `unlisted`: a function that no number of
 * this ABI leads to. All three end with ENOSYS. `diverted`: an entry of vmlinux's table that leads elsewhere than to
 * the start of a function of vmlinux.
 */
export type SyscallState = 'here' | 'stub' | 'unused' | 'unlisted' | 'diverted';

export interface Syscall {
  /** Undefined where only the function is known. */
  readonly number: number | undefined;
  /** `read`; the symbol where it is named otherwise. */
  readonly name: string;
  readonly address: bigint;
  /** The function's own symbol; undefined where the address is none's. */
  readonly symbol: KernelSymbol | undefined;
  readonly state: SyscallState;
}

/** What the functions are named with since ebeb8c82ffaf "syscalls/x86: Use 'struct pt_regs' based calling" (v4.17). */
const FUNCTIONS = { '64': /^__x64_sys_/, '32': /^__ia32_(?:compat_)?sys_/ } as const;
const TABLES = { '64': 'sys_call_table', '32': 'ia32_sys_call_table' } as const;
const SWITCHES = { '64': 'x64_sys_call', '32': 'ia32_sys_call' } as const;
const NO_CALL = 'ni_syscall';
const CALLS_MAX = 1024;
const SWITCH_LENGTH_MAX = 64 * 1024;

/**
 * The entry points by number, then the functions that no number leads to; all by name where no numbers are known. Throws
 * FaultError.
 */
export function syscalls(kernel: Kernel, abi: SyscallAbi = '64'): readonly Syscall[] {
  const named = byName(kernel, abi);
  const listed = kernel.hasMemory ? (fromTable(kernel, abi) ?? fromSwitch(kernel, abi)) : undefined;
  if (listed === undefined) return named;
  const addresses = new Set(listed.map(({ address }) => address));
  const others = named.filter(({ address }) => !addresses.has(address));
  return [...listed, ...others.map((call): Syscall => ({ ...call, state: 'unlisted' }))];
}

/** True when there is a table, but the kernel calls through a switch: the table only serves tracing. */
export function tableServesTracing(kernel: Kernel, abi: SyscallAbi = '64'): boolean {
  return kernel.addressOf(SWITCHES[abi]) !== undefined && kernel.addressOf(TABLES[abi]) !== undefined;
}

function fromTable(kernel: Kernel, abi: SyscallAbi): readonly Syscall[] | undefined {
  const table = kernel.symbols.find(TABLES[abi]);
  if (table === undefined) return undefined;
  const count = Math.min(Math.floor((table.size ?? CALLS_MAX * 8) / 8), CALLS_MAX);
  const bytes = kernel.memory.read(table.address, count * 8, TABLES[abi]);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = Array.from({ length: count }, (_, number) =>
    describe(kernel, abi, number, view.getBigUint64(number * 8, true)),
  );
  // The size is an estimate: what lies behind the table is no address.
  const end = found.findIndex(({ address }) => address === 0n);
  return end < 0 ? found : found.slice(0, end);
}

/** Undefined where there is no switch, it cannot be read, or its code is of a form that is not known. */
function fromSwitch(kernel: Kernel, abi: SyscallAbi): readonly Syscall[] | undefined {
  const symbol = kernel.symbols.find(SWITCHES[abi]);
  if (symbol?.size === undefined || symbol.size > SWITCH_LENGTH_MAX) return undefined;
  const code = kernel.memory.tryRead(symbol.address, symbol.size, SWITCHES[abi]);
  if (code instanceof Fault) return undefined;
  const target = readSwitch(code, symbol.address);
  const addresses = Array.from({ length: CALLS_MAX }, (_, number) => target(number));
  // Numbers that are no calls lead to one function, those behind the last call with them.
  const count = addresses.findLastIndex((address) => address !== addresses.at(-1)) + 1;
  const found = addresses.slice(0, count).filter((address) => address !== undefined);
  return found.length === 0 || found.length < count
    ? undefined
    : found.map((address, number) => describe(kernel, abi, number, address));
}

function describe(kernel: Kernel, abi: SyscallAbi, number: number, address: bigint): Syscall {
  const here = kernel.symbols.at(address);
  const symbol =
    here.find(({ name }) => shortName(name) === NO_CALL) ??
    here.find(({ name }) => FUNCTIONS[abi].test(name)) ??
    here[0];
  const name = symbol === undefined ? '-' : shortName(symbol.name);
  const isDiverted = symbol === undefined || symbol.module !== undefined || !kernel.symbols.isText(address);
  const state = isDiverted ? 'diverted' : name === NO_CALL ? 'unused' : functionState(symbol);
  return { number, name, address, symbol, state };
}

/**
 * By their functions' names; where a 32-bit process has a function of its own the common one is not called. One of its own
 * that is a stub beside a common one that is not is a leftover in sys_ni.c, as that of setsockopt.
 */
function byName(kernel: Kernel, abi: SyscallAbi): readonly Syscall[] {
  const found = new Map<string, Syscall>();
  for (const name of kernel.symbols.names()) {
    if (!FUNCTIONS[abi].test(name)) continue;
    const short = shortName(name);
    const symbol = short === NO_CALL ? undefined : kernel.symbols.find(name);
    if (symbol === undefined) continue;
    const state = functionState(symbol);
    const other = found.get(short);
    const isBetter = other?.state === state ? name.startsWith('__ia32_compat_') : state === 'here';
    if (other !== undefined && !isBetter) continue;
    found.set(short, { number: undefined, name: short, address: symbol.address, symbol, state });
  }
  return [...found.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** Only COND_SYSCALL makes such functions weak. */
function functionState({ type }: KernelSymbol): SyscallState {
  return type === 'W' || type === 'w' ? 'stub' : 'here';
}

function shortName(symbol: string): string {
  return symbol.replace(/^(?:__(?:x64|ia32)_(?:compat_)?)?sys_/, '');
}
