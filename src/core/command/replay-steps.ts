/**
 * Going through the session that is replayed: line by line, at its own pace or faster, to a place or a text in it.
 */
import { NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import { type Item, notice, PAUSE, row } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { isHarmless } from './harmless-line.ts';
import { type RecordedLine, type RecordedSession, recordedTime } from './recorded-session.ts';
import type { Scope } from './scope.ts';

/** However long nothing happened, nobody waits longer. */
const IDLE_MAX_MS = 2000;
/** Characters of a line that a search shows. */
const FOUND_WIDTH = 100;

/** Throws UnsupportedError where nothing is replayed. */
export function recordedSession({ shell }: Scope): RecordedSession {
  if (shell.recorded !== undefined) return shell.recorded;
  throw new UnsupportedError('no recorded session is replayed here', '"kdbg replay FILE" opens one');
}

/** What was typed, with when, how it ended and how much it printed. */
export function* listed(session: RecordedSession): Iterable<Item> {
  const width = String(session.lines.length).length;
  for (const [i, line] of session.lines.entries()) {
    const { kind, text, at, ms, status, printed } = line;
    const here = session.position === i + 1;
    const data = { n: i + 1, kind, text, at, ms: ms ?? null, status: status ?? null, lines: printed, here };
    yield row(data, () => [
      [
        `${here ? '>' : ' '} ${String(i + 1).padStart(width)}  ${recordedTime(at).padStart(8)}  `,
        ...typed(line, i),
        span(endOf(line), undefined, 'dim'),
      ],
    ]);
  }
  if (session.lines.length === 0) yield notice('nothing was typed in this session');
}

/** The next lines, each with what it printed. */
export function* step(scope: Scope, session: RecordedSession, count: number): Iterable<Item> {
  const from = session.position ?? 0;
  if (from >= session.lines.length) {
    throw new UnsupportedError('this is the end of the recorded session', '"replay goto 1" goes to its beginning');
  }
  for (let i = from; i < Math.min(from + count, session.lines.length); i++) {
    scope.check();
    session.goTo(i + 1);
    yield shown(scope, session, i);
  }
}

/** The line before the one where the replay stands, or so many before it. */
export function* stepBack(scope: Scope, session: RecordedSession, count: number): Iterable<Item> {
  const to = (session.position ?? session.lines.length + 1) - count;
  if (to < 1) throw new UnsupportedError('this is the beginning of the recorded session', '"replay step" goes on');
  session.goTo(to);
  yield shown(scope, session, to - 1);
}

/** The lines from here to the end, with the time that was between them divided by `speed`. */
export function* run(scope: Scope, session: RecordedSession, speed: number): Iterable<Item> {
  const from = session.position === session.lines.length ? 0 : (session.position ?? 0);
  let before = session.lines[from]?.at ?? 0;
  for (let i = from; i < session.lines.length; i++) {
    const { at } = session.lines[i] as RecordedLine;
    yield PAUSE;
    scope.shell.wait(Math.min(Math.max(at - before, 0), IDLE_MAX_MS) / speed);
    scope.check();
    before = at;
    session.goTo(i + 1);
    yield shown(scope, session, i);
  }
}

/** Stands at a line by its number, or at the last one before a time. */
export function* goTo(session: RecordedSession, where: string): Iterable<Item> {
  session.goTo(placeOf(session, where) + 1);
  yield* placed(session);
}

/** Where the replay stands now. */
export function* placed(session: RecordedSession): Iterable<Item> {
  const { position } = session;
  if (position === undefined) {
    yield row({ n: null }, () => [
      'at the end: what was not typed in the session is answered with the last that is known',
    ]);
    return;
  }
  const line = session.lines[position - 1];
  yield row({ n: position, text: line?.text ?? null }, () => [
    [
      `at ${position} of ${session.lines.length}, ${recordedTime(line?.at ?? 0)}:  `,
      ...(line ? typed(line, position - 1) : []),
    ],
  ]);
}

/** Lines that hold a text, or printed it; capitals do not matter. */
export function* search(scope: Scope, session: RecordedSession, text: string): Iterable<Item> {
  const wanted = text.toLowerCase();
  let found = 0;
  for (const [i, line] of session.lines.entries()) {
    scope.check();
    const isTyped = line.text.toLowerCase().includes(wanted);
    const printed = (session.output(i) ?? []).filter((each) => each.toLowerCase().includes(wanted));
    if (!isTyped && printed.length === 0) continue;
    found++;
    const first = printed[0];
    yield row({ n: i + 1, text: line.text, typed: isTyped, matches: printed.length, first: first ?? null }, () => [
      [`${String(i + 1).padStart(4)}  `, ...typed(line, i)],
      ...(first === undefined
        ? []
        : [[`        ${around(first, wanted)}`, span(more(printed.length), undefined, 'dim')]]),
    ]);
  }
  if (found === 0) yield notice(`"${text}" was neither typed nor printed`);
}

function shown({ shell }: Scope, session: RecordedSession, index: number): Item {
  const line = session.lines[index] as RecordedLine;
  const { kind, text, at, status } = line;
  const output = kind === 'note' ? [] : session.output(index);
  const data = { n: index + 1, kind, text, at, status: status ?? null, output: output ?? null };
  const place = `[${index + 1} of ${session.lines.length}, ${recordedTime(at)}] `;
  const again = kind === 'command' && isHarmless(text, shell) ? ({ kind: 'command', line: text } as const) : undefined;
  const heading = kind === 'note' ? span(`# ${text}`) : span(text, again, 'header');
  return row(data, () => [[span(place, undefined, 'dim'), heading], ...(output ?? ['(its output was not recorded)'])]);
}

function typed({ kind, text }: RecordedLine, index: number): Exclude<Line, string> {
  return [
    kind === 'note'
      ? span(`# ${text}`, undefined, 'dim')
      : span(text, { kind: 'command', line: `replay goto ${index + 1}` }),
  ];
}

function endOf({ kind, status, printed }: RecordedLine): string {
  if (kind === 'note') return '';
  if (status === undefined) return '  (did not end)';
  return `${status === 0 ? '' : `  (status ${status})`}${printed === 0 ? '  (printed nothing)' : ''}`;
}

/** The index of the line at `N`, `M:SS` or `Ns`. */
function placeOf(session: RecordedSession, where: string): number {
  const { lines } = session;
  const number = /^\d{1,7}$/.test(where) ? Number(where) : undefined;
  if (number !== undefined) {
    if (number >= 1 && number <= lines.length) return number - 1;
    throw new NotFoundError('command', where, [], `in this session, which has ${lines.length}: "replay" lists them`);
  }
  const [, minutes = '0', seconds] = /^(?:(\d{1,5}):)?(\d{1,6}(?:\.\d+)?)(?:s)?$/.exec(where) ?? [];
  if (seconds === undefined) throw new UsageError(`"${where}" is neither a number of a line nor a time (1:30, 12.5s)`);
  const at = (Number(minutes) * 60 + Number(seconds)) * 1000;
  const last = lines.findLastIndex((line) => line.at <= at);
  return Math.max(last, 0);
}

function around(line: string, wanted: string): string {
  const at = line.toLowerCase().indexOf(wanted);
  const from = Math.max(0, Math.min(at - 20, line.length - FOUND_WIDTH));
  return line.slice(from, from + FOUND_WIDTH).trim();
}

function more(matches: number): string {
  return matches > 1 ? `  (and ${matches - 1} more)` : '';
}
