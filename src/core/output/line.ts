/**
 * A line of output is text whose parts remember what they are. A terminal prints the text; a pane lets the user
 * select a part and follow its reference. Column widths, colours and escaping belong to whoever draws the line.
 */

/** What a piece of text on the screen stands for. */
export type Ref =
  /** A task, by PID alone where its task_struct is not at hand: a line of the trace, /proc. */
  | { readonly kind: 'task'; readonly task?: bigint; readonly pid: number }
  | { readonly kind: 'address'; readonly address: bigint; readonly type?: string }
  | { readonly kind: 'symbol'; readonly name: string; readonly address: bigint }
  | { readonly kind: 'type'; readonly name: string }
  | { readonly kind: 'frame'; readonly task: bigint; readonly index: number }
  | { readonly kind: 'module'; readonly name: string }
  | { readonly kind: 'lock'; readonly address: bigint; readonly lock: string }
  | { readonly kind: 'command'; readonly line: string }
  | Fold;

/**
 * Lines that belong below the line in which this stands, and go with it, so that whoever shows it can unfold them: of what
 * flows there is nothing to ask again. Made for panes only. The span says `+` and how much it is.
 */
export interface Fold {
  readonly kind: 'fold';
  /** What tells it from others, also when the same is read again. */
  readonly key: string;
  readonly lines: readonly Line[];
  /** How many lines these are, with all that is folded in them. */
  readonly count: number;
  /** It is shown unfolded at first. */
  readonly isOpen: boolean;
}

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

/** What is folded in a line: the last of its spans says so. */
export function foldOf(line: Line): Fold | undefined {
  const last = typeof line === 'string' ? undefined : line.at(-1);
  return typeof last === 'object' && last.ref?.kind === 'fold' ? last.ref : undefined;
}
