/**
 * Saved registers as crash lays them out: seven rows under an indent, those of the kernel headed by where it was
 * interrupted.
 */
import type { ExceptionFrame } from '../arch/x86_64/exception-frame.ts';
import { type KnownRegisters, PT_REGS_ORDER, type PtRegs, type PtRegsName } from '../arch/x86_64/registers.ts';
import { formatAddress, isKernelAddress } from '../memory/address.ts';
import type { Cell } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';

type Register = readonly [label: string, name: PtRegsName, digits: number];

const WIDE = 16;
const PER_LINE = 3;
const ROWS: readonly (readonly Register[])[] = [
  [
    ['RIP', 'ip', WIDE],
    ['RSP', 'sp', WIDE],
    ['RFLAGS', 'flags', 8],
  ],
  [
    ['RAX', 'ax', WIDE],
    ['RBX', 'bx', WIDE],
    ['RCX', 'cx', WIDE],
  ],
  [
    ['RDX', 'dx', WIDE],
    ['RSI', 'si', WIDE],
    ['RDI', 'di', WIDE],
  ],
  [
    ['RBP', 'bp', WIDE],
    ['R8', 'r8', WIDE],
    ['R9', 'r9', WIDE],
  ],
  [
    ['R10', 'r10', WIDE],
    ['R11', 'r11', WIDE],
    ['R12', 'r12', WIDE],
  ],
  [
    ['R13', 'r13', WIDE],
    ['R14', 'r14', WIDE],
    ['R15', 'r15', WIDE],
  ],
  [
    ['ORIG_RAX', 'orig_ax', WIDE],
    ['CS', 'cs', 4],
    ['SS', 'ss', 4],
  ],
];
/** What the CPU itself pushed; all that is known where entry code had not saved the rest. */
const PUSHED: readonly PtRegsName[] = ['ip', 'cs', 'flags', 'sp', 'ss'];

/** The registers of an exception frame, a row a line. */
export function registerLines(frame: ExceptionFrame): readonly Line[] {
  return ROWS.flatMap((row): readonly Line[] => {
    const known = row.filter(([, name]) => frame.full || PUSHED.includes(name));
    return known.length === 0 ? [] : [rowLine(frame.registers, known)];
  });
}

/** The registers as cells, those that are known. */
export function registerCells(frame: ExceptionFrame): Readonly<Record<string, Cell>> {
  const names = PT_REGS_ORDER.filter((name) => frame.full || PUSHED.includes(name));
  return Object.fromEntries(names.map((name) => [name, frame.registers[name]]));
}

/** The registers that are known, three a line, in the order of the others. */
export function knownRegisterLines(registers: KnownRegisters): readonly Line[] {
  const known = ROWS.flat().filter(([, name]) => name in registers && name !== 'ip' && name !== 'sp');
  return Array.from({ length: Math.ceil(known.length / PER_LINE) }, (_, i) =>
    rowLine(registers, known.slice(i * PER_LINE, (i + 1) * PER_LINE)),
  );
}

function rowLine(registers: Readonly<Partial<PtRegs>>, row: readonly Register[]): Line {
  const spans: Span[] = ['    '];
  for (const [i, [label, name, digits]] of row.entries()) {
    const shown = digits === WIDE ? label.padStart(3) : label;
    spans.push(`${i === 0 ? '' : '  '}${shown}: `, value(registers[name] ?? 0n, digits));
  }
  return spans;
}

function value(word: bigint, digits: number): Span {
  const text = word.toString(16).padStart(digits, '0');
  if (!isKernelAddress(word)) return text;
  return span(formatAddress(word), { kind: 'address', address: word }, 'address');
}
