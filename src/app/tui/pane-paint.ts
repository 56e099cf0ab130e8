/** A pane as cells: its lines and what is looked at below them, or why there are none. */
import { type CellWindow, PANE_NAMES } from './contract.ts';
import type { PaneKind } from './pane-views.ts';
import type { Preview } from './preview.ts';
import type { Viewport } from './viewport.ts';
import { wrapped } from './wrapped.ts';

export interface PaneView {
  readonly kind: PaneKind;
  readonly viewport: Viewport;
  readonly preview: Preview;
  readonly isFocused: boolean;
  readonly error: string | undefined;
  /** What stands there while there are no lines. */
  readonly emptiness: string;
}

export function paintPane(
  window: CellWindow,
  { kind, viewport, preview, isFocused, error, emptiness }: PaneView,
): void {
  if (viewport.total === 0) {
    for (const [i, piece] of wrapped(error ?? emptiness, window.width - 2).entries()) {
      window.text(1, i, piece, error === undefined ? 'dim' : 'warn');
    }
    return;
  }
  const looked = preview.rows(window.height);
  // A text that is to be read to its end says so while that is not seen.
  const hasRest = kind.isText === true && viewport.top + window.height < viewport.length;
  const height = window.height - looked - (hasRest ? 1 : 0);
  viewport.paint(window, isFocused, height);
  preview.paint(window, looked);
  if (hasRest) paintRest(window, kind, { isFocused, below: viewport.length - viewport.top - height });
  if (error !== undefined) window.text(0, window.height - 1, ` ${error} `, 'warn');
}

function paintRest(
  window: CellWindow,
  { name }: PaneKind,
  { isFocused, below }: { readonly isFocused: boolean; readonly below: number },
): void {
  const keys = isFocused ? 'PgDn' : `Alt-${PANE_NAMES.indexOf(name) + 1}, PgDn`;
  const rest = ` ${below} more ${below === 1 ? 'line' : 'lines'}: ${keys} `;
  window.text(Math.max(0, window.width - rest.length - 1), window.height - 1, rest, 'status');
}
