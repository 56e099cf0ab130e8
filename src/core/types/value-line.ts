/**
 * Lines of a printed value. The parts that are addresses and symbols remember what they stand for, so that a pane can
 * follow them; output/line.ts takes these lines as they are.
 */

export type ValueRef =
  | { readonly kind: 'address'; readonly address: bigint; readonly type?: string }
  | { readonly kind: 'symbol'; readonly name: string; readonly address: bigint };

export type ValueSegment =
  | string
  | { readonly text: string; readonly ref?: ValueRef; readonly tone?: 'address' | 'symbol' | 'error' };

export type ValueLine = readonly ValueSegment[];

/** Lines while they are made; inline, all of them are one. */
export class ValueLines {
  readonly #inline: boolean;
  readonly #lines: ValueSegment[][] = [[]];
  /** Elements and members still to be printed: the bound on the whole output. */
  budget: number;

  constructor(options: { readonly inline: boolean; readonly budget: number }) {
    this.#inline = options.inline;
    this.budget = options.budget;
  }

  put(segment: ValueSegment): void {
    const line = this.#lines.at(-1) as ValueSegment[];
    const last = line.at(-1);
    if (typeof segment === 'string' && typeof last === 'string') line[line.length - 1] = last + segment;
    else line.push(segment);
  }

  /** Starts a line with this indent; inline, a space after a comma. */
  newline(indent: number): void {
    if (!this.#inline) {
      this.#lines.push(indent > 0 ? [' '.repeat(indent)] : []);
      return;
    }
    const last = this.#lines.at(-1)?.at(-1);
    if (typeof last === 'string' && last.endsWith(',')) this.put(' ');
  }

  get lines(): readonly ValueLine[] {
    return this.#lines;
  }
}

/** The text of a line, without what its parts stand for. */
export function valueLineText(line: ValueLine): string {
  return line.map((segment) => (typeof segment === 'string' ? segment : segment.text)).join('');
}
