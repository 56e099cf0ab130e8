/**
 * Who takes an event: an open overlay, then the keys that mean the same everywhere, then whatever has the keys. A key
 * that means nothing says so.
 */
import { chordOf, type InputEvent, type KeyEvent, type MouseEvent } from '../prompt/keys.ts';
import type { Part, Rect } from './contract.ts';
import { inside, shellRects } from './frame-of.ts';
import type { Host } from './host.ts';
import type { Leaf } from './layout.ts';
import type { Mouse } from './mouse.ts';
import { perform } from './screen-actions.ts';
import { screenAction } from './screen-keys.ts';
import { keyName } from './status.ts';
import { isWalking } from './walk-actions.ts';

export function takeEvent(host: Host, event: InputEvent, mouse: Mouse): void {
  if (event.kind === 'unknown') return;
  if (event.kind === 'mouse') {
    takeMouse(host, event, mouse);
    return;
  }
  if (host.state.message !== undefined) host.update({ message: undefined });
  if (host.overlay !== undefined && giveTo(host, host.overlay, event)) return;
  const everywhere = screenAction(host.keys, event, 'anywhere');
  if (everywhere === 'cancel') {
    if (host.cancel()) return;
  } else if (everywhere !== undefined) {
    perform(host, everywhere);
    return;
  }
  takeFocused(host, event);
}

function takeFocused(host: Host, event: Exclude<InputEvent, MouseEvent>): void {
  const { focus } = host.state;
  if (focus === 'prompt') {
    if (giveTo(host, host.prompt, event) || event.kind !== 'key') return;
    const { name } = event;
    if (chordOf(event) === 'escape') perform(host, 'last-pane');
    else if (event.ctrl && name === 'p') host.openPalette();
    else if (event.text === '?') perform(host, 'keys');
    else if (event.text === '/') host.scrollback.search();
    else if (name === 'home' || name === 'end') host.scrollback.scroll(name === 'home' ? -Infinity : Infinity);
    else if (name === 'page-up' || name === 'page-down') {
      host.scrollback.scroll((name === 'page-up' ? -1 : 1) * Math.max(1, scrollbackRows(host) - 1));
    }
    return;
  }
  if (focus === 'scrollback' && giveTo(host, host.scrollback, event)) return;
  if (event.kind !== 'key') {
    if (event.kind === 'paste') toPrompt(host, event);
    return;
  }
  const own = isWalking(host) ? screenAction(host.keys, event, 'walk') : undefined;
  const action = own ?? screenAction(host.keys, event, 'pane');
  if (action !== undefined) perform(host, action);
  else explain(host, event);
}

/** A paste is for the prompt, wherever it comes. */
function toPrompt(host: Host, event: InputEvent): void {
  host.focus('prompt');
  host.prompt.handle(event);
  host.redraw(host.prompt);
}

function explain(host: Host, event: KeyEvent): void {
  host.tell(`${keyName(chordOf(event))} means nothing in a pane; ? lists the keys, Esc goes to the prompt`, 'warn');
}

/** Gives an event to a part; what is for its ink components is typed into them. */
function giveTo(host: Host, part: Part, event: InputEvent): boolean {
  const handled = part.handle(event);
  if (handled === 'ink' && event.kind === 'key') host.screen.compositor.type(part, event.raw);
  if (handled !== 'passed') host.redraw(part);
  return handled !== 'passed';
}

function scrollbackRows(host: Host): number {
  const shell = host.desk.arrangement.leaves.get('shell');
  return shell === undefined ? 0 : shellRects(shell, host).scrollback.height;
}

function takeMouse(host: Host, event: MouseEvent, mouse: Mouse): void {
  if (host.overlay !== undefined) {
    const rect = host.overlay.place(host.state.size);
    const isInside =
      event.x >= rect.x && event.x < rect.x + rect.width && event.y >= rect.y && event.y < rect.y + rect.height;
    if (isInside) giveTo(host, host.overlay, relative(event, rect));
    else if (event.action === 'press') host.close();
    return;
  }
  const meaning = mouse.meaning(event, host.desk, performance.now());
  switch (meaning.kind) {
    case 'none':
      return;
    case 'drag-border':
      host.desk.moveBorder(meaning.border, meaning.to);
      host.redraw(host.chrome);
      return;
    case 'wheel':
      scrollLeaf(host, meaning.leaf, meaning.rows);
      return;
    case 'drag':
    case 'release':
      if (meaning.leaf === 'shell' && host.state.focus === 'scrollback') dragScrollback(host, event);
      return;
    case 'press':
    case 'double':
      pressIn(host, event, meaning);
  }
}

function scrollLeaf(host: Host, leaf: Leaf, rows: number): void {
  if (leaf === 'shell') {
    host.scrollback.scroll(rows);
    host.redraw(host.scrollback);
    return;
  }
  const pane = host.desk.pane(leaf);
  pane.viewport.scroll(rows);
  host.redraw(pane);
}

interface Press {
  readonly kind: 'press' | 'double';
  readonly leaf: Leaf;
  readonly x: number;
  readonly y: number;
}

function pressIn(host: Host, event: MouseEvent, { kind, leaf, x, y }: Press): void {
  const rect = host.desk.arrangement.leaves.get(leaf);
  if (rect === undefined) return;
  if (leaf === 'shell') {
    const { scrollback, prompt } = shellRects(rect, host);
    const isPrompt = event.y >= prompt.y;
    const handled = isPrompt
      ? giveTo(host, host.prompt, relative(event, prompt))
      : giveTo(host, host.scrollback, relative(event, scrollback));
    if (isPrompt || !handled) host.focus('prompt');
    else host.focus('scrollback');
    return;
  }
  host.focus(leaf);
  if (y === 0) {
    if (kind === 'double') perform(host, 'zoom');
    return;
  }
  const pane = host.desk.pane(leaf);
  const room = inside(rect);
  const onObject = pane.viewport.point(x, event.y - room.y);
  host.chosen(pane);
  host.redraw(pane);
  if (kind === 'double' && onObject) perform(host, 'follow-object');
}

/** Lines of the scrollback are selected by the mouse; above and below it they are scrolled to. */
function dragScrollback(host: Host, event: MouseEvent): void {
  const shell = host.desk.arrangement.leaves.get('shell');
  if (shell !== undefined) giveTo(host, host.scrollback, relative(event, shellRects(shell, host).scrollback));
}

function relative(event: MouseEvent, { x, y }: Rect): MouseEvent {
  return { ...event, x: event.x - x, y: event.y - y };
}
