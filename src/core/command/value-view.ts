/**
 * How commands show values: with the session's radix and bounds, addresses named, parts that remember what they are.
 */
import { KdbgError } from '../errors.ts';
import type { Line } from '../output/line.ts';
import type { FormatOptions, Symbolise } from '../types/printer.ts';
import { symboliser } from '../types/symbolise.ts';
import type { ValueLine } from '../types/value-line.ts';
import type { Scope } from './scope.ts';
import { offsetRadix, valueRadix } from './settings.ts';

/** `-x` and `-d` of a command that prints numbers. */
export interface RadixFlags {
  readonly x: boolean;
  readonly d: boolean;
}

/** The radix that a command's own flags choose, else the session's. */
export function chosenRadix(flags: RadixFlags, session: 10 | 16): 10 | 16 {
  if (flags.x) return 16;
  return flags.d ? 10 : session;
}

export function formatOptions(scope: Scope, flags: RadixFlags): FormatOptions {
  return {
    radix: chosenRadix(flags, valueRadix(scope.settings)),
    printMax: scope.settings.print_max,
    symbolise: symbolise(scope),
  };
}

/** Names addresses; on a target without symbols nothing has a name. */
export function symbolise(scope: Scope): Symbolise {
  try {
    return symboliser(scope.kernel.symbols, offsetRadix(scope.settings));
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return () => undefined;
    throw error;
  }
}

/** Lines of a printed value as lines of output. */
export function valueLines(lines: readonly ValueLine[], indent = ''): readonly Line[] {
  return indent === '' ? lines : lines.map((line) => [indent, ...line]);
}
