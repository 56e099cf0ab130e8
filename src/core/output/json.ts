/**
 * Rows as JSON: a 64-bit value is a `0x` string because JSON numbers lose it, a PID or a count is a number, and a
 * value that could not be read says so in its place.
 */
import { formatHex } from '../memory/address.ts';
import { Fault } from '../memory/fault.ts';
import { Value } from '../types/value.ts';
import { valueToJson } from '../types/value-json.ts';

/** A cell, or anything within one, as plain JSON data. Bounded in depth: a value may hold itself. */
export function toJson(cell: unknown, depth = 0): unknown {
  if (typeof cell === 'bigint') return formatHex(cell);
  if (cell === undefined || cell === null) return null;
  if (typeof cell !== 'object') return typeof cell === 'function' ? null : cell;
  if (cell instanceof Value) return valueToJson(cell);
  if (cell instanceof Fault) return { fault: cell.message };
  if (depth > 64) return null;
  if (Array.isArray(cell)) return cell.map((each) => toJson(each, depth + 1));
  if ('toJSON' in cell && typeof cell.toJSON === 'function') return toJson(cell.toJSON(), depth + 1);
  const object: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(cell)) if (value !== undefined) object[name] = toJson(value, depth + 1);
  return object;
}
