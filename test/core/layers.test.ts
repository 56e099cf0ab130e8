/**
 * Imports point one way. Between the projects the compiler sees to it (tsconfig references); inside core this table
 * does, the same as in ARCHITECTURE.md.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const CORE = resolve(import.meta.dirname, '../../src/core');

/** Each layer, and those that it may import besides itself. `errors` is src/core/errors.ts. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  errors: ['memory'],
  memory: ['errors'],
  formats: ['errors', 'memory'],
  symbols: ['errors', 'memory', 'formats'],
  types: ['errors', 'memory', 'formats', 'symbols'],
  arch: ['errors', 'memory', 'formats', 'symbols'],
  kernel: ['errors', 'memory', 'formats', 'symbols', 'types', 'arch'],
  output: ['errors', 'memory', 'types', 'kernel'],
  command: ['errors', 'memory', 'formats', 'symbols', 'types', 'arch', 'kernel', 'output'],
};

function layerOf(path: string): string {
  const first = relative(CORE, path).split('/')[0] as string;
  return first.replace(/\.ts$/, '');
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => join(entry.parentPath, entry.name));
}

test('imports inside core follow the table of layers', () => {
  const wrong: string[] = [];
  for (const path of sources(CORE)) {
    const from = layerOf(path);
    for (const [, target] of readFileSync(path, 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)) {
      const to = layerOf(resolve(dirname(path), target as string));
      if (to !== from && ALLOWED[from]?.includes(to) !== true) wrong.push(`${relative(CORE, path)} imports ${to}`);
    }
  }
  expect(wrong).toEqual([]);
});

test('every folder of core is a layer', () => {
  const folders = readdirSync(CORE, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map((entry) => entry.name).sort()).toEqual(
    Object.keys(ALLOWED)
      .filter((layer) => layer !== 'errors')
      .sort(),
  );
});

test('files are of one idea: none is longer than 320 lines', () => {
  const long = sources(resolve(CORE, '..'))
    .map((path) => ({ path: relative(CORE, path), lines: readFileSync(path, 'utf8').split('\n').length }))
    .filter(({ lines }) => lines > 320);
  expect(long).toEqual([]);
});
