/**
 * Completion, from the declarations alone: a command's name at the start of a stage, its options after a dash, and
 * whatever the kind of the option's or operand's argument offers. A target that lacks something offers less; an error
 * while completing is no completion, never a message.
 */
import { KdbgError } from '../errors.ts';
import type { Candidate, Command, Completions, Kind, Operand } from './define.ts';
import { firstName, type Stage } from './grammar.ts';
import { expandAlias } from './resolve.ts';
import type { Scope } from './scope.ts';
import { isBlank, type Nesting, nest } from './words.ts';

/** What could stand in [start, end) of the line. */
export interface Completion {
  readonly start: number;
  readonly end: number;
  readonly candidates: readonly Candidate[];
}

/** More than fit a menu; the rest are found by typing on. */
export const CANDIDATES_MAX = 200;

export function complete(line: string, cursor: number, scope: Scope): Completion {
  const nothing: Completion = { start: cursor, end: cursor, candidates: [] };
  try {
    const stage = stageAt(line, cursor);
    if (stage === undefined) return nothing;
    const found = completeStage(stage, scope);
    return { start: cursor - found.length, end: cursor, candidates: found.candidates.slice(0, CANDIDATES_MAX) };
  } catch (error) {
    if (error instanceof KdbgError) return nothing;
    throw error;
  }
}

interface Found {
  /** How much of the text before the cursor the candidates replace. */
  readonly length: number;
  readonly candidates: readonly Candidate[];
}

/** The stage that the cursor is in, up to the cursor; undefined within a part that is the user's shell's. */
function stageAt(line: string, cursor: number): Stage | undefined {
  const state: Nesting = { quote: '', depth: 0 };
  let start = 0;
  for (let at = 0; at < cursor; at++) {
    const character = line[at] as string;
    const outside = state.quote === '' && state.depth === 0;
    if (outside && (character === ';' || character === '\n' || character === '|')) start = at + 1;
    else if (outside && character === '!' && line.slice(start, at).trim() === '') return undefined;
    else nest(state, character);
  }
  const text = line.slice(start, cursor);
  const lead = text.length - text.trimStart().length;
  return { text: text.trimStart(), column: start + lead };
}

function completeStage(stage: Stage, scope: Scope): Found {
  const name = firstName(stage.text);
  if (stage.text.length <= name.length) return commandNames(name, scope);
  const expanded = expandAlias(stage, scope.shell.aliases());
  const called = firstName(expanded.text);
  const command = scope.shell.command(called) ?? (called.startsWith('*') ? scope.shell.command('*') : undefined);
  if (command === undefined) return { length: 0, candidates: [] };
  const skip = scope.shell.command(called) === undefined ? 1 : called.length;
  return completeArguments(command, expanded.text.slice(skip), scope);
}

function commandNames(prefix: string, scope: Scope): Found {
  const commands = scope.shell.commands().map((command) => ({ text: command.name, detail: command.summary }));
  const aliases = scope.shell.aliases().map((alias) => ({ text: alias.name, detail: `alias of ${alias.line}` }));
  return { length: prefix.length, candidates: startingWith([...commands, ...aliases], prefix) };
}

function completeArguments(command: Command, text: string, scope: Scope): Found {
  const words = looseWords(text);
  const last = words.at(-1) ?? '';
  const options = command.options ?? {};
  let operandAt = 0;
  let wanted: Kind<unknown> | undefined;
  for (const word of words.slice(0, -1)) {
    if (wanted !== undefined) {
      wanted = undefined;
      continue;
    }
    if (word.startsWith('-') && word.length > 1) wanted = optionKind(command, word.slice(1));
    else operandAt++;
  }
  if (wanted !== undefined) return completeKind(wanted, last, scope);
  const operands = Object.values(command.operands ?? {});
  const restAt = operands.findIndex((each) => each.arity === 'rest');
  if (restAt >= 0 && operandAt >= restAt)
    return completeRest(operands[restAt] as Operand<unknown>, text, restAt, scope);
  if (last.startsWith('-')) {
    const names = Object.entries(options).map(([name, each]) => ({ text: `-${name}`, detail: each.doc }));
    return { length: last.length, candidates: startingWith(names, last) };
  }
  const operand = operands[operandAt] ?? manyOperand(operands);
  return operand === undefined ? { length: 0, candidates: [] } : completeKind(operand.kind, last, scope);
}

/** The argument kind that a word of joined options still waits for. */
function optionKind(command: Command, letters: string): Kind<unknown> | undefined {
  const options = command.options ?? {};
  const whole = options[letters.replace(/^-/, '')];
  if (whole !== undefined) return whole.kind;
  const last = letters.at(-1) as string;
  return options[last]?.kind;
}

/** A rest operand completes by the text from where it begins. */
function completeRest(operand: Operand<unknown>, text: string, restAt: number, scope: Scope): Found {
  let at = 0;
  let index = 0;
  for (const word of looseWords(text)) {
    const found = text.indexOf(word, at);
    if (!word.startsWith('-') && index++ >= restAt) {
      at = found;
      break;
    }
    at = found + word.length;
  }
  return completeKind(operand.kind, text.slice(at).trimStart(), scope);
}

function manyOperand(operands: readonly Operand<unknown>[]): Operand<unknown> | undefined {
  const last = operands.at(-1);
  return last?.arity === 'many' || last?.arity === 'some' ? last : undefined;
}

function completeKind(kind: Kind<unknown>, text: string, scope: Scope): Found {
  const completions: Completions = kind.complete?.(text, scope) ?? { candidates: [] };
  const start = completions.start ?? 0;
  return { length: text.length - start, candidates: startingWith(completions.candidates, text.slice(start)) };
}

/** Words so far, the last one being typed (empty after a blank); nothing is wrong with an open quote here. */
function looseWords(text: string): readonly string[] {
  const words: string[] = [];
  const state: Nesting = { quote: '', depth: 0 };
  let word: string | undefined;
  for (const character of text) {
    if (state.quote === '' && state.depth === 0 && isBlank(character)) {
      if (word !== undefined) words.push(word);
      word = undefined;
      continue;
    }
    nest(state, character);
    word = (word ?? '') + character;
  }
  return [...words, word ?? ''];
}

function startingWith(candidates: readonly Candidate[], prefix: string): readonly Candidate[] {
  return candidates.filter((candidate) => candidate.text.startsWith(prefix));
}
