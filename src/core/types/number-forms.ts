/**
 * A number in every base, as `eval` shows it. Values are 64 bits: a negative one is shown with its two's complement.
 */

export interface NumberForms {
  /** The 64 bits as an unsigned number. */
  readonly value: bigint;
  /** Hex digits without 0x. */
  readonly hexadecimal: string;
  /** `128MB` for a whole number of KB, MB, GB, TB. */
  readonly size: string | undefined;
  readonly decimal: string;
  /** The same bits as a signed number, when that is another number: `-1`. */
  readonly negative: string | undefined;
  readonly octal: string;
  /** 64 binary digits. */
  readonly binary: string;
  /** Numbers of the bits that are set, highest first. */
  readonly bitsSet: readonly number[];
}

const UNITS = ['KB', 'MB', 'GB', 'TB', 'PB', 'EB'];

export function numberForms(number: bigint): NumberForms {
  const value = BigInt.asUintN(64, number);
  const signed = BigInt.asIntN(64, number);
  const binary = value.toString(2).padStart(64, '0');
  return {
    value,
    hexadecimal: value.toString(16),
    size: sizeLabel(value),
    decimal: value.toString(),
    negative: signed < 0n ? signed.toString() : undefined,
    octal: value.toString(8),
    binary,
    bitsSet: [...binary].flatMap((digit, i) => (digit === '1' ? [63 - i] : [])),
  };
}

/** The largest unit that divides the value; undefined below 1 KB and for what no unit divides. */
function sizeLabel(value: bigint): string | undefined {
  let label: string | undefined;
  let rest = value;
  for (const unit of UNITS) {
    if (rest === 0n || rest % 1024n !== 0n) break;
    rest /= 1024n;
    label = `${rest}${unit}`;
  }
  return label;
}
