/**
 * An argument of a probe as a user writes it, `[NAME=]PATH[:TYPE]`, compiled to one of the kernel's. What begins with a
 * sign of the kernel's own language (`%di`, `+8(%di)`, `@jiffies`) is handed on as it is.
 */
import { UsageError } from '../errors.ts';
import { parseExpression } from '../types/expression-parser.ts';
import { type CType, resolve } from '../types/type.ts';
import { type ProbeNames, probeOperand } from './probe-path.ts';
import { isProbeType, probeFetch } from './probe-type.ts';

export interface ProbeArgument {
  readonly name: string;
  /** As the user wrote it. */
  readonly source: string;
  /** In the kernel's language: `+40($arg1)`. */
  readonly fetch: string;
  readonly kernelType: string;
  /** The C type of the value, by which it is shown; undefined where it is shown as the kernel prints it. */
  readonly type: CType | undefined;
}

/** The parts of an argument's text. */
export interface ProbeArgumentText {
  readonly name: string | undefined;
  readonly path: string;
  /** Where the path begins. */
  readonly at: number;
  readonly type: string | undefined;
}

/** MAX_ARGSTR_LEN and MAX_ARG_NAME_LEN of kernel/trace/trace_probe.h; MAX_TRACE_ARGS is 128. */
const FETCH_MAX = 63;
const NAME_MAX = 31;
export const ARGUMENTS_MAX = 64;
const OWN_LANGUAGE = /^[%@+\\-]/;
/** Fields that every probe's event has (kernel/trace/trace_probe.c, reserved_field_names). */
const RESERVED = /^(?:common_\w*|__probe_\w*)$/;

export function splitArgument(text: string): ProbeArgumentText {
  const name = /^([A-Za-z_]\w*)=(?!=)/.exec(text)?.[1];
  const at = name === undefined ? 0 : name.length + 1;
  const colon = text.lastIndexOf(':');
  const isTyped = colon > at && /^(?:[a-z]+\d*(?:\[\d+\])?|b\d+@\d+\/\d+)$/.test(text.slice(colon + 1));
  return {
    name,
    path: isTyped ? text.slice(at, colon) : text.slice(at),
    at,
    type: isTyped ? text.slice(colon + 1) : undefined,
  };
}

/** The arguments of one probe. Throws UsageError with a column within the text of the one that is wrong. */
export function probeArguments(texts: readonly string[], names: ProbeNames): readonly ProbeArgument[] {
  if (texts.length > ARGUMENTS_MAX) throw new UsageError(`a probe has at most ${ARGUMENTS_MAX} arguments`);
  const taken = new Set<string>();
  return texts.map((text) => {
    const argument = probeArgument(text, names, taken);
    taken.add(argument.name);
    return argument;
  });
}

function probeArgument(text: string, names: ProbeNames, taken: ReadonlySet<string>): ProbeArgument {
  const parts = splitArgument(text);
  const { name, path, at, type } = parts;
  const wrong = (message: string, column = at, hint?: string): UsageError =>
    new UsageError(message, { source: text, column, ...(hint === undefined ? {} : { hint }) });
  if (type !== undefined && !isProbeType(type)) {
    const hint = 'u8 to u64, s8 to s64, x8 to x64, char, string, ustring, symbol, and u8[16] for several';
    throw wrong(`"${type}" is no type of the kernel's probes`, text.length - type.length, hint);
  }
  const chosen = name ?? freeName(defaultName(path), taken);
  if (taken.has(chosen)) throw wrong(`two arguments are named ${chosen}`, 0, 'NAME=PATH gives another name');
  if (chosen.length > NAME_MAX || RESERVED.test(chosen)) throw wrong(`${chosen} cannot be the name of an argument`, 0);
  const isOwn = OWN_LANGUAGE.test(path);
  if (isOwn && !/^[\w%@+$().\\-]+$/.test(path)) throw wrong(`"${path}" is nothing that the kernel's probes fetch`);
  const compiled = isOwn
    ? { fetch: path, kernelType: type ?? 'x64', type: undefined }
    : compiledPath(text, parts, names);
  if (compiled.fetch.length > FETCH_MAX) {
    throw wrong(`"${compiled.fetch}" is longer than the ${FETCH_MAX} characters that the kernel takes`);
  }
  return { name: chosen, source: text, ...compiled };
}

/** An error in the path is placed in the argument's text. */
function compiledPath(
  text: string,
  { path, at, type }: ProbeArgumentText,
  names: ProbeNames,
): Pick<ProbeArgument, 'fetch' | 'kernelType' | 'type'> {
  try {
    const parsed = parseExpression(path, (name) => names.types.find('typedef', name) !== undefined);
    const fetch = probeFetch(probeOperand(parsed, names), type);
    if (typeof fetch === 'string') throw new UsageError(fetch, { source: path, column: parsed.root.at });
    return { fetch: fetch.text, kernelType: fetch.kernelType, type: fetch.type };
  } catch (error) {
    throw error instanceof UsageError && error.source === path ? error.within(text, at) : error;
  }
}

/** The last member of a path; `arg1` of `$arg1`. */
function defaultName(path: string): string {
  const names = path.match(/[A-Za-z_]\w*/g) ?? [];
  return (names.at(-1) ?? 'value').slice(0, NAME_MAX - 3);
}

function freeName(wanted: string, taken: ReadonlySet<string>): string {
  const base = RESERVED.test(wanted) ? `own_${wanted}`.slice(0, NAME_MAX - 3) : wanted;
  for (let i = 2, name = base; ; name = `${base}_${i++}`) if (!taken.has(name)) return name;
}

/** True for what is only known when the function returns. */
export function isReturned({ fetch }: ProbeArgument): boolean {
  return fetch.includes('$retval');
}

/** True for a register as it is, without anything read from memory. */
export function isRegister({ fetch }: ProbeArgument): boolean {
  return /^\$\w+$/.test(fetch) || fetch === '$comm';
}

/** True when the value is an error number if it is small and negative: integers and pointers that are returned. */
export function mayBeErrno({ fetch, kernelType, type }: ProbeArgument): boolean {
  if (fetch !== '$retval') return false;
  const resolved = type === undefined ? undefined : resolve(type);
  return resolved?.kind === 'pointer' || (resolved?.kind !== 'enum' && /^[sx](?:32|64)$/.test(kernelType));
}
