/**
 * Reports of the kernel log as they are shown: their lines with every function a symbol, and the code where it happened
 * disassembled. The functions are those of the running kernel: the log has no other.
 */
import type { Disassembler, Instruction } from '../arch/x86_64/disassemble.ts';
import { symboliseTargets } from '../arch/x86_64/disassemble-function.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Report, reportLines } from '../kernel/report.ts';
import { parseFrame, type ReportCode, type ReportFrame, reportCode } from '../kernel/report-trace.ts';
import { formatAddress } from '../memory/address.ts';
import type { Row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';

/** A report's lines as the kernel printed them, then its code. */
export function reportView(kernel: Kernel, report: Report, disassembler: () => Disassembler): readonly Line[] {
  const lines = reportLines(report.records);
  const code = reportCode(lines);
  return [
    [span(`${report.kind} at ${formatSeconds(report)}`, undefined, 'header')],
    ...lines.map((line, i): Line => (i === 0 ? [span(line, undefined, 'error')] : reportLine(kernel, line))),
    ...(code === undefined ? [] : codeLines(kernel, code, disassembler())),
  ];
}

/** Only its stacks, as bt shows those of tasks. */
export function reportStacks(kernel: Kernel, report: Report): readonly Line[] {
  const heading: Line = [
    span(`${report.number}. ${report.kind} at ${formatSeconds(report)}: `, undefined, 'header'),
    span(report.title, undefined, 'error'),
  ];
  return [
    heading,
    ...report.traces.flatMap(({ of, frames }): readonly Line[] => [
      ...(of === '' ? [] : [of]),
      ...frames.map((frame, i) => stackFrame(kernel, frame, i)),
    ]),
    ...(report.traces.length === 0 ? [[span('    (it has no stack)', undefined, 'warn')]] : []),
  ];
}

function stackFrame(kernel: Kernel, frame: ReportFrame, index: number): Line {
  const { symbol, offset, module, reliable } = frame;
  const address = addressOf(kernel, frame);
  const name = `${symbol}+0x${offset.toString(16)}`;
  return [
    `${reliable ? ' ' : '?'}#${index} `.padStart(6),
    address === undefined ? name : span(name, { kind: 'symbol', name: symbol, address }, 'symbol'),
    ...(address === undefined ? [] : [' at ', span(formatAddress(address), { kind: 'address', address }, 'address')]),
    module === undefined ? '' : ` [${module}]`,
  ];
}

/** `[   25.521815]` without the brackets: seconds since boot. */
export function formatSeconds({ records }: Report): string {
  const micro = (records[0]?.time ?? 0n) / 1000n;
  return `${micro / 1_000_000n}.${String(micro % 1_000_000n).padStart(6, '0')}`;
}

export function reportRow(kernel: Kernel, report: Report): Row {
  const { number, kind, title, records, context, traces } = report;
  return {
    number,
    kind,
    time: Number((records[0]?.time ?? 0n) / 1000n) / 1_000_000,
    cpu: context.cpu ?? null,
    pid: context.pid ?? null,
    comm: context.comm ?? null,
    title,
    stacks: traces.map(({ of, frames }) => ({ of, frames: frames.map((frame) => frameRow(kernel, frame)) })),
    lines: reportLines(records),
  };
}

function frameRow(kernel: Kernel, frame: ReportFrame): Row {
  const { symbol, offset, module, reliable } = frame;
  return { symbol, offset, module: module ?? null, pc: addressOf(kernel, frame) ?? null, reliable };
}

/** A line of a stack with its function as a symbol; any other as it is. */
function reportLine(kernel: Kernel, line: string): Line {
  const frame = parseFrame(line);
  const address = frame && addressOf(kernel, frame);
  if (frame === undefined || address === undefined) return line;
  const at = line.indexOf(frame.symbol);
  const end = line.indexOf('/', at);
  const place: Span = span(line.slice(at, end), { kind: 'symbol', name: frame.symbol, address }, 'symbol');
  return [span(line.slice(0, at), undefined, frame.reliable ? undefined : 'dim'), place, line.slice(end)];
}

/** Where in this kernel a frame is; undefined when it has no such function, or one of another size. */
function addressOf(kernel: Kernel, { symbol, offset, module }: ReportFrame): bigint | undefined {
  const found = kernel.symbols.find(symbol, module);
  return found === undefined ? undefined : found.address + BigInt(offset);
}

/** How many first bytes may belong to an instruction that began before them. */
const ALIGNMENTS = 15;

function codeLines(kernel: Kernel, code: ReportCode, disassembler: Disassembler): readonly Line[] {
  const { bytes, at, place } = code;
  const pc = (place && addressOf(kernel, place)) ?? code.pc ?? BigInt(at);
  const symbolise = place === undefined ? undefined : symboliseTargets(kernel.symbols);
  const decode = (from: number) =>
    disassembler.decode(bytes.subarray(from), pc - BigInt(at - from), symbolise === undefined ? {} : { symbolise });
  const instructions = decode(codeStart(code, decode));
  const isHere = ({ address, length }: Instruction): boolean => address <= pc && pc < address + BigInt(length);
  return [
    '',
    [span(`Code${place === undefined ? ' (in user space)' : ''}, disassembled:`, undefined, 'header')],
    ...instructions
      .filter((instruction) => !instruction.isBad || isHere(instruction))
      .map((instruction): Line => {
        return [
          isHere(instruction) ? span('=> ', undefined, 'error') : '   ',
          span(`${codeLabel(code, instruction.address, pc)}:`, undefined, 'dim'),
          `\t${instruction.text}`,
        ];
      }),
  ];
}

/** `vfs_read+0x1c`; an address of user space; a distance from pc where nobody says what that is. */
function codeLabel({ place, pc: known }: ReportCode, address: bigint, pc: bigint): string {
  if (place === undefined && known !== undefined) return formatAddress(address);
  const where = (place?.offset ?? 0) + Number(address - pc);
  return `${place?.symbol ?? ''}${where < 0 ? '-' : '+'}0x${Math.abs(where).toString(16)}`;
}

/**
 * From which byte on to decode: x86 code can only be decoded forwards. The function's own start is certain; where it
 * lies before the bytes, the first way to decode them that meets pc is a guess, and where none does pc itself is.
 */
function codeStart({ at, place }: ReportCode, decode: (from: number) => readonly Instruction[]): number {
  if (place !== undefined && place.offset <= at) return at - place.offset;
  const pc = decode(at)[0]?.address;
  for (let from = 0; from < Math.min(at, ALIGNMENTS); from++) {
    const before = decode(from).filter(({ address }) => pc !== undefined && address <= pc);
    if (before.at(-1)?.address === pc && !before.slice(0, -1).some(({ isBad }) => isBad)) return from;
  }
  return at;
}
