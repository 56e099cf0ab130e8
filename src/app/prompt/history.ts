/**
 * The history of command lines: which are kept, and how one is written as one line of a file. A line that begins with a
 * blank is not kept, nor is one that repeats the one before it. What secret prompts read never comes here.
 */
import { LINE_MAX } from './editor-state.ts';

/** Entries that are kept. */
export const HISTORY_MAX = 10_000;

/** What the prompt needs of a history. */
export interface History {
  /** Oldest first. */
  readonly entries: readonly string[];
  /** Keeps a line that was accepted. Never throws. */
  add(line: string): void;
}

/** Whether a line is kept after `last`. */
export function isKept(line: string, last: string | undefined): boolean {
  return line.trim() !== '' && !/^\s/.test(line) && line.length <= LINE_MAX && line !== last;
}

/** The entries with one more line, if it is kept. */
export function remember(entries: readonly string[], line: string): readonly string[] {
  if (!isKept(line, entries.at(-1))) return entries;
  return [...entries.slice(-(HISTORY_MAX - 1)), line];
}

/** Of many lines, oldest first, those that are kept. */
export function rememberAll(lines: readonly string[]): readonly string[] {
  const kept: string[] = [];
  for (const line of lines) if (isKept(line, kept.at(-1))) kept.push(line);
  return kept.slice(-HISTORY_MAX);
}

/** A history without a file. */
export function memoryHistory(entries: readonly string[] = []): History {
  let kept = rememberAll(entries);
  return {
    get entries() {
      return kept;
    },
    add(line) {
      kept = remember(kept, line);
    },
  };
}

const LONE_SURROGATE = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** An entry as one line of the file: backslash, controls and what UTF-8 cannot carry are escaped. */
export function escapeEntry(entry: string): string {
  return entry
    .replace(/\\/g, '\\\\')
    .replace(/\n/g, '\\n')
    .replace(/[\u0000-\u001f\u007f-\u009f]/g, (control) => `\\x${control.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(LONE_SURROGATE, (half) => `\\u${half.charCodeAt(0).toString(16)}`);
}

/** The entry of a line of the file. A backslash that begins no escape stands for itself. */
export function unescapeEntry(line: string): string {
  return line.replace(/\\(\\|n|x[\da-f]{2}|u[\da-f]{4})/g, (_, escaped: string) => {
    if (escaped === '\\') return '\\';
    if (escaped === 'n') return '\n';
    return String.fromCharCode(Number.parseInt(escaped.slice(1), 16));
  });
}
