/** The arguments of an event's `print fmt:` evaluated on a record. */
import { elementSize } from './event-format.ts';
import { type EventValue, integersOf } from './event-value.ts';
import type { PrintExpression } from './print-syntax.ts';

/** What an expression is evaluated on. */
export interface PrintRecord {
  readonly isLittle: boolean;
  value(field: string): EventValue | undefined;
  /** An array's bytes. */
  bytes(field: string): Uint8Array | undefined;
}

type Call = Extract<PrintExpression, { readonly kind: 'call' }>;

const HEX_BYTES_MAX = 4096;

/** Undefined where it is not understood, or the record is too short. */
export function evaluatePrint(expression: PrintExpression, record: PrintRecord): EventValue | undefined {
  const evaluate = (inner: PrintExpression): EventValue | undefined => evaluatePrint(inner, record);
  switch (expression.kind) {
    case 'number':
    case 'text':
      return expression.value;
    case 'field':
      return record.value(expression.name);
    case 'cast':
      return castTo(expression.type, evaluate(expression.of));
    case 'unary':
      return unary(expression.operator, evaluate(expression.of));
    case 'binary':
      return binary(expression.operator, integer(evaluate(expression.left)), integer(evaluate(expression.right)));
    case 'choice': {
      const test = evaluate(expression.test);
      if (test === undefined) return undefined;
      return evaluate(test === 0n ? expression.no : expression.yes);
    }
    case 'index': {
      const of = evaluate(expression.of);
      const at = Number(integer(evaluate(expression.at)) ?? -1n);
      if (of instanceof Uint8Array) return of[at] === undefined ? undefined : BigInt(of[at]);
      return Array.isArray(of) ? (of as readonly bigint[])[at] : undefined;
    }
    case 'call':
      return callOf(expression, record);
    case 'name':
      return expression.name === 'true' ? 1n : expression.name === 'false' ? 0n : undefined;
    case 'list':
      return undefined;
  }
}

function integer(value: EventValue | undefined): bigint | undefined {
  return typeof value === 'bigint' ? value : undefined;
}

function castTo(type: string, value: EventValue | undefined): EventValue | undefined {
  if (typeof value !== 'bigint' || type.includes('*') || type.includes('void')) return value;
  const bits = 8 * elementSize(type);
  const isUnsigned = /\b(?:unsigned|__?u\d+|u\d+|uint\d+_t|size_t|bool|gfp_t|dev_t|umode_t|__[bl]e\d+)\b/.test(type);
  return isUnsigned ? BigInt.asUintN(bits, value) : BigInt.asIntN(bits, value);
}

function unary(operator: string, value: EventValue | undefined): EventValue | undefined {
  // The address of a field stands for its bytes, and so does what it points at.
  if (operator === '&' || operator === '*') return value;
  if (typeof value !== 'bigint') return undefined;
  if (operator === '!') return value === 0n ? 1n : 0n;
  if (operator === '~') return ~value;
  return operator === '-' ? -value : value;
}

function binary(operator: string, left: bigint | undefined, right: bigint | undefined): bigint | undefined {
  if (left === undefined || right === undefined) return undefined;
  const truth = (is: boolean): bigint => (is ? 1n : 0n);
  switch (operator) {
    case '||':
      return truth(left !== 0n || right !== 0n);
    case '&&':
      return truth(left !== 0n && right !== 0n);
    case '==':
      return truth(left === right);
    case '!=':
      return truth(left !== right);
    case '<':
      return truth(left < right);
    case '>':
      return truth(left > right);
    case '<=':
      return truth(left <= right);
    case '>=':
      return truth(left >= right);
    case '|':
      return left | right;
    case '^':
      return left ^ right;
    case '&':
      return left & right;
    case '<<':
      return right < 0n || right > 63n ? undefined : BigInt.asUintN(64, left << right);
    case '>>':
      return right < 0n || right > 63n ? undefined : left >> right;
    case '+':
      return left + right;
    case '-':
      return left - right;
    case '*':
      return BigInt.asIntN(64, left * right);
    case '/':
      return right === 0n ? undefined : left / right;
    case '%':
      return right === 0n ? undefined : left % right;
    default:
      return undefined;
  }
}

function callOf({ name, args }: Call, record: PrintRecord): EventValue | undefined {
  const evaluate = (i: number): EventValue | undefined => {
    const arg = args[i];
    return arg === undefined ? undefined : evaluatePrint(arg, record);
  };
  const field = args[0]?.kind === 'name' || args[0]?.kind === 'field' ? args[0].name : '';
  switch (name) {
    case '__get_str':
    case '__get_rel_str':
      return record.value(field);
    case '__get_dynamic_array':
    case '__get_rel_dynamic_array':
    case '__get_bitmask':
    case '__get_rel_bitmask':
    case '__get_cpumask':
    case '__get_rel_cpumask':
    case '__get_sockaddr':
    case '__get_rel_sockaddr':
      return record.bytes(field);
    case '__get_dynamic_array_len':
    case '__get_rel_dynamic_array_len': {
      const bytes = record.bytes(field);
      return bytes === undefined ? undefined : BigInt(bytes.length);
    }
    case '__print_flags':
    case '__print_flags_u64':
      return flags(integer(evaluate(0)), evaluate(1), args.slice(2), record);
    case '__print_symbolic':
    case '__print_symbolic_u64':
      return symbolic(integer(evaluate(0)), args.slice(1), record);
    case '__print_hex':
    case '__print_hex_str':
      return hex(evaluate(0), integer(evaluate(1)), name === '__print_hex' ? ' ' : '');
    case '__print_array':
      return array(evaluate(0), integer(evaluate(1)), integer(evaluate(2)), record.isLittle);
    case '__print_ns_to_secs':
      return binary('/', integer(evaluate(0)), 1_000_000_000n);
    case '__print_ns_without_secs':
      return binary('%', integer(evaluate(0)), 1_000_000_000n);
    case '__builtin_expect':
      return evaluate(0);
    case 'sizeof':
      return args[0]?.kind === 'text' ? BigInt(elementSize(args[0].value)) : undefined;
    default:
      return undefined;
  }
}

/** `{ value, "name" }` lists; those that end a table with NULL, or name what is not known, are left out. */
function named(
  lists: readonly PrintExpression[],
  record: PrintRecord,
): readonly { readonly value: bigint; readonly name: string }[] {
  return lists.flatMap((list) => {
    if (list.kind !== 'list' || list.items.length !== 2) return [];
    const [value, name] = list.items.map((item) => evaluatePrint(item, record));
    return typeof value === 'bigint' && typeof name === 'string' ? [{ value, name }] : [];
  });
}

/** As trace_print_flags_seq(): names of the bits that are set, the rest in hex. */
function flags(
  value: bigint | undefined,
  delimiter: EventValue | undefined,
  lists: readonly PrintExpression[],
  record: PrintRecord,
): string | undefined {
  if (value === undefined || typeof delimiter !== 'string') return undefined;
  let rest = BigInt.asUintN(64, value);
  const names: string[] = [];
  for (const { value: mask, name } of named(lists, record)) {
    const bits = BigInt.asUintN(64, mask);
    if ((rest & bits) !== bits || (bits === 0n && rest !== 0n)) continue;
    if (bits === 0n && names.length > 0) continue;
    names.push(name);
    rest &= ~bits;
  }
  if (rest !== 0n) names.push(`0x${rest.toString(16)}`);
  return names.join(delimiter);
}

function symbolic(
  value: bigint | undefined,
  lists: readonly PrintExpression[],
  record: PrintRecord,
): string | undefined {
  if (value === undefined) return undefined;
  const bits = BigInt.asUintN(64, value);
  const found = named(lists, record).find((each) => BigInt.asUintN(64, each.value) === bits);
  return found?.name ?? `0x${bits.toString(16)}`;
}

function hex(value: EventValue | undefined, count: bigint | undefined, between: string): string | undefined {
  if (!(value instanceof Uint8Array) || count === undefined) return undefined;
  const length = Number(count > BigInt(HEX_BYTES_MAX) ? BigInt(HEX_BYTES_MAX) : count);
  return [...value.subarray(0, length)].map((byte) => byte.toString(16).padStart(2, '0')).join(between);
}

function array(
  value: EventValue | undefined,
  count: bigint | undefined,
  size: bigint | undefined,
  isLittle: boolean,
): string | undefined {
  if (count === undefined || size === undefined || ![1n, 2n, 4n, 8n].includes(size)) return undefined;
  const all = value instanceof Uint8Array ? integersOf(value, Number(size), false, isLittle) : value;
  if (!Array.isArray(all)) return undefined;
  const shown = (all as readonly bigint[]).slice(0, Number(BigInt.asUintN(16, count)));
  return `{${shown.map((each) => `0x${BigInt.asUintN(8 * Number(size), each).toString(16)}`).join(',')}}`;
}
