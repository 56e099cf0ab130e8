/** The fields of a record of the ring buffer as values, typed as the event's format says. */
import { decodeCString } from '../memory/text.ts';
import { type EventField, elementSize } from './event-format.ts';

/** Integers, texts, bytes as they are, arrays of integers. */
export type EventValue = bigint | string | Uint8Array | readonly bigint[];

const ARRAY_MAX = 1024;

/** Undefined where the record is too short for it. */
export function fieldValue(data: DataView, field: EventField, isLittle: boolean): EventValue | undefined {
  if (field.location === 'here' && field.count === undefined) {
    return integerAt(data, field.offset, field.size, field.isSigned, isLittle);
  }
  const bytes = fieldBytes(data, field, isLittle);
  if (bytes === undefined) return undefined;
  if (/\bchar\b/.test(field.type)) return decodeCString(bytes);
  const size = elementSize(field.type.replace(/\[.*/, ''));
  return size === 1 ? bytes : integersOf(bytes, size, field.isSigned, isLittle);
}

/** The bytes of an array, wherever they are. */
export function fieldBytes(data: DataView, field: EventField, isLittle: boolean): Uint8Array | undefined {
  let { offset, size } = field;
  if (field.location !== 'here') {
    const word = integerAt(data, offset, 4, false, isLittle);
    if (word === undefined) return undefined;
    const place = Number(word) & 0xffff;
    size = Number(word) >>> 16;
    offset = field.location === 'relative' ? offset + 4 + place : place;
  } else if (field.count === 0) size = data.byteLength - offset;
  if (offset > data.byteLength || size < 0) return undefined;
  return new Uint8Array(data.buffer, data.byteOffset + offset, Math.min(size, data.byteLength - offset));
}

export function integersOf(bytes: Uint8Array, size: number, isSigned: boolean, isLittle: boolean): readonly bigint[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const count = Math.min(ARRAY_MAX, Math.floor(bytes.length / size));
  return Array.from({ length: count }, (_, i) => integerAt(view, i * size, size, isSigned, isLittle) ?? 0n);
}

function integerAt(
  data: DataView,
  offset: number,
  size: number,
  isSigned: boolean,
  isLittle: boolean,
): bigint | undefined {
  if (offset + size > data.byteLength) return undefined;
  switch (size) {
    case 1:
      return BigInt(isSigned ? data.getInt8(offset) : data.getUint8(offset));
    case 2:
      return BigInt(isSigned ? data.getInt16(offset, isLittle) : data.getUint16(offset, isLittle));
    case 4:
      return BigInt(isSigned ? data.getInt32(offset, isLittle) : data.getUint32(offset, isLittle));
    case 8:
      return isSigned ? data.getBigInt64(offset, isLittle) : data.getBigUint64(offset, isLittle);
    default:
      return undefined;
  }
}
