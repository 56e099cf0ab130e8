/** A record of the ring buffer as an entry of the trace: by the format of its event, in the kernel's own words. */
import { type EventField, type EventFormat, parseEventFormat } from './event-format.ts';
import { type EventValue, fieldBytes, fieldValue } from './event-value.ts';
import { printBinary } from './print-binary.ts';
import { evaluatePrint, type PrintRecord } from './print-evaluate.ts';
import { type PrintFormat, parsePrintFormat } from './print-syntax.ts';
import { listed, type PrintNames, printText } from './print-text.ts';
import { parsePrintkFormats } from './printk-formats.ts';
import type { RingRecord } from './ring-page.ts';
import type { TraceDat } from './trace-dat.ts';
import { durationText, type EntryHead, flagText, headText } from './trace-dat-text.ts';
import type { TraceEntry, TraceFieldCell, TraceFunction } from './trace-entry.ts';

/** Which function an address is in. */
export type FunctionAt = (address: bigint) => TraceFunction | undefined;

/** What all records of a file are read with. */
export interface DatReading {
  readonly isLittle: boolean;
  readonly events: ReadonlyMap<number, DatEvent>;
  readonly comms: ReadonlyMap<number, string>;
  readonly names: PrintNames;
  readonly functionAt: FunctionAt;
  /** The clock counts and does not tell time. */
  readonly isCount: boolean;
  readonly offset: bigint;
}

interface DatEvent {
  readonly format: EventFormat;
  readonly byName: ReadonlyMap<string, EventField>;
  /** Undefined where it is more of C than is understood: the fields are listed. */
  readonly print: PrintFormat | undefined;
}

const COUNTING_CLOCKS: ReadonlySet<string> = new Set(['counter', 'x86-tsc', 'ppc-tb']);
const STACK_MAX = 512;
const COMMON_LENGTH = 8;
/** The function that writes what a program has written into trace_marker. */
const MARKER = 'tracing_mark_write';
/** What stands for the tracer's own code (kernel/trace/trace.h, FTRACE_TRAMPOLINE_MARKER). */
const TRAMPOLINE = 0x7fff_ffffn;

export function readingOf(dat: TraceDat, clock: string | undefined, functionAt: FunctionAt): DatReading {
  const events = new Map<number, DatEvent>();
  for (const { system, text } of dat.formats) {
    const format = parseEventFormat(system, text);
    if (format === undefined) continue;
    const byName = new Map(format.fields.map((field) => [field.name, field]));
    events.set(format.id, { format, byName, print: parsePrintFormat(format.print) });
  }
  const comms = new Map<number, string>([[0, '<idle>']]);
  for (const [, pid, comm] of dat.cmdlines.matchAll(/^(\d{1,10}) (.*)$/gm)) comms.set(Number(pid), comm as string);
  const texts = parsePrintkFormats(dat.printk);
  const symbol = (address: bigint): string | undefined => functionAt(address)?.name;
  return {
    isLittle: dat.isLittle,
    events,
    comms,
    names: { symbol, text: (address) => texts.get(address) },
    functionAt,
    isCount: clock !== undefined && COUNTING_CLOCKS.has(clock),
    offset: dat.options.offset,
  };
}

/** A stack that belongs to the entry before it on the same CPU. */
export interface DatStack {
  readonly kind: 'kernel stack' | 'user stack';
  readonly pid: number;
  readonly frames: readonly TraceFunction[];
  readonly entry: TraceEntry;
}

/** Undefined for a record that is too short to be one. */
export function datEntry(reading: DatReading, cpu: number, record: RingRecord): TraceEntry | DatStack | undefined {
  const { data, time } = record;
  const { isLittle } = reading;
  if (data.byteLength < COMMON_LENGTH) return undefined;
  const pid = data.getInt32(4, isLittle);
  const head: EntryHead = {
    comm: reading.comms.get(pid) ?? '<...>',
    pid,
    cpu,
    flags: flagText(data.getUint8(2), data.getUint8(3)),
    time: time + reading.offset,
    ...(reading.isCount ? { ticks: true as const } : {}),
  };
  const event = reading.events.get(data.getUint16(0, isLittle));
  if (event === undefined) {
    const name = `event ${data.getUint16(0, isLittle)}`;
    return eventEntry(head, name, 'its format is not in the file', {});
  }
  const values = valuesOf(reading, event, data);
  return (
    (event.format.system === 'ftrace' ? tracerEntry(reading, event, values, head) : undefined) ??
    plainEntry(reading, event, values, head)
  );
}

/** The fields of a record, by name and as cells. */
interface Values extends PrintRecord {
  readonly isLittle: boolean;
}

function valuesOf({ isLittle }: DatReading, { byName }: DatEvent, data: DataView): Values {
  return {
    isLittle,
    value: (name) => {
      const field = byName.get(name);
      return field === undefined ? undefined : fieldValue(data, field, isLittle);
    },
    bytes: (name) => {
      const field = byName.get(name);
      return field === undefined ? undefined : fieldBytes(data, field, isLittle);
    },
  };
}

/** What tracers write; undefined for other events of the system "ftrace". */
function tracerEntry(
  reading: DatReading,
  { format }: DatEvent,
  values: Values,
  head: EntryHead,
): TraceEntry | DatStack | undefined {
  const address = (name: string): bigint => {
    const value = values.value(name);
    return typeof value === 'bigint' ? BigInt.asUintN(64, value) : 0n;
  };
  const common = { ...head, sequence: 0 };
  switch (format.name) {
    case 'function': {
      const [called, caller] = [functionOf(reading, address('ip')), functionOf(reading, address('parent_ip'))];
      const raw = `${headText(head)} ${called.name} <-${caller.name}`;
      return { ...common, raw, kind: 'function', function: called, caller };
    }
    case 'kernel_stack':
    case 'user_stack': {
      const isKernel = format.name === 'kernel_stack';
      const frames = framesOf(reading, values.value('caller'), isKernel);
      const raw = `${headText(head)} <${isKernel ? '' : 'user '}stack trace>`;
      const entry: TraceEntry = { ...common, raw, kind: 'stack', [isKernel ? 'stack' : 'userStack']: frames };
      return { kind: isKernel ? 'kernel stack' : 'user stack', pid: head.pid, frames, entry };
    }
    case 'funcgraph_entry':
    case 'fgraph_retaddr_entry': {
      const called = functionOf(reading, address('func'));
      const depth = Number(address('depth') & 0xffn);
      const raw = `${headText(head)} ${durationText(undefined)} |  ${'  '.repeat(depth)}${called.name}() {`;
      return { ...common, raw, kind: 'call', function: called, depth };
    }
    case 'funcgraph_exit': {
      const called = functionOf(reading, address('func'));
      const depth = Number(address('depth') & 0xffn);
      const duration = address('rettime') - address('calltime');
      const value = values.value('retval');
      const returned = typeof value === 'bigint' ? { returned: returnText(value) } : {};
      const raw = `${headText(head)} ${durationText(duration)} |  ${'  '.repeat(depth)}} /* ${called.name}${returned.returned === undefined ? '' : ` ret=${returned.returned}`} */`;
      return { ...common, raw, kind: 'return', function: called, depth, duration, ...returned };
    }
    case 'print':
    case 'bputs':
    case 'bprint': {
      const text = printed(reading, format.name, values)?.replace(/\n+$/, '');
      if (text === undefined) return undefined;
      const { name } = functionOf(reading, address('ip'));
      const raw = `${headText(head)} ${name}: ${text}`;
      return name === MARKER ? { ...common, raw, kind: 'marker', text } : { ...common, raw, kind: 'event', name, text };
    }
    default:
      return undefined;
  }
}

/** What trace_printk() wrote, and who writes into trace_marker. */
function printed(
  { names, isLittle }: DatReading,
  event: 'print' | 'bputs' | 'bprint',
  values: Values,
): string | undefined {
  if (event === 'print') {
    const text = values.value('buf');
    return typeof text === 'string' ? text : undefined;
  }
  const address = values.value(event === 'bputs' ? 'str' : 'fmt');
  if (typeof address !== 'bigint') return undefined;
  const at = BigInt.asUintN(64, address);
  const format = names.text(at);
  if (format === undefined) return `its text at 0x${at.toString(16)} is not in printk_formats`;
  return event === 'bputs' ? format : printBinary(format, values.bytes('buf') ?? new Uint8Array(0), isLittle, names);
}

function plainEntry(reading: DatReading, { format, print }: DatEvent, values: Values, head: EntryHead): TraceEntry {
  const fields: Record<string, TraceFieldCell> = {};
  const list: string[] = [];
  for (const field of format.fields) {
    const value = values.value(field.name);
    if (value === undefined) continue;
    fields[field.name] = cellOf(value, field);
    list.push(`${field.name}=${listed(value)}`);
  }
  const text =
    print === undefined
      ? undefined
      : printText(
          print.format,
          print.args.map((arg) => evaluatePrint(arg, values)),
          reading.names,
        );
  return eventEntry(head, format.name, (text ?? list.join(' ')).trimEnd(), fields);
}

function eventEntry(
  head: EntryHead,
  name: string,
  text: string,
  fields: Readonly<Record<string, TraceFieldCell>>,
): TraceEntry {
  return { ...head, sequence: 0, raw: `${headText(head)} ${name}: ${text}`, kind: 'event', name, text, fields };
}

function functionOf({ functionAt }: DatReading, address: bigint): TraceFunction {
  const found = functionAt(address);
  if (found === undefined) return { name: `0x${address.toString(16)}`, address };
  const { offset: _, ...named } = found;
  return { ...named, address: address - BigInt(found.offset ?? 0) };
}

function framesOf(reading: DatReading, value: EventValue | undefined, isKernel: boolean): readonly TraceFunction[] {
  if (!Array.isArray(value)) return [];
  const addresses = (value as readonly bigint[]).map((each) => BigInt.asUintN(64, each)).slice(0, STACK_MAX);
  const end = addresses.findIndex((address) => address === 0xffff_ffff_ffff_ffffn || address === 0n);
  return addresses.slice(0, end < 0 ? undefined : end).map((address) => {
    if (address === TRAMPOLINE && isKernel) return { name: '[FTRACE TRAMPOLINE]' };
    const found = isKernel ? reading.functionAt(address) : undefined;
    return found ?? { name: `0x${address.toString(16)}`, address };
  });
}

/** As funcgraph-retval prints it: small numbers and error numbers in decimal. */
function returnText(value: bigint): string {
  const signed = BigInt.asIntN(64, value);
  const short = BigInt.asIntN(32, value);
  if (signed >= -4095n && signed <= 4095n) return signed.toString();
  return BigInt.asUintN(64, value) <= 0xffff_ffffn && short >= -4095n && short < 0n
    ? short.toString()
    : `0x${BigInt.asUintN(64, value).toString(16)}`;
}

/** Addresses and words of 64 bits in hex, as everywhere in JSON; other numbers as they are. */
function cellOf(value: EventValue, field: EventField): TraceFieldCell {
  if (typeof value === 'string') return value;
  if (value instanceof Uint8Array) return listed(value);
  if (typeof value === 'bigint') return integerCell(value, field);
  return value.map((each) => integerCell(each, field));
}

function integerCell(value: bigint, { type, isSigned }: EventField): number | string {
  const isWord = type.includes('*') || (!isSigned && /\blong\b|64/.test(type));
  return isWord ? `0x${BigInt.asUintN(64, value).toString(16)}` : Number(value);
}
