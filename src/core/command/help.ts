/**
 * Help and usage, derived from the declarations alone: what help says of a command is what the parser accepts.
 */
import { type Line, span } from '../output/line.ts';
import type { Command, Group, Operand, Option } from './define.ts';

/** `bt [-aef] [-c CPUS] [TASK]...`: flags joined, then the options with arguments, then the operands. */
export function usageOf(command: Command): string {
  const flags: string[] = [];
  const words: string[] = [];
  for (const [name, option] of Object.entries(command.options ?? {})) {
    if (option.kind === undefined && name.length === 1) flags.push(name);
    else if (option.kind === undefined) words.push(`[-${name}]`);
    else words.push(`[-${name} ${option.placeholder}]${option.repeat === 'list' ? '...' : ''}`);
  }
  const operands = Object.values(command.operands ?? {})
    .filter((operand) => operand.placeholder !== '')
    .map(operandUsage);
  return [command.name, flags.length > 0 ? `[-${flags.join('')}]` : '', ...words, ...operands]
    .filter(Boolean)
    .join(' ');
}

function operandUsage(operand: Operand<unknown>): string {
  switch (operand.arity) {
    case 'one':
    case 'rest':
      return operand.placeholder;
    case 'optional':
      return `[${operand.placeholder}]`;
    case 'many':
      return `[${operand.placeholder}]...`;
    case 'some':
      return `${operand.placeholder}...`;
    case 'after':
      return `[-- ${operand.placeholder}...]`;
  }
}

const INDENT = '  ';
const WIDTH = 78;

/** The usage as an error's second line shows it. */
export function usageHint(command: Command): string {
  return `usage: ${usageOf(command)}`;
}

/** The manual page of one command. */
export function manualOf(command: Command, aliases: readonly string[]): readonly Line[] {
  const lines: Line[] = [];
  const section = (title: string): void => {
    if (lines.length > 0) lines.push('');
    lines.push([span(title, undefined, 'header')]);
  };
  section('NAME');
  lines.push(`${INDENT}${[command.name, ...aliases].join(', ')} - ${command.summary}`);
  section('SYNOPSIS');
  lines.push(...wrap(usageOf(command), INDENT, WIDTH));
  if (command.description !== undefined && command.description.length > 0) {
    section('DESCRIPTION');
    for (const [i, paragraph] of command.description.entries()) {
      if (i > 0) lines.push('');
      lines.push(...wrap(paragraph, INDENT, WIDTH));
    }
  }
  const described = [...Object.entries(command.options ?? {}).map(optionEntry), ...operandEntries(command)];
  if (described.length > 0) {
    section('ARGUMENTS');
    lines.push(...definitions(described));
  }
  if (command.columns !== undefined) {
    section('COLUMNS');
    lines.push(...definitions(Object.entries(command.columns).map(([name, column]) => [name, column.doc] as const)));
  }
  const traits = [
    ...(command.needs === undefined ? [] : [`needs the target's ${command.needs.join(', ')}`]),
    ...(command.input === undefined ? [] : [`takes ${command.input === 'task' ? 'tasks' : 'addresses'} from a pipe`]),
  ];
  if (traits.length > 0) {
    section('TARGETS AND PIPES');
    for (const trait of traits) lines.push(`${INDENT}${trait}`);
  }
  section('EXAMPLES');
  lines.push(...definitions(command.examples.map((example) => [example.line, example.shows] as const)));
  return lines;
}

function optionEntry([name, option]: [string, Option<unknown>]): readonly [string, string] {
  return [`-${name}${option.placeholder === undefined ? '' : ` ${option.placeholder}`}`, option.doc];
}

function operandEntries(command: Command): readonly (readonly [string, string])[] {
  return Object.values(command.operands ?? {})
    .filter((operand) => operand.placeholder !== '')
    .map((operand) => [operand.placeholder, operand.doc] as const);
}

/** Terms with their explanations beside them, wrapped. */
function definitions(entries: readonly (readonly [string, string])[]): readonly Line[] {
  const width = Math.min(Math.max(...entries.map(([term]) => term.length)), 28);
  return entries.flatMap(([term, explanation]) => {
    const wrapped = wrap(explanation, ' '.repeat(INDENT.length + width + 2), WIDTH);
    const fits = term.length <= width;
    const first = `${INDENT}${term.padEnd(width)}  ${(wrapped[0] ?? '').trimStart()}`;
    return fits ? [first, ...wrapped.slice(1)] : [`${INDENT}${term}`, ...wrapped];
  });
}

/** Words filled to a width behind an indent. */
function wrap(text: string, indent: string, width: number): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const word of text.split(' ')) {
    if (line.length > indent.length && line.length + word.length + 1 > width) {
      lines.push(line);
      line = indent;
    }
    line += line.length > indent.length ? ` ${word}` : word;
  }
  lines.push(line);
  return lines;
}

/** The headings of help, in their order. */
export const GROUPS: readonly (readonly [Group, string])[] = [
  ['tasks', 'tasks and stacks'],
  ['locks', 'locks: who waits for whom'],
  ['types', 'types and values'],
  ['memory', 'memory'],
  ['symbols', 'symbols and code'],
  ['system', 'the system'],
  ['shell', 'the shell'],
];

/** All commands, a line each, by group. */
export function overview(commands: readonly Command[]): readonly Line[] {
  const lines: Line[] = [];
  for (const [group, title] of GROUPS) {
    const members = commands.filter((command) => command.group === group);
    if (members.length === 0) continue;
    if (lines.length > 0) lines.push('');
    lines.push([span(title, undefined, 'header')]);
    for (const command of members) {
      lines.push([
        INDENT,
        span(command.name.padEnd(10), { kind: 'command', line: `help ${command.name}` }),
        ` ${command.summary}`,
      ]);
    }
  }
  lines.push('', '"help NAME" explains a command, "help input" and "help output" the command line.');
  return lines;
}
