/**
 * Text that came from the other side or from a program that speaks for it: hostile, and of any length.
 */
import { escapeControls } from '../../core/output/escape.ts';

/** One line of it, with what would move a cursor written visibly, and cut at `limit` characters. */
export function serverText(text: string, limit: number): string {
  return serverLines(text, limit, 100).join(' ');
}

/** Its lines, those that are empty left out, for what a person should read. */
export function serverLines(text: string, limit: number, linesMax: number): readonly string[] {
  const cut = text.length > limit ? `${text.slice(0, limit)}...` : text;
  const lines = cut
    .split(/[\r\n]+/)
    .map((line) => escapeControls(line.replace(/\t/g, ' ').trim()))
    .filter((line) => line !== '');
  return lines.length > linesMax ? [...lines.slice(0, linesMax), '...'] : lines;
}
