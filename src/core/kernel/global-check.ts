/**
 * Whether what kdbg believes of a kernel's globals holds in its memory: the checks that types/global-checks.ts lists,
 * run when `status` asks. A type table that belongs to another kernel, or a seed that is wrong for this one, shows here
 * before it shows as garbage in a table.
 */
import { FaultError, KdbgError } from '../errors.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import { decodeCString } from '../memory/text.ts';
import { GLOBAL_CHECKS, type GlobalCheck } from '../types/global-checks.ts';
import { sizeOf } from '../types/type.ts';
import { findGlobal, readGlobalInteger } from './global.ts';
import type { Kernel } from './kernel.ts';

export interface CheckResult {
  readonly check: GlobalCheck;
  readonly holds: boolean;
  /** What was found instead, or why nothing could be; undefined where the check holds. */
  readonly found: string | undefined;
  /** Nothing was found: this target lacks the memory (a recording that never read it). */
  readonly unreadable: boolean;
}

const TEXT_MAX = 256;

/** Runs the checks of all globals that this kernel has. Throws UnsupportedError without memory, symbols or types. */
export function checkGlobals(kernel: Kernel, checks: readonly GlobalCheck[] = GLOBAL_CHECKS): readonly CheckResult[] {
  const known = checks.filter(({ symbol }) => kernel.addressOf(symbol) !== undefined);
  kernel.memory.prefetch(
    known.map(({ symbol }) => ({ space: 'virtual', address: kernel.symbol(symbol).address, length: 8, what: symbol })),
  );
  return known.map((check) => {
    const found = run(kernel, check);
    if (!(found instanceof FaultError)) return { check, holds: found === undefined, found, unreadable: false };
    return { check, holds: false, found: found.message, unreadable: true };
  });
}

/** Undefined where it holds. Throws CancelledError. */
function run(kernel: Kernel, check: GlobalCheck): string | FaultError | undefined {
  try {
    switch (check.kind) {
      case 'list':
        return checkList(kernel, kernel.symbol(check.symbol).address);
      case 'text':
        return checkText(kernel, check.symbol, check.member, check.begins);
      case 'range': {
        const value = readGlobalInteger(kernel, check.symbol, check.member);
        if (value === undefined) return 'its type is unknown';
        return value >= check.low && value <= check.high ? undefined : String(value);
      }
      case 'points-to': {
        const value = readGlobalInteger(kernel, check.symbol, check.member);
        if (value === undefined) return 'its type is unknown';
        const target = kernel.addressOf(check.target);
        return target === undefined || value === target ? undefined : formatAddress(value);
      }
      case 'pointer': {
        const value = kernel.memory.u64(kernel.symbol(check.symbol).address, check.symbol);
        return isKernelAddress(value) ? undefined : formatAddress(value);
      }
    }
  } catch (error) {
    if (error instanceof FaultError) return error;
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    return error.message;
  }
}

function checkList(kernel: Kernel, head: bigint): string | undefined {
  const { memory } = kernel;
  const next = memory.u64(head, 'list_head.next');
  const previous = memory.u64(head + 8n, 'list_head.prev');
  const back = memory.u64(next + 8n, 'list_head.prev');
  const forth = memory.u64(previous, 'list_head.next');
  if (back === head && forth === head) return undefined;
  return `next->prev is ${formatAddress(back)}, prev->next is ${formatAddress(forth)}`;
}

function checkText(kernel: Kernel, symbol: string, member: string, begins: string): string | undefined {
  const place =
    member === '' ? { address: kernel.symbol(symbol).address, type: undefined } : findGlobal(kernel, symbol, member);
  if (place === undefined) return 'its type is unknown';
  const length = Math.min(place.type === undefined ? TEXT_MAX : sizeOf(place.type), TEXT_MAX);
  const text = decodeCString(kernel.memory.read(place.address, length, symbol));
  return text.startsWith(begins) ? undefined : `"${text.slice(0, 32)}"`;
}
