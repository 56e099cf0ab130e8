/**
 * Aliases: a word that stands for the beginning of a line, maybe for a whole pipeline.
 */
import { defineCommand, maybe, rest } from '../src/core/command/define.ts';
import { text, word } from '../src/core/command/kinds.ts';
import { NotFoundError, UsageError } from '../src/core/errors.ts';
import { textColumn } from '../src/core/output/columns.ts';
import { row } from '../src/core/output/item.ts';

export default defineCommand({
  name: 'alias',
  group: 'shell',
  summary: 'show, make and remove aliases',
  description: [
    'Without an argument all aliases are shown, with a name that one. With a name and a command line the alias is made; with "" as the line it is removed.',
    'An alias may stand for a pipeline: quote it. A backslash before a command (\\ps) keeps it from being taken for an alias. Aliases in the rc file are there in every session.',
  ],
  optionsFirst: true,
  operands: {
    name: maybe(word, 'NAME', 'the alias'),
    line: rest(text, '[LINE]', 'what it stands for'),
  },
  columns: {
    origin: textColumn('ORIGIN', 'builtin, rc (the rc file) or runtime (made in this session)', { width: 8 }),
    alias: textColumn('ALIAS', 'what is typed', { width: 8 }),
    line: textColumn('LINE', 'what it stands for'),
  },
  examples: [
    { line: 'alias', shows: 'all aliases' },
    { line: 'alias un "ps UN | bt"', shows: 'makes un show the stacks of all uninterruptible tasks' },
    { line: 'alias un ""', shows: 'removes it' },
  ],
  *run(scope, { name, line }) {
    const { shell } = scope;
    if (name === undefined || line === '') {
      const shown = shell.aliases().filter((alias) => name === undefined || alias.name === name);
      if (shown.length === 0) throw new NotFoundError('alias', name ?? '');
      for (const alias of shown) yield row({ origin: alias.origin, alias: alias.name, line: alias.line });
      return;
    }
    if (shell.command(name) !== undefined) {
      throw new UsageError(`"${name}" is a command: an alias of that name would hide it`);
    }
    if (!/^[A-Za-z_?][\w?.-]*$/.test(name)) {
      throw new UsageError(`"${name}" cannot be an alias: letters, digits, "_", "-", "." and "?" can be in a name`);
    }
    const unquoted = /^(['"])(.*)\1$/s.exec(line)?.[2] ?? line;
    shell.setAlias(name, unquoted === '' ? undefined : unquoted);
  },
});
