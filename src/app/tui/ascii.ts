/**
 * The screen for terminals whose locale has no UTF-8: what the screen draws itself has a likeness in ASCII, any other
 * character is a question mark.
 */
import type { Grid } from './cells.ts';

const LIKENESS: Readonly<Record<string, string>> = {
  '\u2500': '-',
  '\u2502': '|',
  '\u250c': '+',
  '\u2510': '+',
  '\u2514': '+',
  '\u2518': '+',
  '\u2571': '/',
  '\u2572': '\\',
  '\u203a': '>',
  '\u2026': '.',
  '\u25cf': '*',
};

/** Leaves nothing but ASCII in the cells. */
export function toAscii({ text }: Grid): void {
  for (let i = 0; i < text.length; i++) {
    const cluster = text[i] as string;
    if (cluster.length === 1 && cluster < '\x7f') continue;
    // The second cell of a wide character.
    text[i] = cluster === '' ? ' ' : (LIKENESS[cluster] ?? '?');
  }
}

/** POSIX: LC_ALL, else LC_CTYPE, else LANG; the first that is set and not empty counts. */
export function isUnicodeLocale(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}
