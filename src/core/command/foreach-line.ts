/**
 * The argument of `foreach`: words that choose tasks, then a command line for each of them. The first word that is the
 * name of a command begins it; a task of that name is chosen by `\NAME`.
 */
import { UsageError } from '../errors.ts';
import { parseArguments } from './arguments.ts';
import { complete } from './complete.ts';
import type { Candidate, Command, Completions, Kind } from './define.ts';
import { expandAlias, type Invocation, resolveCommand } from './resolve.ts';
import type { Scope } from './scope.ts';
import { type TaskSelector, taskSelector } from './task-kinds.ts';
import { firstName, splitWords, type Word } from './words.ts';

export interface ForeachLine {
  readonly selectors: readonly TaskSelector[];
  readonly invocation: Invocation;
}

export const foreachLine: Kind<ForeachLine> = {
  name: '[TASK]... command line',
  parse(text, scope) {
    const words = splitWords(text);
    const at = words.findIndex((word) => isCommandWord(word, scope));
    const first = words[at];
    if (first === undefined) throw noCommand(words, scope);
    const selectors = words.slice(0, at).map((word) => parseSelector(word, scope));
    const stage = { text: expandAlias(text.slice(first.column), scope.shell.aliases()), column: first.column };
    const invocation = resolveCommand(stage, scope.shell, scope.kernel);
    if (!runsForTasks(invocation.command)) {
      throw new UsageError(`${invocation.command.name} is nothing to do for each task`, { column: first.column });
    }
    // A wrong argument is told of now, where it stands, and not once for each task.
    parseArguments(invocation.command, invocation.text, invocation.column, { ...scope, input: [] });
    return { selectors, invocation };
  },
  complete: completeLine,
};

/** The shell's own commands are not about tasks; `set` shows them. */
function runsForTasks(command: Command): boolean {
  return command.name !== 'foreach' && (command.group !== 'shell' || command.input === 'task');
}

function isCommandWord(word: Word, scope: Scope): boolean {
  return !word.quoted && commandNamed(word.text, scope) !== undefined;
}

function commandNamed(name: string, scope: Scope): Command | undefined {
  return scope.shell.command(firstName(expandAlias(name, scope.shell.aliases())));
}

/** A word in single quotes is a regular expression, with them. */
function parseSelector(word: Word, scope: Scope): TaskSelector {
  const isPattern = word.quoted && word.raw.startsWith("'");
  try {
    return taskSelector.parse(isPattern ? word.raw : word.text, scope);
  } catch (error) {
    if (error instanceof UsageError) throw error.placed(word.raw, word.column);
    throw error;
  }
}

/** What is wrong first: a word that is neither a task nor a command, or the missing command. */
function noCommand(words: readonly Word[], scope: Scope): UsageError {
  for (const word of words) parseSelector(word, scope);
  return new UsageError('foreach wants a command: bt, task, ps, set, ...', { column: words.at(-1)?.column ?? 0 });
}

function completeLine(text: string, scope: Scope): Completions {
  const start = text.length - (/\S*$/.exec(text)?.[0].length ?? 0);
  const command = splitWords(text.slice(0, start)).find((word) => isCommandWord(word, scope));
  if (command !== undefined) {
    const line = text.slice(command.column);
    const found = complete(line, line.length, scope);
    return { start: command.column + found.start, candidates: found.candidates };
  }
  const tasks = taskSelector.complete?.(text.slice(start), scope).candidates ?? [];
  return { start, candidates: [...commandCandidates(scope), ...tasks] };
}

function commandCandidates(scope: Scope): readonly Candidate[] {
  const commands = scope.shell.commands().filter((command) => command.input === 'task' && runsForTasks(command));
  return commands.map((command) => ({ text: command.name, detail: command.summary }));
}
