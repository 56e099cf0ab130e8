/**
 * System calls: `sys_call_table`, an array of functions by number. Since 1e3ad78334a6 "x86/syscall: Don't force use of
 * indirect calls for system calls" (v6.9) the kernel calls them through the switch x64_sys_call; the table remains for
 * tracing. Where it cannot be read the functions are known by their names, and their numbers are not.
 */
import type { KernelSymbol } from '../symbols/symbol-table.ts';
import type { Kernel } from './kernel.ts';

/** What every function of the table is named with since ebeb8c82ffaf "syscalls/x86: Use 'struct pt_regs' based calling" (v4.17). */
const PREFIX = '__x64_sys_';
const TABLE = 'sys_call_table';
const CALLS_MAX = 1024;

export interface Syscall {
  /** Undefined where only the names are known. */
  readonly number: number | undefined;
  /** `read`; the symbol where it is named otherwise. */
  readonly name: string;
  readonly address: bigint;
  /** The function's own symbol; undefined where the address is none's. */
  readonly symbol: KernelSymbol | undefined;
  /** A number without a call: sys_ni_syscall. */
  readonly isUnused: boolean;
  /** An entry of vmlinux's table that leads elsewhere than to the start of a function of vmlinux. */
  readonly isDiverted: boolean;
}

/** The entry points of 64-bit processes, by number; without memory by name. Throws FaultError. */
export function syscalls(kernel: Kernel): readonly Syscall[] {
  const table = kernel.hasMemory ? kernel.symbols.find(TABLE) : undefined;
  return table === undefined ? byName(kernel) : fromTable(kernel, table);
}

/** True when the kernel calls through a switch, and its table only serves tracing. */
export function callsThroughSwitch(kernel: Kernel): boolean {
  return kernel.addressOf('x64_sys_call') !== undefined;
}

function fromTable(kernel: Kernel, table: KernelSymbol): readonly Syscall[] {
  const count = Math.min(Math.floor((table.size ?? CALLS_MAX * 8) / 8), CALLS_MAX);
  const bytes = kernel.memory.read(table.address, count * 8, TABLE);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const found = Array.from({ length: count }, (_, number) =>
    describe(kernel, number, view.getBigUint64(number * 8, true)),
  );
  // The size is an estimate: what lies behind the table is no address.
  const end = found.findIndex(({ address, symbol }) => address === 0n && symbol === undefined);
  return end < 0 ? found : found.slice(0, end);
}

function describe(kernel: Kernel, number: number, address: bigint): Syscall {
  const here = kernel.symbols.at(address);
  const symbol = here.find(({ name }) => name.startsWith(PREFIX)) ?? here[0];
  return {
    number,
    name: symbol === undefined ? '-' : shortName(symbol.name),
    address,
    symbol,
    isUnused: symbol !== undefined && shortName(symbol.name) === 'ni_syscall',
    isDiverted: symbol === undefined || symbol.module !== undefined || !kernel.symbols.isText(address),
  };
}

function byName(kernel: Kernel): readonly Syscall[] {
  const found: Syscall[] = [];
  for (const name of kernel.symbols.names()) {
    if (!name.startsWith(PREFIX)) continue;
    for (const symbol of kernel.symbols.all(name)) {
      const { address } = symbol;
      const short = shortName(name);
      if (short === 'ni_syscall') continue;
      found.push({ number: undefined, name: short, address, symbol, isUnused: false, isDiverted: false });
    }
  }
  return found.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function shortName(symbol: string): string {
  return symbol.replace(/^(?:__x64_)?sys_/, '');
}
