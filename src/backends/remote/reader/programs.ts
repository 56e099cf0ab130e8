/**
 * The far side's programs: real source files, sent without their comments.
 */
import { existsSync, readFileSync } from 'node:fs';
import type { ReaderKind } from '../reader.ts';

const FILES: Readonly<Record<ReaderKind, string>> = {
  perl: 'reader.pl',
  python3: 'reader.py',
  sh: 'reader.sh',
};

/** Best first. */
export const READER_KINDS: readonly ReaderKind[] = ['perl', 'python3', 'sh'];

const loaded = new Map<ReaderKind, string>();

/** The program as it is sent: ASCII, and what stands in a line by itself is code. */
export function readerProgram(kind: ReaderKind): string {
  const known = loaded.get(kind);
  if (known !== undefined) return known;
  const program = withoutComments(readFileSync(fileOf(kind), 'utf8'), kind !== 'python3');
  loaded.set(kind, program);
  return program;
}

/** Beside this file, or in the folder above it where the build has put both (build.mjs). */
function fileOf(kind: ReaderKind): URL {
  const near = new URL(`./far/${FILES[kind]}`, import.meta.url);
  return existsSync(near) ? near : new URL(`../far/${FILES[kind]}`, import.meta.url);
}

function withoutComments(source: string, freeIndent: boolean): string {
  const lines = source
    .split('\n')
    .filter((line) => !/^\s*(?:#|$)/.test(line))
    .map((line) => (freeIndent ? line.trimStart() : line));
  return `${lines.join('\n')}\n`;
}
