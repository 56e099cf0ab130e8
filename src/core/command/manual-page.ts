/**
 * The manual of all commands as one page of Markdown, from the declarations that help shows: docs/commands.md.
 */
import type { Command } from './define.ts';
import { GROUPS, usageOf } from './help.ts';
import type { Alias } from './scope.ts';

/** The page. Aliases are named with the commands that they call. */
export function manualPage(commands: readonly Command[], aliases: readonly Alias[]): string {
  const blocks = [
    '# Commands',
    'Generated from the declarations in `commands/`; `npm run docs` writes it anew. In kdbg, `help NAME` shows the same, `help input` explains how a line is written and `help output` where its output can go.',
  ];
  const groups = GROUPS.map(([group, title]) => ({ title, members: commands.filter((each) => each.group === group) }));
  const filled = groups.filter(({ members }) => members.length > 0);
  for (const { title, members } of filled) {
    blocks.push(
      table(
        [capitalized(title), ''],
        members.map((each) => [`[\`${each.name}\`](#${anchor(each)})`, escaped(each.summary)]),
      ),
    );
  }
  for (const { title, members } of filled) {
    blocks.push(`## ${capitalized(title)}`);
    for (const command of members) blocks.push(...section(command, aliases));
  }
  return `${blocks.join('\n\n')}\n`;
}

function section(command: Command, aliases: readonly Alias[]): readonly string[] {
  const blocks = [
    `### <a id="${anchor(command)}"></a>${escaped(command.name)}`,
    `${capitalized(escaped(command.summary))}.`,
    `\`\`\`\n${usageOf(command)}\n\`\`\``,
    ...(command.description ?? []).map(escaped),
  ];
  const options = Object.entries(command.options ?? {}).map(([name, option]) => {
    return [`\`-${name}${option.placeholder === undefined ? '' : ` ${option.placeholder}`}\``, escaped(option.doc)];
  });
  const operands = Object.values(command.operands ?? {})
    .filter((operand) => operand.placeholder !== '')
    .map((operand) => [`\`${operand.placeholder}\``, escaped(operand.doc)]);
  if (options.length + operands.length > 0) blocks.push(table(['Argument', ''], [...options, ...operands]));
  const columns = Object.entries(command.columns ?? {}).map(([name, column]) => [
    escaped(column.title),
    `\`${name}\``,
    escaped(column.doc),
  ]);
  if (columns.length > 0) blocks.push(table(['Column', 'JSON', ''], columns));
  const shortcuts = aliases.filter((alias) => alias.line.split(' ')[0] === command.name);
  const traits = [
    ...(command.needs === undefined ? [] : [`Needs the target's ${command.needs.join(', ')}.`]),
    ...(command.input === undefined ? [] : [`Takes ${command.input === 'task' ? 'tasks' : 'addresses'} from a pipe.`]),
    ...(shortcuts.length === 0 ? [] : [`Short: ${shortcuts.map(shortcut).join(', ')}.`]),
  ];
  if (traits.length > 0) blocks.push(traits.join(' '));
  blocks.push(
    table(
      ['Example', ''],
      command.examples.map(({ line, shows }) => [`\`${line}\``, escaped(shows)]),
    ),
  );
  return blocks;
}

function shortcut({ name, line }: Alias): string {
  return line.includes(' ') ? `\`${name}\` is \`${line}\`` : `\`${name}\``;
}

function table(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(titles), line(titles.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Text that Markdown takes as it is. */
function escaped(text: string): string {
  return text.replace(/[\\*<[\]`]|\b_\B|\B_\b/g, (character) => `\\${character}`);
}

function anchor(command: Command): string {
  return command.name === '*' ? 'star' : command.name;
}

function capitalized(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
