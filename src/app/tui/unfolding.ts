/**
 * Lines that unfold. What stands below a frame is asked for when it is opened, and stays until it is folded again; what a
 * call has within it came with its line.
 */
import { type Fold, foldOf, type Line, type Span, spansOf, textOf } from '../../core/output/line.ts';

/** What unfolds a line that has nothing folded in itself, or why it does not unfold. */
export type Unfold = (line: Line) => Promise<readonly Line[]> | string;

export class Unfolding {
  /** By the text of the line that they stand below. */
  readonly #below = new Map<string, readonly Line[]>();
  /** Keys of folds that are not as they were at first. */
  readonly #turned = new Set<string>();
  /** Lines with a fold as they are while that is open: one each, so that it can be found again. */
  readonly #opened = new WeakMap<Fold, Line>();

  clear(): void {
    this.#below.clear();
    this.#turned.clear();
  }

  /** Opens a line or folds it again; `changed` is called when it is done. Why it cannot, if it cannot. */
  toggle(line: Line, unfold: Unfold, changed: () => void): string | undefined {
    const fold = foldOf(line);
    const text = textOf(line);
    if (fold !== undefined || this.#below.delete(text)) {
      if (fold !== undefined) this.#turn(fold);
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

  /** Opens a fold with all in it; folds it again where all is open. False for a line that has none. */
  toggleAll(line: Line): boolean {
    const fold = foldOf(line);
    if (fold === undefined) return false;
    const closed = [...within(fold)].filter((each) => !this.#isOpen(each));
    for (const each of closed.length > 0 ? closed : [fold]) this.#turn(each);
    return true;
  }

  /** The lines with what is unfolded below them. */
  laid(lines: readonly Line[]): readonly Line[] {
    const laid: Line[] = [];
    this.#lay(lines, laid);
    return laid;
  }

  #lay(lines: readonly Line[], laid: Line[]): void {
    for (const line of lines) {
      const fold = foldOf(line);
      if (fold !== undefined && this.#isOpen(fold)) {
        laid.push(this.#openedLine(fold, line));
        this.#lay(fold.lines, laid);
      } else laid.push(line);
      if (this.#below.size > 0) laid.push(...(this.#below.get(textOf(line)) ?? []));
    }
  }

  #isOpen(fold: Fold): boolean {
    return fold.isOpen !== this.#turned.has(fold.key);
  }

  #turn({ key }: Fold): void {
    if (!this.#turned.delete(key)) this.#turned.add(key);
  }

  #openedLine(fold: Fold, line: Line): Line {
    const known = this.#opened.get(fold);
    if (known !== undefined) return known;
    const opened = spansOf(line).map(
      (part): Span =>
        typeof part === 'object' && part.ref === fold ? { ...part, text: part.text.replace('+', '-') } : part,
    );
    this.#opened.set(fold, opened);
    return opened;
  }
}

/** A fold, and all folds in it. */
function* within(fold: Fold): Iterable<Fold> {
  yield fold;
  for (const line of fold.lines) {
    const inner = foldOf(line);
    if (inner !== undefined) yield* within(inner);
  }
}
