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
  return { command, items: commandItems(command, args, scope) };
}

function* commandItems(command: Command, args: Readonly<Record<string, unknown>>, scope: Scope): Iterable<Item> {
  try {
    for (const item of command.run(scope, args)) {
      yield* remarks(scope);
      yield item;
    }
    yield* remarks(scope);
  } catch (error) {
    yield* remarks(scope);
    // A command may find its arguments to contradict each other only when it runs: its usage helps then too, unless the
    // error points at a place within an argument.
    if (error instanceof UsageError && error.hint === undefined && error.column === undefined) {
      throw new UsageError(error.message, { hint: usageHint(command) });
    }
    throw error;
  }
}

function* remarks(scope: Scope): Iterable<Item> {
  for (const text of scope.notices.splice(0)) yield notice(text);
}

/** What a user is shown of an error: one line, a second with the hint, and for a place in the line a caret. */
export function errorLines(error: KdbgError, line: string | undefined): readonly string[] {
  const lines: string[] = [];
  if (error instanceof UsageError && error.column !== undefined && line !== undefined && !line.includes('\n')) {
    lines.push(`  ${line}`, `  ${' '.repeat(Math.min(error.column, line.length))}^`);
  }
  lines.push(error.message);
  if (error.hint !== undefined) lines.push(error.hint);
  return lines;
}

export function isUserError(error: unknown): error is KdbgError {
  return error instanceof KdbgError;
}
