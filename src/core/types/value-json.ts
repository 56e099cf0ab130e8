/**
 * Values as JSON: structures are objects in which members of anonymous ones count as their own, ints up to 32 bits are
 * numbers, wider ones and pointers `0x` strings, enums names, char arrays text. The form depends on the type alone and
 * not on the value, so that a program can rely on it; only what cannot be read is `{"fault": message}` instead.
 */
import { FaultError } from '../errors.ts';
import { formatHex } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { formatEnum } from './format-enum.ts';
import { type ArrayType, type CompoundType, type IntType, resolve } from './type.ts';
import type { Value } from './value.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

export interface JsonOptions {
  /** Elements of an array at most; 256 unless said. */
  readonly printMax?: number;
  /** Structures deeper than this are null; 20 unless said. */
  readonly depthMax?: number;
}

/** Elements and members of one value altogether. */
const BUDGET = 100_000;

interface Writer {
  readonly printMax: number;
  readonly depthMax: number;
  budget: number;
}

export function valueToJson(value: Value, options: JsonOptions = {}): Json {
  const writer = { printMax: options.printMax ?? 256, depthMax: options.depthMax ?? 20, budget: BUDGET };
  return toJson(value, writer, 0);
}

function toJson(value: Value, writer: Writer, level: number): Json {
  try {
    return readableToJson(value, writer, level);
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return { fault: error.fault.message };
  }
}

function readableToJson(value: Value, writer: Writer, level: number): Json {
  const type = resolve(value.type);
  switch (type.kind) {
    case 'struct':
    case 'union':
      return compoundToJson(value, type, writer, level);
    case 'array':
      return arrayToJson(value, type, writer, level);
    case 'int':
      return integerToJson(value, type);
    case 'enum':
      return enumToJson(value);
    case 'pointer':
      return formatHex(value.toBigInt());
    case 'float': {
      const number = value.toNumber();
      return Number.isFinite(number) ? number : String(number);
    }
    case 'function':
      return value.address === undefined ? null : formatHex(value.address);
    default:
      return null;
  }
}

function compoundToJson(value: Value, type: CompoundType, writer: Writer, level: number): Json {
  if (level >= writer.depthMax) return null;
  const readable = value.readable();
  if (readable instanceof Fault) throw new FaultError(readable);
  const entries: [string, Json][] = [];
  addMembers(readable, type, writer, level, entries);
  return Object.fromEntries(entries);
}

function addMembers(value: Value, type: CompoundType, writer: Writer, level: number, entries: [string, Json][]): void {
  for (const member of type.members) {
    if (writer.budget-- <= 0) return;
    const part = value.memberAt(member);
    const inner = resolve(part.type);
    if (member.name !== undefined) entries.push([member.name, toJson(part, writer, level + 1)]);
    else if ((inner.kind === 'struct' || inner.kind === 'union') && level < writer.depthMax) {
      addMembers(part, inner, writer, level + 1, entries);
    }
  }
}

function arrayToJson(value: Value, type: ArrayType, writer: Writer, level: number): Json {
  const element = resolve(type.element);
  // Only `char` is text: `unsigned char` arrays are MAC addresses, keys and maps of bits.
  if (element.kind === 'int' && element.name === 'char' && type.count > 0) return value.string();
  const readable = value.readable();
  if (readable instanceof Fault) throw new FaultError(readable);
  const elements: Json[] = [];
  for (let i = 0; i < Math.min(type.count, writer.printMax) && writer.budget-- > 0; i++) {
    elements.push(toJson(readable.index(i), writer, level + 1));
  }
  return elements;
}

function integerToJson(value: Value, type: IntType): Json {
  const number = value.toBigInt();
  if (type.bool) return number !== 0n;
  return type.size <= 4 ? Number(number) : formatHex(number);
}

/** The constant's name, `A | B` for flags, or the number when it is neither. */
function enumToJson(value: Value): Json {
  const type = resolve(value.type);
  const number = value.toBigInt();
  const text = type.kind === 'enum' ? formatEnum(number, type, 10) : '';
  if (text !== number.toString()) return text.replace(/^\((.*)\)$/, '$1');
  return value.size <= 4 ? Number(number) : formatHex(number);
}
