/**
 * A line of output is text whose parts remember what they are. A terminal prints the text; a pane lets the user
 * select a part and follow its reference. Column widths, colours and escaping belong to whoever draws the line.
 */

/** What a piece of text on the screen stands for. */
export type Ref =
  | { readonly kind: 'task'; readonly task: bigint; readonly pid: number }
  | { readonly kind: 'address'; readonly address: bigint; readonly type?: string }
  | { readonly kind: 'symbol'; readonly name: string; readonly address: bigint }
  | { readonly kind: 'type'; readonly name: string }
  | { readonly kind: 'frame'; readonly task: bigint; readonly index: number }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'lock'; readonly address: bigint; readonly lock: string }
  | { readonly kind: 'command'; readonly line: string };

/** How a piece of text is meant; never the only carrier of a meaning. */
export type Tone = 'header' | 'dim' | 'address' | 'symbol' | 'task' | 'type' | 'good' | 'warn' | 'error' | 'match';

export type Span = string | { readonly text: string; readonly ref?: Ref; readonly tone?: Tone };
export type Line = string | readonly Span[];

/** A span with a reference and, if given, a tone. */
export function span(text: string, ref?: Ref, tone?: Tone): Span {
  return { text, ...(ref === undefined ? {} : { ref }), ...(tone === undefined ? {} : { tone }) };
}

/** The line's spans. */
export function spansOf(line: Line): readonly Span[] {
  return typeof line === 'string' ? [line] : line;
}

/** The line's text, as it is: not escaped for a terminal. */
export function textOf(line: Line): string {
  if (typeof line === 'string') return line;
  return line.map((part) => (typeof part === 'string' ? part : part.text)).join('');
}
