/**
 * Words to typed arguments, by a command's declaration. Options are crash's: one dash, letters may be joined (`-kx`),
 * an argument may follow at once (`-c3`) or as the next word, and options may stand after operands. Names of several
 * characters (`-16`, `-panic`) are matched whole first. `--` ends the options.
 */
import { UsageError } from '../errors.ts';
import type { Command, Kind, Operand, Option } from './define.ts';
import { usageHint } from './help.ts';
import type { Scope } from './scope.ts';
import { splitWords, type Word } from './words.ts';

/** Parses the text after the command's name; `offset` is its column in the whole line. Throws UsageError. */
export function parseArguments(
  command: Command,
  text: string,
  offset: number,
  scope: Scope,
): Readonly<Record<string, unknown>> {
  const args: Record<string, unknown> = {};
  for (const [name, declared] of Object.entries(command.options ?? {})) {
    args[name] = declared.repeat === 'count' ? 0 : declared.repeat === 'list' ? [] : declared.kind ? undefined : false;
  }
  const { operands, after } = parseOptions(command, splitWords(text, offset), args, scope);
  const named = Object.entries(command.operands ?? {}).find(([, { arity }]) => arity === 'after');
  const [name, operand] = named ?? [];
  if (name !== undefined && operand !== undefined) {
    args[name] = after?.map((word) => parseKind(operand.kind, word, scope));
    parseOperands(command, operands, { text, offset }, args, scope);
    return args;
  }
  parseOperands(command, [...operands, ...(after ?? [])], { text, offset }, args, scope);
  return args;
}

/** Sets the options and returns the other words, and those after `--`. */
function parseOptions(
  command: Command,
  words: readonly Word[],
  args: Record<string, unknown>,
  scope: Scope,
): { readonly operands: readonly Word[]; readonly after?: readonly Word[] } {
  const operands: Word[] = [];
  const stopAtOperand = command.optionsFirst === true || hasRest(command);
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as Word;
    if (!isOption(word, command) || (stopAtOperand && operands.length > 0)) {
      operands.push(word);
      continue;
    }
    if (word.text === '--') return { operands, after: words.slice(i + 1) };
    i += takeOption(command, word, words[i + 1], args, scope);
  }
  return { operands };
}

/** A negative number is an operand where no option of that name is declared, and `-(expression)` always. */
function isOption(word: Word, command: Command): boolean {
  if (word.quoted || !/^-[\w?-]/.test(word.text)) return false;
  return !/^-\d/.test(word.text) || declaredOption(command, word.text.slice(1)) !== undefined;
}

/** The option of this name; names that every object has are none. */
function declaredOption(command: Command, name: string): Option<unknown> | undefined {
  return command.options !== undefined && Object.hasOwn(command.options, name) ? command.options[name] : undefined;
}

/** Sets what the word says; returns how many further words it used. */
function takeOption(
  command: Command,
  word: Word,
  next: Word | undefined,
  args: Record<string, unknown>,
  scope: Scope,
): 0 | 1 {
  const whole = word.text.replace(/^--?/, '');
  if (declaredOption(command, whole) !== undefined && (whole.length > 1 || word.text.length === 2)) {
    return setOption(command, whole, word, undefined, next, args, scope);
  }
  if (word.text.startsWith('--')) throw unknownOption(command, word, `-${whole}`, 0);
  const letters = word.text.slice(1);
  for (let at = 0; at < letters.length; at++) {
    const letter = letters[at] as string;
    const declared = declaredOption(command, letter);
    if (declared === undefined) throw unknownOption(command, word, letter, at);
    if (declared.kind !== undefined) {
      const attached = letters.slice(at + 1);
      return setOption(command, letter, word, attached === '' ? undefined : attached, next, args, scope);
    }
    setOption(command, letter, word, undefined, undefined, args, scope);
  }
  return 0;
}

function setOption(
  command: Command,
  name: string,
  word: Word,
  attached: string | undefined,
  next: Word | undefined,
  args: Record<string, unknown>,
  scope: Scope,
): 0 | 1 {
  const declared = declaredOption(command, name) as Option<unknown>;
  if (declared.kind === undefined) {
    args[name] = declared.repeat === 'count' ? (args[name] as number) + 1 : true;
    return 0;
  }
  let taken = next;
  if (attached !== undefined) {
    const column = word.column + word.raw.length - attached.length;
    taken = { text: attached, raw: attached, column, quoted: false };
  }
  if (taken === undefined) {
    throw new UsageError(`-${name} wants ${declared.placeholder}`, { column: word.column, hint: usageHint(command) });
  }
  const value = parseKind(declared.kind, taken, scope);
  args[name] = declared.repeat === 'list' ? [...(args[name] as unknown[]), value] : value;
  return attached === undefined ? 1 : 0;
}

function parseOperands(
  command: Command,
  words: readonly Word[],
  whole: { readonly text: string; readonly offset: number },
  args: Record<string, unknown>,
  scope: Scope,
): void {
  let at = 0;
  for (const [name, operand] of Object.entries(command.operands ?? {})) {
    const word = words[at];
    switch (operand.arity) {
      case 'one':
      case 'optional':
        if (word === undefined && operand.arity === 'one') throw missing(command, operand);
        args[name] = word && parseKind(operand.kind, word, scope);
        at++;
        break;
      case 'many':
      case 'some':
        if (word === undefined && operand.arity === 'some' && scope.input === undefined)
          throw missing(command, operand);
        args[name] = words.slice(at).map((each) => parseKind(operand.kind, each, scope));
        at = words.length;
        break;
      case 'after':
        break;
      case 'rest': {
        const column = words[at]?.column ?? whole.offset + whole.text.length;
        const raw = whole.text.slice(column - whole.offset);
        args[name] = parseKind(operand.kind, { text: raw, raw, column, quoted: false }, scope);
        at = words.length;
        break;
      }
    }
  }
  const extra = words[at];
  if (extra !== undefined) {
    throw new UsageError(`"${extra.text}" is one argument too many`, {
      column: extra.column,
      hint: usageHint(command),
    });
  }
}

/** An error within the word is moved to its place in the statement. */
function parseKind(kind: Kind<unknown>, word: Word, scope: Scope): unknown {
  const isPattern = kind.keepsQuotes === true && /^'.*'$/s.test(word.raw);
  const text = isPattern ? word.raw : word.text;
  try {
    return kind.parse(text, scope);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw error.placed(text, word.column + (text !== word.raw && word.quoted ? 1 : 0));
  }
}

function unknownOption(command: Command, word: Word, letter: string, at: number): UsageError {
  return new UsageError(`${command.name} has no option -${letter}`, {
    column: word.column + 1 + at,
    hint: usageHint(command),
  });
}

function missing(command: Command, operand: Operand<unknown>): UsageError {
  return new UsageError(`${command.name} wants ${operand.placeholder}: ${operand.doc}`, { hint: usageHint(command) });
}

function hasRest(command: Command): boolean {
  return Object.values(command.operands ?? {}).some((operand) => operand.arity === 'rest');
}
