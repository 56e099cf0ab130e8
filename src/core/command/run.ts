/**
 * Runs the stages of a pipeline: each command's items feed the next command's input, one at a time, so that rows
 * stream and nothing is collected.
 */
import { KdbgError, UsageError } from '../errors.ts';
import { type Item, notice } from '../output/item.ts';
import { parseArguments } from './arguments.ts';
import type { Command } from './define.ts';
import type { Stage } from './grammar.ts';
import { usageHint } from './help.ts';
import { type Invocation, resolveCommand } from './resolve.ts';
import type { Scope } from './scope.ts';

/** A pipeline whose last command is known: its columns are the table of the rows. */
export interface Running {
  readonly command: Command;
  readonly items: Iterable<Item>;
}

/** Starts the pipeline. Usage errors are thrown at once, before any command has run. */
export function runStages(stages: readonly Stage[], scope: Scope): Running {
  let input: Iterable<Item> | undefined = scope.input;
  let running: Running | undefined;
  for (const [i, stage] of stages.entries()) {
    const invocation = resolveCommand(stage, scope.shell, scope.kernel);
    if (i > 0 && invocation.command.input === undefined) {
      throw new UsageError(`${invocation.command.name} takes no input from a pipe`, { column: stage.column });
    }
    running = startCommand(invocation, input === undefined ? scope : { ...scope, input });
    input = running.items;
  }
  if (running === undefined) throw new UsageError('a command is missing');
  return running;
}

/** Checks the arguments and makes the stream; the command itself runs as the items are taken. */
export function startCommand(invocation: Invocation, scope: Scope): Running {
  const { command } = invocation;
  const args = parseArguments(command, invocation.text, invocation.column, scope);
  return { command, items: commandItems(invocation, args, scope) };
}

function* commandItems(invocation: Invocation, args: Readonly<Record<string, unknown>>, scope: Scope): Iterable<Item> {
  const { command } = invocation;
  try {
    for (const item of command.run(scope, args)) {
      yield* remarks(scope);
      yield item;
    }
    yield* remarks(scope);
  } catch (error) {
    yield* remarks(scope);
    throw error instanceof UsageError ? placedIn(invocation, error) : error;
  }
}

/**
 * A command may find only when it runs that its arguments contradict each other or that an expression is malformed:
 * the place in the statement and its usage help then too.
 */
function placedIn({ command, text, column }: Invocation, error: UsageError): UsageError {
  const placed = error.column === undefined || error.source === undefined ? error : error.placed(text, column);
  return placed.hint === undefined ? placed.withHint(usageHint(command)) : placed;
}

function* remarks(scope: Scope): Iterable<Item> {
  for (const text of scope.notices.splice(0)) yield notice(text);
}

/**
 * What a user is shown of an error: for a place in the line a caret under it, then a line that says what is wrong, and
 * one with the hint. `line` is the statement, which the columns of errors without a text of their own count in.
 */
export function errorLines(error: KdbgError, line: string | undefined): readonly string[] {
  const lines: string[] = [];
  const source = error instanceof UsageError ? (error.source ?? line) : undefined;
  if (error instanceof UsageError && error.column !== undefined && source !== undefined)
    lines.push(...caret(source, error.column));
  lines.push(error.message);
  if (error.hint !== undefined) lines.push(error.hint);
  return lines;
}

/** Most characters shown of a line that an error points into. */
const CARET_WIDTH = 100;

/** The line with a caret under the column; of a long line only what is around it, of several only the one. */
function caret(source: string, column: number): readonly string[] {
  const place = Math.min(Math.max(column, 0), source.length);
  const begin = source.lastIndexOf('\n', place - 1) + 1;
  const newline = source.indexOf('\n', begin);
  const end = newline < 0 ? source.length : newline;
  const from = Math.max(begin, Math.min(place - CARET_WIDTH / 2, end - CARET_WIDTH));
  const shown = source.slice(from, Math.min(end, from + CARET_WIDTH)).replaceAll('\t', ' ');
  return [`  ${shown}`, `  ${' '.repeat(Math.max(place - from, 0))}^`];
}

export function isUserError(error: unknown): error is KdbgError {
  return error instanceof KdbgError;
}
