/**
 * A lesson's text as lines: paragraphs filled to a width, `code` and *stress* told apart. Code that is a command line
 * can be followed, and runs.
 */
import type { Prose } from '../formats/lesson.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { isHarmless } from './harmless-line.ts';
import type { Shell } from './scope.ts';

/** Columns that text is filled to unless told otherwise. */
export const PROSE_WIDTH = 76;

/** The pieces with a blank line between them; items of a list stand together. */
export function proseLines(shell: Shell, prose: readonly Prose[], width: number): readonly Line[] {
  return prose.flatMap((piece, i): readonly Line[] => {
    const gap: readonly Line[] = i > 0 && !(piece.kind === 'item' && prose[i - 1]?.kind === 'item') ? [''] : [];
    if (piece.kind === 'literal') {
      return [...gap, ...trimmed(piece.lines).map((line): Line => ['    ', codeSpan(shell, line, line)])];
    }
    const marker = piece.kind === 'item' ? '- ' : '';
    return [...gap, ...filled(shell, piece.text, { width, first: marker, rest: ' '.repeat(marker.length) })];
  });
}

/** Text filled to a width; `first` stands before its first line and `rest` before the others. */
export function filled(
  shell: Shell,
  text: string,
  { width, first, rest }: { readonly width: number; readonly first: string; readonly rest: string },
): readonly Line[] {
  const lines: Span[][] = [];
  let line: Span[] = [first];
  let column = first.length;
  let isFresh = true;
  for (const word of wordsOf(shell, text)) {
    const length = word.reduce((sum, part) => sum + (typeof part === 'string' ? part : part.text).length, 0);
    if (!isFresh && column + 1 + length > width) {
      lines.push(line);
      line = [rest];
      column = rest.length;
      isFresh = true;
    }
    if (!isFresh) line.push(' ');
    line.push(...word);
    column += length + (isFresh ? 0 : 1);
    isFresh = false;
  }
  return [...lines, line];
}

/** The words of a text, each of one or more spans; what stands between backticks is not broken. */
function wordsOf(shell: Shell, text: string): readonly (readonly Span[])[] {
  const words: Span[][] = [];
  let word: Span[] = [];
  const end = (): void => {
    if (word.length > 0) words.push(word);
    word = [];
  };
  for (const [, blank, code, stressed, plain] of text.matchAll(/(\s+)|`([^`]+)`|\*([^*\s][^*]*)\*|([^\s`*]+|[`*])/g)) {
    if (blank !== undefined) end();
    else if (code !== undefined) word.push(codeSpan(shell, code, `\`${code}\``));
    else if (plain !== undefined) word.push(plain);
    else if (stressed !== undefined) {
      const parts = stressed.split(/\s+/);
      for (const [i, part] of parts.entries()) {
        if (i > 0) end();
        word.push(span(part, undefined, 'header'));
      }
    }
  }
  end();
  return words;
}

/** Code; a command line that only looks can be followed, as long as it is no pattern of one (`bt PID`). */
export function codeSpan(shell: Shell, code: string, shown: string): Span {
  return isHarmless(code, shell) && !/\b[A-Z]{3,}\b/.test(code)
    ? span(shown, { kind: 'command', line: code }, 'symbol')
    : span(shown, undefined, 'symbol');
}

/** Without blank lines at the ends. */
function trimmed(lines: readonly string[]): readonly string[] {
  const first = lines.findIndex((line) => line.trim() !== '');
  const last = lines.findLastIndex((line) => line.trim() !== '');
  return first < 0 ? [] : lines.slice(first, last + 1);
}
