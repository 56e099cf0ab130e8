/**
 * Kinds of arguments that need no target: counts, words, choices, names of commands. Those that look something up
 * in the kernel are in target-kinds.ts.
 */
import { NotFoundError, UsageError } from '../errors.ts';
import { complete } from './complete.ts';
import type { Command, Kind } from './define.ts';
import { expandAlias, nearCommands } from './resolve.ts';
import type { Alias, Scope } from './scope.ts';
import { firstName } from './words.ts';

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

/** A length of time in seconds, fractions allowed: `5`, `0.5`, `5s`. */
export const seconds: Kind<number> = {
  name: 'seconds',
  parse(text) {
    const value = Number(/^(\d+(?:\.\d+)?)s?$/.exec(text)?.[1] ?? Number.NaN);
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

/** What help explains: a command, an alias with the command that it calls, or a topic. */
export interface HelpSubject {
  readonly topic?: (typeof HELP_TOPICS)[number];
  readonly alias?: Alias;
  readonly command?: Command;
}

/** A command's name, an alias, or a topic of help. */
export const helpSubject: Kind<HelpSubject> = {
  name: 'command',
  parse(given, scope) {
    const { shell } = scope;
    const topic = HELP_TOPICS.find((each) => each === given);
    if (topic !== undefined) return { topic };
    const command = shell.command(given);
    if (command !== undefined) return { command };
    const alias = shell.aliases().find((each) => each.name === given);
    if (alias === undefined) throw new NotFoundError('command', given, nearCommands(given, shell));
    const called = shell.command(firstName(expandAlias(given, shell.aliases())));
    return { alias, ...(called === undefined ? {} : { command: called }) };
  },
  complete: (_text, scope) => ({
    candidates: [
      ...scope.shell.commands().map((command) => ({ text: command.name, detail: command.summary })),
      ...scope.shell.aliases().map((alias) => ({ text: alias.name, detail: `alias of ${alias.line}` })),
      ...HELP_TOPICS.map((topic) => ({ text: topic, detail: 'a topic' })),
    ],
  }),
};

/** A command line to run inside another command. */
export const commandLine: Kind<string> = {
  name: 'command line',
  parse: (raw) => raw.trim(),
  complete: (raw, scope) => complete(raw, raw.length, scope),
};
