/**
 * Where a function's parameters are when it is entered, by the System V calling convention of x86-64 (ABI 1.0, 3.2.3).
 * Integers and pointers take the six integer registers in turn, an aggregate of at most 16 bytes one or two of them
 * together or none at all; what finds no register left is on the stack above the return address, and so is every
 * larger aggregate. The kernel passes nothing in floating-point registers.
 *
 * The kernel's probe language counts these registers as `$arg1` to `$arg6` and goes on with the words of the stack.
 * Before a1303af5d79e "tracing: probeevent: Add $argN for accessing function args" (v4.20) they have only their own names.
 */
import { type CType, type FunctionType, resolve, sizeOf } from '../types/type.ts';

export interface ProbeParameter {
  readonly name: string;
  readonly type: CType;
  /** `$argN` that holds it or its first 8 bytes; undefined for an aggregate on the stack. */
  readonly number: number | undefined;
  /** For an aggregate on the stack: the word of the stack where it begins, the return address being word 0. */
  readonly stackWord: number | undefined;
}

const REGISTERS = ['di', 'si', 'dx', 'cx', 'r8', 'r9'] as const;
const WORD = 8;
const PARAMETERS_MAX = 64;

/** The parameters in order; one without a name is `arg1`, `arg2` and so on. */
export function probeParameters({ parameters }: FunctionType): readonly ProbeParameter[] {
  let register = 1;
  let stackWord = 1;
  return parameters.slice(0, PARAMETERS_MAX).map(({ name, type }, i) => {
    const words = Math.max(1, Math.ceil(sizeOf(type) / WORD));
    const common = { name: name ?? `arg${i + 1}`, type };
    const fits = !(isAggregate(type) && words > 2) && register + words - 1 <= REGISTERS.length;
    if (fits) {
      const number = register;
      register += words;
      return { ...common, number, stackWord: undefined };
    }
    const at = stackWord;
    stackWord += words;
    if (!isAggregate(type)) return { ...common, number: REGISTERS.length + at, stackWord: undefined };
    return { ...common, number: undefined, stackWord: at };
  });
}

/** True for a struct or union that is passed by value. */
export function isAggregate(type: CType): boolean {
  const { kind } = resolve(type);
  return kind === 'struct' || kind === 'union';
}

/** `$argN` by the register's own name, or the stack's word: for kernels and probes of programs, which do not count them. */
export function namedRegisters(fetch: string): string {
  return fetch.replace(/\$arg(\d+)\b/g, (_, text: string) => {
    const register = REGISTERS[Number(text) - 1];
    return register === undefined ? `$stack${Number(text) - REGISTERS.length}` : `%${register}`;
  });
}
