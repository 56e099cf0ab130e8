/**
 * Kinds of arguments that need no target: counts, words, choices, names of commands. Those that look something up
 * in the kernel are in target-kinds.ts.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import type { Candidate, Command, Kind } from './define.ts';
import { firstName } from './grammar.ts';
import type { Scope } from './scope.ts';

/** A count of things: decimal, or hex with 0x; never negative. */
export const count: Kind<number> = {
  name: 'count',
  parse(text) {
    const value = /^(\d+|0x[0-9a-fA-F]+)$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isSafeInteger(value)) throw new UsageError(`"${text}" is not a count`, { column: 0 });
    return value;
  },
};

/** A number that may be negative. */
export const signedCount: Kind<number> = {
  name: 'number',
  parse(text) {
    const negative = text.startsWith('-');
    const value = count.parse(negative ? text.slice(1) : text, undefined as unknown as Scope);
    return negative ? -value : value;
  },
};

/** A length of time in seconds, fractions allowed. */
export const seconds: Kind<number> = {
  name: 'seconds',
  parse(text) {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : Number.NaN;
    if (!Number.isFinite(value) || value > 86_400) {
      throw new UsageError(`"${text}" is not a number of seconds (a day at most)`, { column: 0 });
    }
    return value;
  },
};

/** A word as it is. */
export const word: Kind<string> = { name: 'word', parse: (text) => text };

/** Text as it was typed, to the end of the line. */
export const text: Kind<string> = { name: 'text', parse: (raw) => raw.trim() };

/** One of a few words. */
export function choice<const T extends string>(...allowed: readonly T[]): Kind<T> {
  return {
    name: allowed.join('|'),
    parse(given) {
      const found = allowed.find((each) => each === given);
      if (found === undefined) throw new UsageError(`"${given}" is none of ${allowed.join(', ')}`, { column: 0 });
      return found;
    },
    complete: () => ({ candidates: allowed.map((each) => ({ text: each })) }),
  };
}

const HELP_TOPICS = ['all', 'input', 'output'] as const;

/** A command's name (or an alias of one), or a topic of help. */
export const commandName: Kind<Command | (typeof HELP_TOPICS)[number]> = {
  name: 'command',
  parse(given, scope) {
    const topic = HELP_TOPICS.find((each) => each === given);
    if (topic !== undefined) return topic;
    const alias = scope.shell.aliases().find((each) => each.name === given);
    const command = scope.shell.command(given) ?? (alias && scope.shell.command(firstName(alias.line)));
    if (command !== undefined) return command;
    const names = scope.shell.commands().map((each) => each.name);
    throw new NotFoundError('command', given, names.filter((each) => each.startsWith(given.slice(0, 2))).slice(0, 5));
  },
  complete: (_text, scope) => ({
    candidates: [...commandCandidates(scope), ...HELP_TOPICS.map((topic) => ({ text: topic }))],
  }),
};

/** A command line to run inside another command. */
export const commandLine: Kind<string> = {
  name: 'command line',
  parse: (raw) => raw.trim(),
  complete: (raw, scope) => (/\s/.test(raw) ? { candidates: [] } : { candidates: commandCandidates(scope) }),
};

function commandCandidates(scope: Scope): readonly Candidate[] {
  return scope.shell.commands().map((command) => ({ text: command.name, detail: command.summary }));
}
