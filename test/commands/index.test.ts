import { readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../../commands/index.ts';
import { manualOf, usageOf } from '../../src/core/command/help.ts';
import { textOf } from '../../src/core/output/line.ts';
import { BUILTIN_ALIASES } from '../../src/engine/aliases.ts';

const FILES: Readonly<Record<string, string>> = { '*': 'star' };

test('commands/index.ts lists the folder', () => {
  const files = readdirSync(resolve(import.meta.dirname, '../../commands'))
    .filter((name) => name.endsWith('.ts') && name !== 'index.ts')
    .map((name) => name.replace('.ts', ''));
  expect(commands.map((command) => FILES[command.name] ?? command.name).sort()).toEqual(files.sort());
});

test('names and aliases are unique', () => {
  const names = [...commands.map((command) => command.name), ...BUILTIN_ALIASES.map((alias) => alias.name)];
  expect(new Set(names).size).toBe(names.length);
});

test('every builtin alias stands for a command', () => {
  const names = new Set(commands.map((command) => command.name));
  expect(BUILTIN_ALIASES.filter((alias) => !names.has(alias.line.split(' ')[0] as string))).toEqual([]);
});

test('commands that take input do not hide a common program of the shell', () => {
  const programs = [
    'grep',
    'sort',
    'head',
    'tail',
    'less',
    'wc',
    'awk',
    'sed',
    'cut',
    'uniq',
    'tee',
    'cat',
    'tr',
    'xargs',
  ];
  const taking = commands.filter((command) => command.input !== undefined).map((command) => command.name);
  // `ps` takes tasks: after a kdbg pipe it is kdbg's.
  expect(taking.filter((name) => programs.includes(name))).toEqual([]);
});

test.each(commands.map((command) => [command.name, command] as const))('%s is described', (_name, command) => {
  expect(command.summary).toMatch(/^[a-z"*C].*[^.]$/);
  expect(command.summary.length).toBeLessThan(100);
  expect(command.examples.length).toBeGreaterThan(0);
  for (const example of command.examples) {
    expect(example.line.startsWith(command.name)).toBe(true);
  }
  expect(usageOf(command).startsWith(command.name)).toBe(true);
  const manual = manualOf(command, []).map(textOf);
  for (const name of Object.keys(command.options ?? {})) {
    expect(manual.some((line) => line.trimStart().startsWith(`-${name}`))).toBe(true);
  }
  expect(manual.filter((line) => line.length > 90)).toEqual([]);
});
