/**
 * Enums, and the values of their constants. An enum64 record holds 64-bit values and says by kind_flag whether they are
 * signed; an enum record holds 32-bit ones, and says so only since the same time (6089fb325cf7 "bpf: Add btf enum64
 * support", v6.0).
 */
import type { Btf, BtfRecord } from '../formats/btf.ts';
import { BTF_KIND } from '../formats/btf-kind.ts';
import type { EnumType } from './type.ts';

/**
 * Negative constants of the kernel are small (-1, -EINVAL); a large constant without a sign (1u << 31, 0xffff0000) looks
 * like a negative number far from 0. Where a record does not say which it holds, this tells them apart.
 */
const SMALL_NEGATIVE = -4096;

/** The type of an enum or enum64 record; its constants are read when asked for. */
export function enumType(btf: Btf, record: BtfRecord): EnumType {
  let enumerators: EnumType['enumerators'] | undefined;
  const { signed, values } = enumeratorValues(btf, record);
  const words = record.kind === BTF_KIND.enum64 ? 3 : 2;
  return {
    kind: 'enum',
    name: record.name || undefined,
    size: record.size,
    signed,
    get enumerators() {
      enumerators ??= values().map((value, i) => ({ name: record.nameAt(i * words), value }));
      return enumerators;
    },
  };
}

function enumeratorValues(
  btf: Btf,
  record: BtfRecord,
): { readonly signed: boolean; readonly values: () => readonly bigint[] } {
  const indices = Array.from({ length: record.vlen }, (_, i) => i);
  if (record.kind === BTF_KIND.enum64) {
    const width = (value: bigint) => (record.flag ? BigInt.asIntN(64, value) : value);
    const value = (i: number) => (BigInt(record.word(i * 3 + 2)) << 32n) | BigInt(record.word(i * 3 + 1));
    return { signed: record.flag, values: () => indices.map((i) => width(value(i))) };
  }
  const raw = (i: number) => record.word(i * 2 + 1) | 0;
  const signed = btf.enumsAreMarked ? record.flag : looksSigned(indices.map(raw));
  return { signed, values: () => indices.map((i) => BigInt(signed ? raw(i) : raw(i) >>> 0)) };
}

function looksSigned(values: readonly number[]): boolean {
  const negative = values.filter((value) => value < 0);
  return negative.length > 0 && negative.every((value) => value >= SMALL_NEGATIVE);
}
