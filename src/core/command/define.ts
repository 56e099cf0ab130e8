/**
 * What a command is: data and one generator. Its usage, checking, completion, help and manual all derive from the
 * declaration; it yields items (item.ts) and never prints.
 *
 *     export default defineCommand({
 *       name: 'btop',
 *       group: 'memory',
 *       summary: 'bytes to page number',
 *       operands: { addresses: many(address, 'ADDRESS', 'a physical address') },
 *       examples: [{ line: 'btop 512a000', shows: 'the page number of a physical address' }],
 *       *run(scope, { addresses }) {
 *         for (const value of addresses) yield row({ address: value, pfn: value >> 12n });
 *       },
 *     });
 */
import type { Columns } from '../output/columns.ts';
import type { Item } from '../output/item.ts';
import type { Scope } from './scope.ts';

/** One suggestion of completion: what is inserted, and what explains it. */
export interface Candidate {
  readonly text: string;
  readonly detail?: string;
}

/** A kind of argument: how its text becomes a value, and what could be typed there. */
export interface Kind<T> {
  readonly name: string;
  /** Throws UsageError with a column within `text`, or NotFoundError. */
  readonly parse: (text: string, scope: Scope) => T;
  readonly complete?: (text: string, scope: Scope) => Completions;
  /** In its place where what could be typed depends on the operands before it. */
  readonly completeAfter?: (before: readonly string[], text: string, scope: Scope) => Completions;
  /** A word in single quotes reaches `parse` with them: 'kworker.*' is a regular expression there. */
  readonly keepsQuotes?: true;
}

/** Candidates for a word; `start` when they replace only its tail (the member after `task_struct.`). */
export interface Completions {
  readonly start?: number;
  readonly candidates: readonly Candidate[];
  /** There are more: what these have in common says nothing of the rest. */
  readonly partial?: boolean;
}

export interface Option<T> {
  readonly kind: Kind<unknown> | undefined;
  readonly placeholder: string | undefined;
  readonly doc: string;
  /** A flag that counts (`-FF`), an option that may be given again, or neither. */
  readonly repeat: 'count' | 'list' | undefined;
  readonly value?: T;
}

export interface Operand<T> {
  readonly kind: Kind<unknown>;
  readonly placeholder: string;
  readonly doc: string;
  /** `rest` takes the remaining text of the line as it was typed, `after` the words after `--`. */
  readonly arity: 'one' | 'optional' | 'many' | 'some' | 'rest' | 'after';
  readonly value?: T;
}

/** By letter or name, without the dash: `s`, `16`, `panic`. */
export type Options = Readonly<Record<string, Option<unknown>>>;
export type Operands = Readonly<Record<string, Operand<unknown>>>;

export type ArgsOf<O extends Options, P extends Operands> = {
  readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never;
} & { readonly [K in keyof P]: P[K] extends Operand<infer T> ? T : never };

/** An option without an argument. */
export function flag(doc: string): Option<boolean> {
  return { kind: undefined, placeholder: undefined, doc, repeat: undefined };
}

/** A flag that may be given again to mean more: `-F`, `-FF`. */
export function counted(doc: string): Option<number> {
  return { kind: undefined, placeholder: undefined, doc, repeat: 'count' };
}

/** An option with an argument. */
export function option<T>(kind: Kind<T>, placeholder: string, doc: string): Option<T | undefined> {
  return { kind, placeholder, doc, repeat: undefined };
}

/** An option with an argument that may be given again. */
export function repeated<T>(kind: Kind<T>, placeholder: string, doc: string): Option<readonly T[]> {
  return { kind, placeholder, doc, repeat: 'list' };
}

/** An operand that must be there. */
export function one<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<T> {
  return { kind, placeholder, doc, arity: 'one' };
}

/** An operand that may be there. */
export function maybe<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<T | undefined> {
  return { kind, placeholder, doc, arity: 'optional' };
}

/** All remaining operands; none is fine. */
export function many<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<readonly T[]> {
  return { kind, placeholder, doc, arity: 'many' };
}

/** All remaining operands; at least one. */
export function some<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<readonly T[]> {
  return { kind, placeholder, doc, arity: 'some' };
}

/** The rest of the line as typed, quotes and spaces included: an expression, a command. */
export function rest<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<T> {
  return { kind, placeholder, doc, arity: 'rest' };
}

/** The words after `--`: a command line of another program. Undefined where there is no `--`. */
export function after<T>(kind: Kind<T>, placeholder: string, doc: string): Operand<readonly T[] | undefined> {
  return { kind, placeholder, doc, arity: 'after' };
}

/** What a command cannot work without. */
export type Need = 'memory' | 'symbols' | 'types' | 'files';

/** The heading under which help lists it. */
export type Group = 'tasks' | 'locks' | 'memory' | 'types' | 'symbols' | 'system' | 'shell';

/** What a command takes from a typed pipe: each row's reference of that kind. */
export type Input = 'task' | 'address';

export interface CommandDefinition<O extends Options, P extends Operands> {
  readonly name: string;
  readonly group: Group;
  /** One line, lower case, no full stop. */
  readonly summary: string;
  /** Paragraphs of the manual, each one line of prose. */
  readonly description?: readonly string[];
  readonly needs?: readonly Need[];
  readonly options?: O;
  readonly operands?: P;
  /** Declared by commands that a typed pipe can feed: `ps UN | bt`. */
  readonly input?: Input;
  /** The table of its rows, unless a row brings a view of its own; documents the JSON as well. */
  readonly columns?: Columns;
  readonly examples: readonly { readonly line: string; readonly shows: string }[];
  /** True for commands whose operands are themselves a command line (foreach, repeat, alias): no option after them. */
  readonly optionsFirst?: boolean;
  readonly run: (scope: Scope, args: ArgsOf<O, P>) => Iterable<Item>;
}

/** A command whose argument types are erased: what the registry holds. */
export type Command = Omit<CommandDefinition<Options, Operands>, 'run'> & {
  readonly run: (scope: Scope, args: Readonly<Record<string, unknown>>) => Iterable<Item>;
};

export function defineCommand<const O extends Options, const P extends Operands>(
  definition: CommandDefinition<O, P>,
): Command {
  return definition as unknown as Command;
}
