/**
 * The lines of a pane as its viewport has them: with what is unfolded below them, and held while the pane is paused.
 */
import { foldOf, type Line } from '../../core/output/line.ts';
import type { PaneReading } from './pane-reading.ts';
import { type Unfold, Unfolding } from './unfolding.ts';
import type { Viewport } from './viewport.ts';

export class LaidLines {
  readonly #viewport: Viewport;
  readonly #reading: PaneReading;
  readonly #changed: () => void;
  readonly #unfolding = new Unfolding();
  /** What was there when the pane was paused. */
  #held: readonly Line[] | undefined;

  /** `changed` is called when the viewport has other lines. */
  constructor(viewport: Viewport, reading: PaneReading, changed: () => void) {
    this.#viewport = viewport;
    this.#reading = reading;
    this.#changed = changed;
  }

  get isPaused(): boolean {
    return this.#held !== undefined;
  }

  /** Holds what is shown, or goes on. */
  pause(): void {
    this.#held = this.isPaused ? undefined : [...this.#reading.lines];
    this.lay();
  }

  /** Nothing is unfolded any more. */
  clear(): void {
    this.#unfolding.clear();
  }

  /** Shows what was read; a pane that is paused keeps what it shows. */
  lay(): void {
    this.#viewport.replace(this.#laid());
    this.#changed();
  }

  /** Lines that come by themselves, behind what was read. */
  append(lines: readonly Line[]): void {
    const isCut = this.#reading.append(lines);
    if (this.isPaused) return;
    const viewport = this.#viewport;
    if (!isCut) viewport.append(this.#unfolding.laid(lines));
    else if (viewport.follows) viewport.replace(this.#laid());
    // What is looked at stays, as long as it is there.
    else if (!viewport.replaceAround(viewport.line, this.#laid())) viewport.choose(0);
  }

  /** Unfolds the line that is chosen, or folds it again. Why it cannot, if it cannot. */
  toggle(unfold: Unfold): string | undefined {
    const { line } = this.#viewport;
    if (line === undefined) return 'there is nothing to unfold';
    return this.#unfolding.toggle(line, unfold, () => this.#unfolded(line));
  }

  /** The same with all that is folded within it; a line that has nothing folded stays as it is. */
  toggleAll(): void {
    const { line } = this.#viewport;
    if (line !== undefined && this.#unfolding.toggleAll(line)) this.#unfolded(line);
  }

  /** What is below a line was unfolded or folded: it is to be seen, and does not flow away. */
  #unfolded(line: Line): void {
    const viewport = this.#viewport;
    const before = viewport.length;
    const fold = foldOf(line);
    const laid = this.#laid();
    viewport.follows = false;
    viewport.replaceAround(fold === undefined ? line : laid.find((each) => foldOf(each) === fold), laid);
    viewport.showBelow(viewport.length - before);
    this.#changed();
  }

  #laid(): readonly Line[] {
    return this.#unfolding.laid(this.#held ?? this.#reading.lines);
  }
}
