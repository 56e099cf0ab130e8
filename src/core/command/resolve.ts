/**
 * From the first word of a stage to a command, in crash's order: aliases, which the grammar has replaced already unless
 * a backslash stands before the name; then commands; then the shorthands: `*page ADDR` is a struct, a lone symbol is
 * printed, a type's name shows the type.
 */
import { KdbgError, NotFoundError, UsageError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { isTextType } from '../symbols/symbol-table.ts';
import type { Command } from './define.ts';
import type { Stage } from './grammar.ts';
import type { Alias, Shell } from './scope.ts';
import { firstName } from './words.ts';

/** A command and the text of its arguments, with the column where that begins. */
export interface Invocation {
  readonly command: Command;
  readonly text: string;
  readonly column: number;
}

/** An alias may name an alias; a cycle ends here. */
const ALIAS_DEPTH_MAX = 16;

/** The text with the alias it begins with replaced, as often as it begins with one. */
export function expandAlias(text: string, aliases: readonly Alias[]): string {
  let current = text;
  const used = new Set<string>();
  for (let depth = 0; depth < ALIAS_DEPTH_MAX; depth++) {
    const name = firstName(current);
    const alias = aliases.find((each) => each.name === name);
    if (alias === undefined || used.has(name)) return current;
    used.add(name);
    current = alias.line + current.trimStart().slice(name.length);
  }
  return current;
}

/** The command that a stage calls. Throws NotFoundError with near misses. */
export function resolveCommand(stage: Stage, shell: Shell, kernel: Kernel): Invocation {
  const literal = stage.text.startsWith('\\');
  const called = literal ? { text: stage.text.slice(1), column: stage.column + 1 } : stage;
  const name = firstName(called.text);
  if (name === '') throw new UsageError('a command is missing here', { column: called.column });
  const command = shell.command(name);
  if (command !== undefined) return invocation(command, called, name.length);
  const star = shell.command('*');
  if (star !== undefined && name.startsWith('*')) return invocation(star, called, 1);
  const shorthand = shorthandFor(called.text, kernel);
  const implied = shorthand === undefined ? undefined : shell.command(shorthand);
  if (implied !== undefined) return invocation(implied, called, 0);
  throw new NotFoundError('command', name, nearCommands(name, shell));
}

function invocation(command: Command, stage: Stage, skip: number): Invocation {
  return { command, text: stage.text.slice(skip), column: stage.column + skip };
}

/** What a line that names no command means, as crash takes it: a type, a symbol, an expression with a variable. */
function shorthandFor(text: string, kernel: Kernel): string | undefined {
  const words = text.split(/\s+/);
  const name = /^[A-Za-z_]\w*/.exec(words[0] ?? '')?.[0];
  if (text.startsWith('$')) return 'p';
  if (name === undefined) return undefined;
  // A variable and a struct may have one name: alone it is the variable, with an address the struct.
  if (text === name && knows(() => dataSymbol(name, kernel))) return 'p';
  if (knows(() => kernel.types.find('struct', name))) return 'struct';
  if (knows(() => kernel.types.find('union', name))) return 'union';
  const lone = words.length === 1 || /[.[>-]/.test(text);
  if (lone && knows(() => kernel.symbols.find(name))) return 'p';
  if (words.length > 1) return undefined;
  if (knows(() => kernel.types.find('typedef', name) ?? kernel.types.find('enum', name))) return 'whatis';
  return knows(() => kernel.types.enumerator(name)) ? 'p' : undefined;
}

function dataSymbol(name: string, kernel: Kernel): unknown {
  const symbol = kernel.symbols.find(name);
  return symbol === undefined || isTextType(symbol.type) ? undefined : symbol;
}

/** A target without types or symbols has no shorthands; that is no error. */
function knows(lookUp: () => unknown): boolean {
  try {
    return lookUp() !== undefined;
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return false;
    throw error;
  }
}

/** Commands and aliases that somebody who typed this name may have meant. */
export function nearCommands(name: string, shell: Shell): readonly string[] {
  const names = [...shell.commands().map((command) => command.name), ...shell.aliases().map((alias) => alias.name)];
  return names
    .filter((each) => each.startsWith(name) || name.startsWith(each) || oneEdit(each, name))
    .filter((each) => each.length > 1 && each !== name)
    .slice(0, 5);
}

/** True when one insertion, deletion, replacement or exchange of neighbours turns one word into the other. */
export function oneEdit(a: string, b: string): boolean {
  const [short, long] = a.length <= b.length ? [a, b] : [b, a];
  if (long.length - short.length > 1) return false;
  let at = 0;
  while (at < short.length && short[at] === long[at]) at++;
  if (short.length < long.length) return short.slice(at) === long.slice(at + 1);
  if (short.slice(at + 1) === long.slice(at + 1)) return true;
  return short[at] === long[at + 1] && short[at + 1] === long[at] && short.slice(at + 2) === long.slice(at + 2);
}
