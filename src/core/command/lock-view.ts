/**
 * How locks, their owners and their waiters are written: parts of lines that keep what they refer to.
 */
import { describeLocks, type LockPlace } from '../kernel/locks/describe.ts';
import type { Evidence, Lock, LockReference, LockTask, Owner, Sureness, Waiter } from '../kernel/locks/lock.ts';
import { formatAddress } from '../memory/address.ts';
import type { Cell } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import type { Scope } from './scope.ts';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** A length of time for people: `350 ms`, `12.3 s`, `5 min 12 s`, `3 h 05 min`, `2 d 4 h`. */
export function formatDuration(ms: number): string {
  if (ms < SECOND) return `${ms} ms`;
  if (ms < MINUTE) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`;
  const [large, small] = ms < HOUR ? [MINUTE, SECOND] : ms < DAY ? [HOUR, MINUTE] : [DAY, HOUR];
  const [first, second] = ms < HOUR ? ['min', 's'] : ms < DAY ? ['h', 'min'] : ['d', 'h'];
  return `${Math.floor(ms / large)} ${first} ${Math.floor((ms % large) / small)} ${second}`;
}

/** `5 min 12 s`, or a dash where the kernel does not keep it. */
export function waitedText(ms: number | undefined): string {
  return ms === undefined ? '-' : formatDuration(ms);
}

/** `132 (lab_ab)`. */
export function lockTaskSpan({ task, pid, comm }: LockTask): Span {
  return span(`${pid} (${comm})`, { kind: 'task', task, pid }, 'task');
}

/** `mutex ffffffffc055c280`; of a wait whose object is not known the kind alone. */
export function lockSpan({ kind, address }: LockReference): Span {
  if (address === undefined) return kind;
  return span(`${kind} ${formatAddress(address)}`, { kind: 'lock', address, lock: kind }, 'address');
}

/** What the lock is; undefined where nothing but its address is known. */
export function lockName(place: LockPlace | undefined): string | undefined {
  if (place === undefined) return undefined;
  const { symbol, object, slab, text } = place;
  const isKnown = symbol !== undefined || object !== undefined || slab !== undefined || place.sure === 'certain';
  return isKnown && text !== '' ? text : undefined;
}

/** The lock and what it is, for the end of a line. */
export function lockSpans(lock: LockReference, place: LockPlace | undefined): readonly Span[] {
  const name = lockName(place);
  if (name === undefined || lock.address === undefined) return [lockSpan(lock)];
  const { symbol } = place as LockPlace;
  const ref = symbol && ({ kind: 'symbol', name: symbol.name, address: lock.address - BigInt(symbol.offset) } as const);
  return [lockSpan(lock), '  ', span(name, ref, 'symbol')];
}

/** ` (likely)`, ` (hint)`; nothing for what is certain. */
export function sureSpans(sure: Sureness): readonly Span[] {
  return sure === 'certain' ? [] : [span(` (${sure})`, undefined, 'warn')];
}

/** Names of locks, asked for together. */
export function placesOf(scope: Scope, locks: readonly LockReference[]): ReadonlyMap<LockReference, LockPlace> {
  const places = describeLocks(scope.kernel, locks);
  return new Map(locks.map((lock, i) => [lock, places[i] as LockPlace]));
}

/** `held for writing by 135 (lab_mix2)`, `held by 3 readers, the last of them 153 (lab_reader3) (hint)`. */
export function stateSpans(lock: Pick<Lock, 'state' | 'owners'>): readonly Span[] {
  const { state, owners } = lock;
  const [first] = owners;
  if (first === undefined) return [state];
  const named = owners.flatMap((owner, i): readonly Span[] => [
    ...(i === 0 ? [] : [', ']),
    lockTaskSpan(owner),
    ...sureSpans(owner.sure),
  ]);
  switch (first.role) {
    case 'owner':
      return [state, /^held/.test(state) ? ' by ' : ': ', ...named];
    case 'next':
      return [state, ' to ', ...named];
    case 'last':
      return [state, first.mode === 'read' ? ', the last that is known: ' : ', last taken by ', ...named];
    case 'worker':
      return [state, ', it is up to ', ...named];
  }
}

/** ` 1. 133 (lab_ba)             exclusive   5 min 12 s`. */
export function waiterLine(waiter: Waiter, place: number): Line {
  const name = lockTaskSpan(waiter);
  const length = typeof name === 'string' ? name.length : name.text.length;
  const number = waiter.order < 0 ? '  -  ' : `${String(place + 1).padStart(4)}. `;
  const mode = waiter.mode === 'any' ? '' : waiter.mode;
  return [
    '  ',
    number,
    name,
    ' '.repeat(Math.max(26 - length, 1)),
    mode.padEnd(10),
    waitedText(waiter.waitedMs).padStart(12),
    ...sureSpans(waiter.sure),
  ];
}

/** `waiter    mutex_waiter at ffffc90000123d40 on its stack`, broken at the width of a screen. */
export function evidenceLines({ by, text }: Evidence, indent: string): readonly Line[] {
  const [first, ...rest] = wrapped(text.split(' '), ' ', indent.length + BY_WIDTH);
  return [
    [indent, span(by.padEnd(BY_WIDTH), undefined, 'dim'), ...(first ?? [])],
    ...rest.map((line): Line => [indent, ' '.repeat(BY_WIDTH), ...line]),
  ];
}

const BY_WIDTH = 10;

export function taskReferenceCells({ task, pid, comm }: LockTask): { pid: number; task: bigint; comm: string } {
  return { pid, task, comm };
}

export function ownerCells(owner: Owner): Cell {
  const { mode, role, sure, evidence } = owner;
  return { ...taskReferenceCells(owner), mode, role, sure, evidence: evidenceCells(evidence) };
}

export function waiterCells(waiter: Waiter): { readonly [name: string]: Cell } {
  const { mode, waitedMs, sure, order } = waiter;
  return { ...taskReferenceCells(waiter), mode, waitedMs: waitedMs ?? null, sure, order };
}

export function evidenceCells(evidence: readonly Evidence[]): Cell {
  return evidence.map(({ by, text }) => ({ by, text }));
}

const WIDTH = 80;

/** Parts joined, and broken where a line of the screen that has `used` characters before them is full. */
export function wrapped(parts: readonly Span[], separator: string, used: number): readonly (readonly Span[])[] {
  const lines: Span[][] = [[]];
  let length = used;
  for (const [i, part] of parts.entries()) {
    const size = typeof part === 'string' ? part.length : part.text.length;
    const isLast = i === parts.length - 1;
    const line = lines.at(-1) as Span[];
    const needed = (line.length === 0 ? 0 : separator.length) + size + (isLast ? 0 : separator.trimEnd().length);
    if (line.length > 0 && length + needed > WIDTH) {
      line.push(separator.trimEnd());
      lines.push([part]);
      length = used + size;
    } else {
      line.push(...(line.length === 0 ? [] : [separator]), part);
      length += size + (line.length === 1 ? 0 : separator.length);
    }
  }
  return lines;
}

/** The same as lines: behind `first`, and from the second on behind as many blanks. */
export function wrappedLines(first: string, parts: readonly Span[], separator: string): readonly Line[] {
  return wrapped(parts, separator, first.length).map(
    (line, i): Line => [i === 0 ? first : ' '.repeat(first.length), ...line],
  );
}

/** `1 task`, `3 tasks`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}
