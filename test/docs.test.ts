/** docs/commands.md is what the declarations say. UPDATE=1 (npm run docs) writes it anew. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { commands } from '../commands/index.ts';
import { manualPage } from '../src/core/command/manual-page.ts';
import { BUILTIN_ALIASES } from '../src/engine/aliases.ts';

const PATH = resolve(import.meta.dirname, '../docs/commands.md');

test('docs/commands.md is up to date', () => {
  const page = manualPage(commands, BUILTIN_ALIASES);
  if (process.env['UPDATE'] === '1') {
    mkdirSync(dirname(PATH), { recursive: true });
    writeFileSync(PATH, page);
  }
  expect(readFileSync(PATH, 'utf8')).toBe(page);
});

test('the manual has every command, and every link of it leads to one', () => {
  const page = manualPage(commands, BUILTIN_ALIASES);
  const anchors = new Set([...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id));
  expect(anchors.size).toBe(commands.length);
  for (const [, id] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(id);
  for (const line of page.split('\n')) if (line.startsWith('|')) expect(line).toMatch(/ \|$/);
});
