/**
 * Completion, from the declarations alone: a command's name at the start of a stage, its options after a dash, and
 * whatever the kind of the option's or operand's argument offers. A target that lacks something offers less; an error
 * while completing is no completion, never a message.
 */
import { KdbgError } from '../errors.ts';
import { completeArguments } from './complete-arguments.ts';
import type { Candidate, Completions } from './define.ts';
import { operatorAt } from './pipeline.ts';
import { expandAlias } from './resolve.ts';
import type { Scope } from './scope.ts';
import { firstName, isBlank, isOutside, nest, newNesting } from './words.ts';

/** What could stand in [start, end) of the line. */
export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly Candidate[];
  /** There are more candidates than these. */
  readonly partial: boolean;
}

/** More than fit a menu; the rest are found by typing on. */
export const CANDIDATES_MAX = 200;

/** What could be typed at the cursor. Never throws but for bugs. */
export function complete(line: string, cursor: number, scope: Scope): Completion {
  const nothing: Completion = { start: cursor, end: cursor, candidates: [], partial: false };
  try {
    const stage = stageAt(line.slice(0, cursor), scope);
    if (stage === undefined) return nothing;
    const { start = 0, candidates, partial } = completeStage(stage, scope);
    const typed = stage.text.slice(start);
    const fitting = candidates.filter((candidate) => candidate.text.startsWith(typed));
    return {
      start: cursor - typed.length,
      end: cursor,
      candidates: fitting.slice(0, CANDIDATES_MAX),
      // Whoever looks candidates up stops at the bound too.
      partial: partial === true || candidates.length >= CANDIDATES_MAX,
    };
  } catch (error) {
    if (error instanceof KdbgError) return nothing;
    throw error;
  }
}

interface StageText {
  readonly text: string;
  /** It stands behind a pipe. */
  readonly isFed: boolean;
}

/** The stage that the text ends in; undefined within a comment, a file's name or a part that is the user's shell's. */
function stageAt(text: string, scope: Scope): StageText | undefined {
  let state = newNesting();
  let start = 0;
  let isFed = false;
  let isBegun = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (!isOutside(state)) {
      nest(state, character);
      continue;
    }
    const isFirst = !isFed && !isBegun;
    isBegun ||= !isBlank(character);
    if (character === ';' || character === '\n') isFed = false;
    else if (isFirst && /^(?:[!|#<]|\/\/)/.test(text.slice(at, at + 2))) return undefined;
    else if (operatorAt(text, at) === 'pipe') isFed = true;
    else if (operatorAt(text, at) !== undefined) return undefined;
    else {
      nest(state, character);
      continue;
    }
    if (isFed && !isTyped(text.slice(at + 1), scope)) return undefined;
    start = at + 1;
    state = newNesting();
    isBegun = false;
  }
  return { text: text.slice(start).trimStart(), isFed };
}

/** False once the word after a pipe is complete and names no command that takes input: then it is the shell's. */
function isTyped(after: string, scope: Scope): boolean {
  const name = firstName(after);
  if (after.trimStart().length === name.length) return true;
  const called = name.startsWith('\\') ? name.slice(1) : firstName(expandAlias(name, scope.shell.aliases()));
  return scope.shell.command(called)?.input !== undefined;
}

function completeStage(stage: StageText, scope: Scope): Completions {
  const { shell } = scope;
  const { text } = stage;
  const name = firstName(text);
  const star = shell.command('*');
  if (name.startsWith('*') && name.length > 1 && star !== undefined) {
    return moved(completeArguments(star, text.slice(1), scope), 1);
  }
  if (text.length <= name.length) return completeName(stage, scope);
  const literal = name.startsWith('\\');
  const expanded = literal ? text.slice(1) : expandAlias(text, shell.aliases());
  const last = expanded === text || literal ? { text: expanded, isFed: stage.isFed } : stageAt(expanded, scope);
  if (last === undefined) return { candidates: [] };
  const called = firstName(last.text);
  const command = shell.command(called);
  if (command === undefined || last.text.length <= called.length) return { candidates: [] };
  const completions = completeArguments(command, last.text.slice(called.length), scope);
  // What an alias put in the place of its name moves the rest of the text.
  return moved(completions, called.length + text.length - last.text.length);
}

function moved(completions: Completions, by: number): Completions {
  return { ...completions, start: (completions.start ?? 0) + by };
}

/** Commands and aliases; where none begins like this, what `p` takes: a lone symbol is printed. */
function completeName({ text, isFed }: StageText, scope: Scope): Completions {
  const { shell } = scope;
  const commands = shell
    .commands()
    .filter((command) => !isFed || command.input !== undefined)
    .map((command) => ({ text: command.name, detail: command.summary }));
  const aliases = shell
    .aliases()
    .filter((alias) => !isFed || shell.command(firstName(alias.line))?.input !== undefined)
    .map((alias) => ({ text: alias.name, detail: `alias of ${alias.line}` }));
  const names: readonly Candidate[] = [...commands, ...aliases];
  const print = shell.command('p');
  if (text.length < 2 || isFed || print === undefined || names.some((each) => each.text.startsWith(text))) {
    return { candidates: names };
  }
  return moved(completeArguments(print, ` ${text}`, scope), -1);
}
