/**
 * Completion within a command's arguments: which option or operand the last word belongs to, and what its kind offers.
 */
import type { Command, Completions, Kind, Operand } from './define.ts';
import type { Scope } from './scope.ts';
import { isBlank, isOutside, nest, newNesting } from './words.ts';

interface LooseWord {
  readonly text: string;
  readonly start: number;
}

/** What could stand at the end of the text after a command's name; `start` is where in the text it begins. */
export function completeArguments(command: Command, text: string, scope: Scope): Completions {
  const words = looseWords(text);
  const last = words.at(-1) as LooseWord;
  const all = Object.values(command.operands ?? {});
  const operands = all.filter(({ arity }) => arity !== 'after');
  const restAt = operands.findIndex((each) => each.arity === 'rest');
  const before: string[] = [];
  let restStart: number | undefined;
  let wanted: Kind<unknown> | undefined;
  let optionsOver = false;
  for (const word of words.slice(0, -1)) {
    if (wanted !== undefined) wanted = undefined;
    else if (!optionsOver && word.text === '--') {
      // Another program's words.
      if (operands.length < all.length) return { candidates: [] };
      optionsOver = true;
    } else if (!optionsOver && /^-[A-Za-z?]/.test(word.text)) wanted = awaited(command, word.text.slice(1));
    else {
      if (before.length === restAt) restStart ??= word.start;
      before.push(word.text);
      // After the first operand of such a command no option follows.
      optionsOver ||= command.optionsFirst === true || restAt >= 0;
    }
  }
  const given = before.length;
  if (wanted !== undefined) return completeKind(wanted, last, scope, before);
  if (restAt >= 0 && given >= restAt && !(last.text.startsWith('-') && given === 0)) {
    const start = restStart ?? last.start;
    return completeKind((operands[restAt] as Operand<unknown>).kind, { text: text.slice(start), start }, scope, before);
  }
  if (last.text.startsWith('-') && !optionsOver) {
    const options = Object.entries(command.options ?? {});
    return { start: last.start, candidates: options.map(([name, each]) => ({ text: `-${name}`, detail: each.doc })) };
  }
  const operand = operands[given] ?? manyOperand(operands);
  return operand === undefined ? { candidates: [] } : completeKind(operand.kind, last, scope, before);
}

/** The kind of argument that a word of options still waits for. */
function awaited(command: Command, letters: string): Kind<unknown> | undefined {
  const options = command.options ?? {};
  if (Object.hasOwn(options, letters)) return options[letters]?.kind;
  for (const [i, letter] of [...letters].entries()) {
    const kind = Object.hasOwn(options, letter) ? options[letter]?.kind : undefined;
    // What follows the letter in the same word is its argument.
    if (kind !== undefined) return i === letters.length - 1 ? kind : undefined;
  }
  return undefined;
}

function manyOperand(operands: readonly Operand<unknown>[]): Operand<unknown> | undefined {
  const last = operands.at(-1);
  return last?.arity === 'many' || last?.arity === 'some' ? last : undefined;
}

function completeKind(kind: Kind<unknown>, word: LooseWord, scope: Scope, before: readonly string[]): Completions {
  const completions = kind.completeAfter?.(before, word.text, scope) ??
    kind.complete?.(word.text, scope) ?? { candidates: [] };
  return { ...completions, start: word.start + (completions.start ?? 0) };
}

/** Words so far, the last one being typed (empty after a blank); nothing is wrong with an open quote here. */
function looseWords(text: string): readonly LooseWord[] {
  const words: LooseWord[] = [];
  const state = newNesting();
  let start: number | undefined;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (isOutside(state) && isBlank(character)) {
      if (start !== undefined) words.push({ text: text.slice(start, at), start });
      start = undefined;
    } else start ??= at;
    nest(state, character);
  }
  return [...words, { text: text.slice(start ?? text.length), start: start ?? text.length }];
}
