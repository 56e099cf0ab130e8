/**
 * The words around the panes: status bar, titles, bottom row, from what the screen knows.
 */

import { formatDuration } from '../../core/command/lock-view.ts';
import type { ChromeState, Piece, Title } from './chrome.tsx';
import { type AppState, PANE_NAMES, type PaneName, type Rect, type Running } from './contract.ts';
import type { Desk } from './desk.ts';
import type { Facts } from './facts.ts';
import type { ScreenAction, ScreenBinding } from './screen-keys.ts';
import type { Theme } from './theme.ts';
import { isWalking } from './walk-actions.ts';

export interface StatusInput {
  readonly state: AppState;
  readonly facts: Facts;
  readonly desk: Desk;
  readonly theme: Theme;
  readonly keys: readonly ScreenBinding[];
  readonly now: number;
}

export function chromeState(input: StatusInput): ChromeState {
  const { state, desk, theme } = input;
  const { leaves, borders } = desk.arrangement;
  const titles: Title[] = [];
  for (const [name, rect] of leaves)
    titles.push(name === 'shell' ? shellTitle(rect, input) : paneTitle(name, rect, input));
  return {
    size: state.size,
    theme,
    status: statusBar(input),
    titles,
    dividers: borders.filter(({ axis }) => axis === 'x').map(({ rect }) => rect),
    bottom: state.message === undefined ? hints(input) : [{ text: ' ' }, state.message],
  };
}

function paneTitle(name: PaneName, rect: Rect, { state, desk }: StatusInput): Title {
  const pane = desk.pane(name);
  return {
    rect,
    label: `${PANE_NAMES.indexOf(name) + 1} ${name}`,
    command: pane.line ?? '',
    info: pane.info,
    isFocused: state.focus === name,
  };
}

function shellTitle(rect: Rect, { state, now }: StatusInput): Title {
  const { running, focus } = state;
  const seconds = running === undefined ? 0 : (now - running.since) / 1000;
  const turn = '\u2502\u2571\u2500\u2572';
  const info =
    running === undefined || seconds < 0.3
      ? ''
      : `${turn[Math.floor(seconds * 4) % 4]} ${running.lines} lines${rateOf(running.lines, seconds)}  ${seconds.toFixed(0)} s${restOf(running)}  Ctrl-C stops`;
  return {
    rect,
    label: 'shell',
    command: running?.line ?? '',
    info,
    isFocused: focus === 'prompt' || focus === 'scrollback',
  };
}

/** `, 42 %, 1 min 10 s left`. */
function restOf({ done, leftMs }: Running): string {
  if (done === undefined) return '';
  const left =
    leftMs === undefined
      ? ''
      : `, ${formatDuration(Math.max(1, Math.round(leftMs / 1000)) * 1000).replace('.0 ', ' ')} left`;
  return `, ${Math.floor(done * 100)} %${left}`;
}

function rateOf(lines: number, seconds: number): string {
  return lines > 0 && seconds >= 1 ? `, ${Math.round(lines / seconds)}/s` : '';
}

function statusBar({ state, facts, desk }: StatusInput): ChromeState['status'] {
  const { selection } = state;
  const plain = (text: string): Piece => ({ text, look: 'status' });
  const strong = (text: string): Piece => ({ text, look: 'status-strong' });
  const task = selection.task ?? facts.context;
  const comm = selection.task === undefined ? facts.context?.comm : selection.task.comm;
  const left: Piece[] = [strong(' kdbg '), plain(` ${shortTarget(facts.target)} `)];
  if (facts.release !== '') left.push(plain(`\u203a ${facts.release} `));
  if (task !== undefined) left.push(plain('\u203a '), strong(`${task.pid}${comm === undefined ? '' : ` ${comm}`} `));
  if (selection.symbol !== undefined) left.push(plain(`\u203a ${selection.symbol.name} `));
  if (selection.lock !== undefined) left.push(plain(`\u203a ${selection.lock.lock} `));
  if (selection.time !== undefined) left.push(plain(`\u203a ${selection.time.toFixed(3)} s `));
  const right: Piece[] = [];
  if (desk.zoomed !== undefined) right.push(strong(' ZOOM '));
  const traffic = facts.traffic();
  if (traffic !== '') right.push(plain(` ${traffic} `));
  if (facts.taint !== '') right.push(plain(` taint ${facts.taint} `));
  if (facts.recording !== undefined) right.push(strong(' \u25cf REC '));
  right.push(strong(` ${facts.liveness.toUpperCase()} `));
  return { left, right };
}

/** `replay:recordings/mutex-deadlock.kdbg` is mutex-deadlock: the bar has little room. */
function shortTarget(name: string): string {
  const file = /^(?:replay|core):(?:.*\/)?([^/]+?)(?:\.kdbg)?$/.exec(name);
  return file?.[1] ?? name;
}

/** Which actions the bottom row names, by what has the keys; the way out first, as a narrow screen cuts the last. */
const HINTS: Readonly<Record<'walk' | 'pane' | 'scrollback', readonly (readonly [ScreenAction, string])[]>> = {
  walk: [
    ['to-prompt', 'prompt'],
    ['walk-up', 'owner'],
    ['walk-down', 'waiter'],
    ['walk-next', 'next in the queue'],
    ['walk-prev', 'before'],
    ['walk-back', 'step back'],
    ['follow-object', 'follow'],
    ['zoom', 'zoom'],
    ['keys', 'keys'],
  ],
  pane: [
    ['to-prompt', 'prompt'],
    ['follow-object', 'follow'],
    ['back', 'back'],
    ['unfold', 'unfold'],
    ['find', 'find'],
    ['filter', 'filter'],
    ['find-symbol', 'symbol'],
    ['next-view', 'view'],
    ['pin', 'pin'],
    ['zoom', 'zoom'],
    ['next-pane', 'next'],
    ['keys', 'keys'],
  ],
  scrollback: [
    ['to-prompt', 'prompt'],
    ['follow-object', 'follow'],
    ['find', 'find'],
    ['copy-line', 'copy'],
    ['next-pane', 'panes'],
  ],
};

const PROMPT_HINTS: readonly (readonly [string, string])[] = [
  ['Tab', 'complete'],
  ['Ctrl-R', 'history'],
  ['F1', 'help'],
  ['Ctrl-P', 'find'],
  ['Esc', 'panes'],
  ['Alt-1..9', 'a pane'],
  ['PgUp', 'scroll'],
  ['Ctrl-D', 'leave'],
];

function hints({ state, desk, keys }: StatusInput): readonly Piece[] {
  const { focus } = state;
  const named: readonly (readonly [string, string])[] =
    focus === 'prompt'
      ? PROMPT_HINTS
      : HINTS[isWalking({ state, desk }) ? 'walk' : focus === 'scrollback' ? focus : 'pane'].flatMap(
          ([action, text]) => {
            const key = keys.find((binding) => binding.where !== 'anywhere' && binding.action === action)?.keys[0];
            return key === undefined ? [] : [[keyName(key), text] as const];
          },
        );
  return named.flatMap(([key, text]): readonly Piece[] => [
    { text: ` ${key}`, look: 'key' },
    { text: ` ${text} `, look: 'dim' },
  ]);
}

const KEY_NAMES: Readonly<Record<string, string>> = {
  'page-up': 'PgUp',
  'page-down': 'PgDn',
  escape: 'Esc',
  backspace: 'Bksp',
  delete: 'Del',
  enter: 'Enter',
  tab: 'Tab',
  space: 'Space',
  up: 'Up',
  down: 'Down',
  left: 'Left',
  right: 'Right',
  home: 'Home',
  end: 'End',
};

/** A chord as people write it: `ctrl-r` is Ctrl-R, `page-up` PgUp. */
export function keyName(chord: string): string {
  const match = /^((?:ctrl-|alt-|shift-)*)(.+)$/.exec(chord);
  const modifiers = (match?.[1] ?? '').replace(
    /(^|-)(\w)/g,
    (_, dash: string, letter: string) => dash + letter.toUpperCase(),
  );
  const name = match?.[2] ?? chord;
  const shown =
    KEY_NAMES[name] ?? ((modifiers !== '' && name.length === 1) || /^f\d+$/.test(name) ? name.toUpperCase() : name);
  return modifiers + shown;
}
