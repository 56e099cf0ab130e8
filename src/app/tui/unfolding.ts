/**
 * Lines that unfold: what stands below one is asked for when it is opened, and stays until it is folded again.
 */
import { type Line, textOf } from '../../core/output/line.ts';

/** What unfolds a line, or why it does not unfold. */
export type Unfold = (line: Line) => Promise<readonly Line[]> | string;

export class Unfolding {
  /** By the text of the line that they stand below. */
  readonly #below = new Map<string, readonly Line[]>();

  clear(): void {
    this.#below.clear();
  }

  /** Opens a line or folds it again; `changed` is called when it is done. Why it cannot, if it cannot. */
  toggle(line: Line, unfold: Unfold, changed: () => void): string | undefined {
    const text = textOf(line);
    if (this.#below.delete(text)) {
      changed();
      return undefined;
    }
    const lines = unfold(line);
    if (typeof lines === 'string') return lines;
    const put = (found: readonly Line[]): void => {
      this.#below.set(text, found);
      changed();
    };
    lines.then(put, (error: Error) => put([[{ text: `      ${error.message}`, tone: 'warn' }]]));
    return undefined;
  }

  /** The lines with what is unfolded below them. */
  laid(lines: readonly Line[]): readonly Line[] {
    if (this.#below.size === 0) return lines;
    return lines.flatMap((line) => [line, ...(this.#below.get(textOf(line)) ?? [])]);
  }
}
