/**
 * The panes on the screen: which are shown and where, which one has the keys, how a person arranged them. What was
 * arranged is kept for terminals of that size.
 */
import { type Focus, PANE_NAMES, type PaneName, type Rect, type Size } from './contract.ts';
import { type Arrangement, arrange, type LayoutNode, type Leaf, leavesOf, parseLayout, presetOf } from './layout.ts';
import { grow, hide, moveBorder, show, swap } from './layout-change.ts';
import { Pane, type PaneHost } from './pane.ts';
import { PANE_KINDS } from './pane-views.ts';

/** Rows of the status bar and of the bottom row. */
const TOP = 1;
const BOTTOM = 1;
/** Cells that a key makes a pane larger by. */
const STEP = { x: 4, y: 2 } as const;

export class Desk {
  readonly panes: ReadonlyMap<PaneName, Pane>;
  readonly #layouts: Map<string, LayoutNode>;
  readonly #lesson: boolean;
  #size: Size;
  #preset: { readonly name: string; readonly layout: string };
  #root: LayoutNode;
  #zoomed: Leaf | undefined;
  #arrangement: Arrangement;
  #isChanged = false;

  /** `layouts` are those that a person arranged, by preset; `lesson` is what the session is for. */
  constructor(
    host: PaneHost,
    size: Size,
    { layouts, lesson }: { readonly layouts: ReadonlyMap<string, LayoutNode>; readonly lesson: boolean },
  ) {
    this.panes = new Map(PANE_NAMES.map((name) => [name, new Pane(PANE_KINDS[name], host)]));
    this.#layouts = new Map(layouts);
    this.#size = size;
    this.#lesson = lesson;
    this.#preset = presetOf(size, { lesson });
    this.#root = this.#chosen();
    this.#arrangement = this.#arrange();
  }

  /** Layouts to keep, if a person changed one. */
  get changedLayouts(): ReadonlyMap<string, LayoutNode> | undefined {
    return this.#isChanged ? this.#layouts : undefined;
  }

  get arrangement(): Arrangement {
    return this.#arrangement;
  }

  get zoomed(): Leaf | undefined {
    return this.#zoomed;
  }

  /** The room between the status bar and the bottom row. */
  get area(): Rect {
    const { width, height } = this.#size;
    return { x: 0, y: TOP, width, height: Math.max(0, height - TOP - BOTTOM) };
  }

  pane(name: PaneName): Pane {
    return this.panes.get(name) as Pane;
  }

  isShown(name: PaneName): boolean {
    return this.#arrangement.leaves.has(name);
  }

  /** Panes that are shown, from the top left. */
  shown(): readonly Pane[] {
    return [...this.#arrangement.leaves.keys()].flatMap((name) => (name === 'shell' ? [] : [this.pane(name)]));
  }

  resize(size: Size): void {
    this.#size = size;
    const preset = presetOf(size, { lesson: this.#lesson });
    if (preset.name !== this.#preset.name) {
      this.#preset = preset;
      this.#root = this.#chosen();
    }
    this.#settle();
  }

  /** Shows a pane: `beside` has the keys now. */
  show(name: PaneName, beside: Focus): void {
    if (this.#zoomed !== undefined) this.#zoomed = name;
    else if (!this.isShown(name)) {
      const anchor: Leaf = beside === 'prompt' || beside === 'scrollback' ? 'shell' : beside;
      // A pane that the layout has and that found no room takes another's.
      this.#change(
        show(hide(this.#root, name), this.area, name, this.#arrangement.leaves.has(anchor) ? anchor : 'shell'),
      );
    }
    this.#settle();
  }

  zoom(leaf: Leaf): void {
    this.#zoomed = this.#zoomed === leaf ? undefined : leaf;
    this.#settle();
  }

  unzoom(): void {
    this.#zoomed = undefined;
    this.#settle();
  }

  hide(name: PaneName): void {
    this.#zoomed = undefined;
    this.#change(hide(this.#root, name));
  }

  swap(name: Leaf, other: Leaf): void {
    this.#change(swap(this.#root, name, other));
  }

  grow(leaf: Leaf, axis: 'x' | 'y', direction: 1 | -1): void {
    this.#change(grow(this.#root, this.area, leaf, axis, direction * STEP[axis]));
  }

  moveBorder(index: number, to: number): void {
    const border = this.#arrangement.borders[index];
    if (border !== undefined) this.#change(moveBorder(this.#root, this.area, border, to));
  }

  /** Back to the layout that fits the terminal. */
  reset(): void {
    this.#layouts.delete(this.#preset.name);
    this.#isChanged = true;
    this.#zoomed = undefined;
    this.#root = this.#chosen();
    this.#settle();
  }

  #chosen(): LayoutNode {
    const own = this.#layouts.get(this.#preset.name);
    // What was opened beside the last lesson would tell the answers of the next.
    if (own !== undefined && this.#lesson)
      return leavesOf(own).reduce((root, name) => (name === 'lesson' ? root : hide(root, name)), own);
    if (own !== undefined) return own;
    // A preset has no room for panes that have nothing to show.
    const empty = [...this.panes.values()].filter((pane) => !pane.isUseful);
    return empty.reduce((root, { kind }) => hide(root, kind.name), parseLayout(this.#preset.layout) as LayoutNode);
  }

  #change(root: LayoutNode): void {
    this.#root = root;
    this.#layouts.set(this.#preset.name, root);
    this.#isChanged = true;
    this.#settle();
  }

  #settle(): void {
    this.#arrangement = this.#arrange();
    for (const [name, pane] of this.panes) {
      const isShown = this.isShown(name);
      if (isShown && !pane.isShown) pane.refresh();
      pane.isShown = isShown;
    }
  }

  #arrange(): Arrangement {
    return arrange(this.#root, this.area, this.#zoomed);
  }
}
