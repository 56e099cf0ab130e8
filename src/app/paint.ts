/**
 * Lines to terminal text: control characters escaped, tones as colours where colours are wanted. Colour never says
 * anything that the text does not say.
 */
import { escapeControls } from '../core/output/escape.ts';
import { type Line, spansOf, type Tone } from '../core/output/line.ts';

const SGR: Readonly<Record<Tone, string>> = {
  header: '1',
  dim: '2',
  address: '36',
  symbol: '32',
  task: '1',
  type: '35',
  good: '32',
  warn: '33',
  error: '31',
  match: '7',
};

/** The line as text for a terminal, or plain where `colour` is false. */
export function paint(line: Line, colour: boolean): string {
  return spansOf(line)
    .map((part) => {
      const text = escapeLine(typeof part === 'string' ? part : part.text);
      if (!colour || typeof part === 'string' || part.tone === undefined || text === '') return text;
      return `\u001b[${SGR[part.tone]}m${text}\u001b[0m`;
    })
    .join('');
}

/** A tab is layout (disassembly), everything else that moves a cursor is escaped. */
function escapeLine(text: string): string {
  return text.includes('\t') ? text.split('\t').map(escapeControls).join('\t') : escapeControls(text);
}

/** True when output to this stream should be coloured: a terminal, and NO_COLOR not set. */
export function wantsColour(stream: { readonly isTTY?: boolean }): boolean {
  const noColour = process.env['NO_COLOR'];
  return stream.isTTY === true && (noColour === undefined || noColour === '') && process.env['TERM'] !== 'dumb';
}
