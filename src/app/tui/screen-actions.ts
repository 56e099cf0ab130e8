/**
 * What each action of the screen does, wherever it is asked for, and why it does nothing where it cannot.
 */
import { type Focus, PANE_NAMES, type PaneName } from './contract.ts';
import type { Host } from './host.ts';
import { keysOverlay } from './keys-overlay.tsx';
import type { Leaf } from './layout.ts';
import type { Pane } from './pane.ts';
import { IN_PANE, reasonInPane } from './pane-actions.ts';
import type { ScreenAction } from './screen-keys.ts';
import { findSymbol } from './symbol-search.ts';

/** Does it; a reason why not is told in the bottom row. */
export function perform(host: Host, action: ScreenAction): void {
  const reason = reasonAgainst(host, action);
  if (reason !== undefined) {
    host.tell(reason, 'warn');
    return;
  }
  const pane = focusedPane(host);
  const anywhere = ANYWHERE[action];
  if (anywhere !== undefined) anywhere(host);
  else if (pane !== undefined) IN_PANE[action]?.(host, pane);
}

/** Why an action does nothing now; undefined when it does something. */
export function reasonAgainst(host: Host, action: ScreenAction): string | undefined {
  if (ANYWHERE[action] !== undefined) return undefined;
  const pane = focusedPane(host);
  return pane === undefined ? 'that is for a pane: Tab or Alt-1 to Alt-9 choose one' : reasonInPane(host, pane, action);
}

function focusedPane(host: Host): Pane | undefined {
  const { focus } = host.state;
  return focus === 'prompt' || focus === 'scrollback' ? undefined : host.desk.pane(focus);
}

const ANYWHERE: Readonly<Partial<Record<ScreenAction, (host: Host) => void>>> = {
  palette: (host) => host.openPalette(),
  keys: (host) => host.open('keys', keysOverlay(host)),
  cancel: (host) => {
    if (!host.cancel()) host.tell('nothing runs', 'warn');
  },
  suspend: (host) => host.screen.suspend(),
  redraw: (host) => host.screen.redrawAll(),
  'to-prompt': (host) => host.focus('prompt'),
  'to-scrollback': (host) => host.focus('scrollback'),
  'last-pane': (host) => host.focus(host.lastPane ?? host.desk.shown()[0]?.kind.name ?? 'scrollback'),
  'next-pane': (host) => host.focus(neighbour(host, 1)),
  'previous-pane': (host) => host.focus(neighbour(host, -1)),
  zoom: (host) => {
    host.desk.zoom(leafOf(host.state.focus));
    host.redraw(host.chrome);
  },
  'reset-layout': (host) => {
    host.desk.reset();
    host.redraw(host.chrome);
  },
  'find-symbol': findSymbol,
  'read-all': (host) => {
    for (const each of host.desk.shown()) each.refresh();
  },
  ...Object.fromEntries(PANE_NAMES.map((name, i) => [`pane-${i + 1}`, (host: Host) => toPane(host, name)])),
};

/** The pane; again: over the whole screen. */
function toPane(host: Host, name: PaneName): void {
  if (host.state.focus === name) {
    host.desk.zoom(name);
    host.redraw(host.chrome);
  } else host.focus(name);
}

function leafOf(focus: Focus): Leaf {
  return focus === 'prompt' || focus === 'scrollback' ? 'shell' : focus;
}

function neighbour(host: Host, step: 1 | -1): Focus {
  const order: Focus[] = [...host.desk.shown().map((pane) => pane.kind.name), 'scrollback', 'prompt'];
  const at = order.indexOf(host.state.focus);
  return order[(at + step + order.length) % order.length] as Focus;
}
