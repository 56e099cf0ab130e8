/**
 * What the keys do in the pane that has them, and why they do nothing where they cannot.
 */
import { foldOf, type Line, textOf } from '../../core/output/line.ts';
import type { PaneName } from './contract.ts';
import { followingOf, symbolArgument } from './follow.ts';
import { frameLines } from './frame-lines.ts';
import type { Host } from './host.ts';
import { refIn } from './line-search.ts';
import type { Pane } from './pane.ts';
import { chosenComm } from './pane-choice.ts';
import { askCommand, askFilter, askFind, askNote, findNext } from './pane-questions.ts';
import { isWalkStep } from './pane-views.ts';
import type { ScreenAction } from './screen-keys.ts';
import { WALKING, walkPlace, walkTo } from './walk-actions.ts';

type Act = (host: Host, pane: Pane) => void;

/** Moves the choice; other panes follow once it rests. */
function moving(move: (pane: Pane) => void): Act {
  return (host, pane) => {
    move(pane);
    host.chosen(pane);
    host.redraw(pane);
    host.redraw(host.chrome);
  };
}

/** Changes how the pane is shown, or where. */
function arranging(arrange: Act): Act {
  return (host, pane) => {
    arrange(host, pane);
    host.redraw(pane);
    host.redraw(host.chrome);
  };
}

export const IN_PANE: Readonly<Partial<Record<ScreenAction, Act>>> = {
  ...WALKING,
  up: moving(({ viewport }) => viewport.move(-1)),
  down: moving(({ viewport }) => viewport.move(1)),
  'page-up': moving(({ viewport }) => viewport.page(-1)),
  'page-down': moving(({ viewport }) => viewport.page(1)),
  first: moving(({ viewport }) => viewport.choose(0)),
  last: moving(({ viewport, kind }) => {
    viewport.choose(viewport.length - 1);
    viewport.follows = kind.tail === true;
  }),
  left: arranging((_, { viewport }) => void viewport.side(-1)),
  right: arranging((_, { viewport }) => void viewport.side(1)),
  'follow-object': followObject,
  back: goBack,
  stack: (host, pane) => showIn(host, pane, `bt ${taskOf(pane)}`, 'stacks'),
  code: (host, pane) => showIn(host, pane, `dis ${codeOf(pane)}`),
  memory: (host, pane) => showIn(host, pane, `rd -s ${codeOf(pane)} 32`),
  insert: (host, pane) => {
    host.prompt.insert(pane.target?.text ?? '');
    host.focus('prompt');
  },
  unfold,
  'unfold-all': (_, { laid }) => void laid.toggleAll(),
  find: askFind,
  'next-match': (host, pane) => findNext(host, pane, 1),
  'previous-match': (host, pane) => findNext(host, pane, -1),
  filter: askFilter,
  note: askNote,
  'edit-command': askCommand,
  'next-view': (host, pane) => host.tell(pane.nextView(1)),
  'previous-view': (host, pane) => host.tell(pane.nextView(-1)),
  'read-again': (_, pane) => pane.readAgain(),
  tail: arranging((host, pane) => {
    const isLive = host.engine.opened.liveness === 'live';
    if (isLive) pane.isFollowing = !pane.isFollowing;
    else pane.viewport.follows = !pane.viewport.follows;
    host.following.settle();
  }),
  pause: (_, pane) => pane.pause(),
  pin: arranging((_, pane) => {
    pane.isPinned = !pane.isPinned;
  }),
  hide: arranging((host, { kind }) => {
    host.focus('prompt');
    host.desk.hide(kind.name);
  }),
  swap: arranging((host, { kind }) => {
    const { name } = kind;
    const order = [...host.desk.arrangement.leaves.keys()];
    const other = order[(order.indexOf(name) + 1) % order.length];
    if (other !== undefined) host.desk.swap(name, other);
  }),
  taller: arranging((host, { kind }) => host.desk.grow(kind.name, 'y', 1)),
  shorter: arranging((host, { kind }) => host.desk.grow(kind.name, 'y', -1)),
  wider: arranging((host, { kind }) => host.desk.grow(kind.name, 'x', 1)),
  narrower: arranging((host, { kind }) => host.desk.grow(kind.name, 'x', -1)),
  'copy-object': (host, pane) => host.copy(pane.target?.text ?? ''),
  'copy-line': (host, { viewport }) => host.copy(textOf(viewport.line ?? '')),
  'copy-all': (host, { viewport }) => host.copy(viewport.lines.map(textOf).join('\n')),
};

type Reason = (pane: Pane, host: Host) => string | undefined;

function noObject({ target }: Pane): string | undefined {
  return target === undefined ? 'this line has no object that could be followed' : undefined;
}

function noCode(pane: Pane): string | undefined {
  return codeOf(pane) === undefined ? 'no function or address is marked' : undefined;
}

function nothingSearched(_: Pane, host: Host): string | undefined {
  return host.lastSearch === undefined ? 'nothing was searched for yet: / searches' : undefined;
}

function oneView({ kind }: Pane): string | undefined {
  return kind.views.length < 2 ? 'this pane has no other view' : undefined;
}

function isZoomed(_: Pane, host: Host): string | undefined {
  return host.desk.zoomed === undefined ? undefined : 'the pane covers the screen: z first';
}

/** Why a line that is no frame does not unfold. */
function notFolded(line: Line): string | undefined {
  if (foldOf(line) !== undefined) return undefined;
  return / \+ \d+ within$/.test(textOf(line))
    ? 'of so long a buffer only the last calls can be unfolded one by one; v shows all unfolded'
    : 'only frames unfold, and calls with something within';
}

const REASONS: Readonly<Partial<Record<ScreenAction, Reason>>> = {
  'follow-object': noObject,
  insert: noObject,
  'copy-object': noObject,
  stack: (pane) => (taskOf(pane) === undefined ? 'no task is in this line' : undefined),
  'walk-here': (pane, { facts }) => {
    if (!facts.commands.has('walk')) return 'this version has no command that walks along locks';
    return walkPlace(pane) === undefined ? 'no task or lock is in this line' : undefined;
  },
  code: noCode,
  memory: noCode,
  unfold: ({ viewport: { line = '' } }) => (refIn(line, 'frame') === undefined ? notFolded(line) : undefined),
  'unfold-all': ({ viewport: { line = '' } }) => notFolded(line),
  'next-match': nothingSearched,
  'previous-match': nothingSearched,
  'read-again': (pane) => (pane.line === undefined ? pane.kind.absent : undefined),
  'next-view': oneView,
  'previous-view': oneView,
  tail: ({ kind }, host) =>
    kind.tail !== true && host.engine.opened.liveness !== 'live'
      ? 'the target is frozen: nothing new comes'
      : undefined,
  pin: ({ kind }) =>
    kind.follows === undefined ? 'this pane follows no selection: there is nothing to pin' : undefined,
  hide: isZoomed,
  swap: isZoomed,
  taller: isZoomed,
  shorter: isZoomed,
  wider: isZoomed,
  narrower: isZoomed,
};

/** Why an action does nothing in a pane now. */
export function reasonInPane(host: Host, pane: Pane, action: ScreenAction): string | undefined {
  return REASONS[action]?.(pane, host);
}

/** The task of the chosen line, as an argument. */
function taskOf({ target, viewport }: Pane): string | undefined {
  const ref = target?.ref.kind === 'task' ? target.ref : refIn(viewport.line ?? '', 'task');
  return ref === undefined ? undefined : String(ref.pid);
}

/** The function or address that is marked, as an argument. */
function codeOf({ target, viewport }: Pane): string | undefined {
  const ref = target?.ref;
  if (ref?.kind === 'symbol') return symbolArgument(ref);
  if (ref?.kind === 'address' || ref?.kind === 'lock') return ref.address.toString(16);
  const symbol = refIn(viewport.line ?? '', 'symbol');
  return symbol && symbolArgument(symbol);
}

function unfold(host: Host, pane: Pane): void {
  const reason = pane.laid.toggle((line) => frameLines(host, line, pane.line));
  if (reason !== undefined) host.tell(reason, 'warn');
}

function followObject(host: Host, pane: Pane): void {
  const { target, viewport } = pane;
  if (target === undefined) return;
  const { ref } = target;
  if (ref.kind === 'fold') {
    unfold(host, pane);
    return;
  }
  if (pane.kind.runsCommands === true && ref.kind === 'command') {
    host.run(ref.line, 'key');
    return;
  }
  host.select(ref, chosenComm(pane));
  const has = (name: string): boolean => host.facts.commands.has(name);
  const { line, pane: kind } = followingOf(ref, textOf(viewport.line ?? ''), has);
  const step = isWalkStep(line) ? /^walk (.+)$/.exec(line)?.[1] : undefined;
  if (step !== undefined) {
    walkTo(host, step);
    return;
  }
  showIn(host, pane, line, kind);
}

function goBack(host: Host, pane: Pane): void {
  const focus = pane.goBack();
  if (focus === undefined) host.tell('nothing was shown here before', 'warn');
  else if (focus !== pane.kind.name) host.focus(focus);
}

/** Shows a command in the pane that is for it, where that one is shown and not pinned, else where it was followed. */
export function showIn(host: Host, from: Pane, line: string, kind?: PaneName): void {
  const own = from.kind.name;
  const other = kind !== undefined && kind !== own && host.desk.isShown(kind) ? host.desk.pane(kind) : undefined;
  const pane = other === undefined || other.isPinned ? from : other;
  try {
    // The selection may have shown it already.
    if (pane === from || pane.line !== line) pane.open(line, own);
  } catch (error) {
    host.tell((error as Error).message, 'warn');
    return;
  }
  host.focus(pane.kind.name);
  host.teach(line);
}
