/**
 * Calls that probes saw as rows: what was fetched by its C type, errors by their names, with the task, the function and
 * every pointer to be followed.
 */

import type { TraceEntry } from '../formats/trace-entry.ts';
import { returnedErrno } from '../kernel/errno.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { mayBeErrno, type ProbeArgument } from '../kernel/probe-argument.ts';
import { type ProbeCall, ProbeCalls } from '../kernel/probe-calls.ts';
import type { ProbeValue } from '../kernel/probe-hit.ts';
import type { Probe } from '../kernel/probe-plan.ts';
import { formatAddress } from '../memory/address.ts';
import { type Cell, type Item, type Row, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { formatEnum } from '../types/format-enum.ts';
import { resolve } from '../types/type.ts';
import { typeName } from '../types/type-name.ts';
import { entryCells, functionSpan, headSpans, stackLines, traceItem } from './trace-view.ts';

/** Entries of a trace as rows, hits of probes among them. */
export class TraceItems {
  /** True where an entry may wait for another that belongs to it. */
  readonly joins: boolean;
  readonly #kernel: Kernel;
  readonly #calls: ProbeCalls;

  constructor(kernel: Kernel, probes: readonly Probe[]) {
    this.joins = probes.length > 0;
    this.#kernel = kernel;
    this.#calls = new ProbeCalls(probes);
  }

  /** The rows that an entry completes. */
  push(entry: TraceEntry): readonly Item[] {
    return this.#calls.push(entry).map((each) => this.#item(each));
  }

  /** The rows of what is not complete: calls that have not returned. */
  flush(): readonly Item[] {
    return this.#calls.end().map((each) => this.#item(each));
  }

  #item(each: ProbeCall | TraceEntry): Item {
    if (!('probe' in each)) return traceItem(this.#kernel, each);
    return row(callRow(each), () => callLines(this.#kernel, each));
  }
}

function callRow({ probe, entry, at, values, nanoseconds, hasReturned }: ProbeCall): Row {
  const isReturn = probe.events.some((event) => event.isReturn);
  const errno = values.map(errnoOf).find((name) => name !== undefined);
  return {
    ...entryCells(entry),
    kind: 'probe',
    probe: probe.name,
    function: probe.target.place,
    [isReturn ? 'caller' : 'at']: at?.name ?? null,
    values: Object.fromEntries(values.map((value) => [value.argument.name, cellOf(value)])),
    ...(isReturn ? { returned: hasReturned, errno: errno ?? null } : {}),
    ...(nanoseconds === undefined ? {} : { microseconds: Number(nanoseconds) / 1000 }),
  };
}

function callLines(kernel: Kernel, { probe, entry, at, values, nanoseconds, hasReturned }: ProbeCall): readonly Line[] {
  const name = entry.kind === 'event' ? entry.name : '';
  const end = entry.raw.indexOf(`${name}: (`);
  const head = end < 0 ? '' : entry.raw.slice(0, end);
  const isReturn = probe.events.some((event) => event.isReturn);
  const parts: Span[] = [
    ...headSpans(entry, head),
    functionSpan(kernel, { name: probe.target.name }, probe.name),
    ...values.flatMap((value): readonly Span[] => [` ${value.argument.name}=`, ...valueSpans(kernel, value)]),
    ...(hasReturned ? [] : [span(' has not returned', undefined, 'dim')]),
    ...(nanoseconds === undefined ? [] : [span(` ${Number(nanoseconds) / 1000} us`, undefined, 'dim')]),
    ...(isReturn && hasReturned && at !== undefined ? [' <- ', functionSpan(kernel, at, at.name)] : []),
  ];
  return [parts, ...stackLines(kernel, entry)];
}

function errnoOf({ argument, text }: ProbeValue): string | undefined {
  if (typeof text !== 'string' || !mayBeErrno(argument)) return undefined;
  return returnedErrno(integerOf(text, argument));
}

function cellOf({ argument, text }: ProbeValue): Cell {
  if (text === undefined) return null;
  if (typeof text !== 'string') return text.map((each) => cellOf({ argument: elementOf(argument), text: each }));
  if (!isInteger(text)) return text;
  const value = integerOf(text, argument);
  const type = argument.type === undefined ? undefined : resolve(argument.type);
  if (type?.kind === 'int' && type.bool) return value !== 0n;
  if (type?.kind === 'enum') return formatEnum(value, type, 10);
  if (isAddress(argument)) return BigInt.asUintN(64, value);
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : BigInt.asUintN(64, value);
}

function valueSpans(kernel: Kernel, value: ProbeValue): readonly Span[] {
  const { argument, text } = value;
  if (text === undefined) return [span('<fault>', undefined, 'error')];
  if (typeof text !== 'string') return [`{${text.join(', ')}}`];
  if (/^(?:u?string|symstr)$/.test(argument.kernelType)) return [JSON.stringify(text)];
  if (argument.kernelType === 'symbol') return [functionSpan(kernel, { name: text.replace(/\+.*$/, '') }, text)];
  const errno = errnoOf(value);
  if (errno !== undefined)
    return [span(`${BigInt.asIntN(64, integerOf(text, argument))} ${errno}`, undefined, 'error')];
  const cell = cellOf(value);
  if (!isAddress(argument) || typeof cell !== 'bigint') return [String(cell)];
  if (cell === 0n) return ['NULL'];
  const target = argument.type === undefined ? undefined : resolve(argument.type);
  const type = target?.kind === 'pointer' ? typeName(target.target) : undefined;
  const ref = { kind: 'address', address: cell, ...(type === undefined ? {} : { type }) } as const;
  return [span(formatAddress(cell), ref, 'address')];
}

/** Pointers, and what nobody knows to be a number. */
function isAddress({ type, kernelType }: ProbeArgument): boolean {
  return type === undefined ? kernelType === 'x64' : resolve(type).kind === 'pointer';
}

function isInteger(text: string): boolean {
  return /^-?\d+$|^0x[0-9a-f]+$/.test(text);
}

/** The kernel prints bitfields without their sign. */
function integerOf(text: string, { type, kernelType }: ProbeArgument): bigint {
  const value = BigInt(text);
  const bits = Number(/^b(\d+)@/.exec(kernelType)?.[1] ?? 0);
  const resolved = type === undefined ? undefined : resolve(type);
  const isSigned = (resolved?.kind === 'int' || resolved?.kind === 'enum') && resolved.signed;
  return bits > 0 && isSigned ? BigInt.asIntN(bits, value) : value;
}

function elementOf(argument: ProbeArgument): ProbeArgument {
  const type = argument.type === undefined ? undefined : resolve(argument.type);
  const kernelType = argument.kernelType.replace(/\[\d+\]$/, '');
  return { ...argument, kernelType, type: type?.kind === 'array' ? type.element : undefined };
}
