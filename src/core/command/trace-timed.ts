/**
 * A trace of which nothing stays but its text: it runs for some seconds, or for as long as a command of the user's on
 * the target, in kdbg's own instance or in the shared buffer, borrowed.
 */
import type { TraceEntry } from '../formats/trace-entry.ts';
import { ownTrace, startOwnTrace, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import type { TraceRequest } from '../kernel/trace-plan.ts';
import { SharedBuffer, type SharedSetting } from '../kernel/trace-shared.ts';
import { type Item, notice, PAUSE } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { bufferText } from './trace-buffer.ts';
import { FORK_OPTIONS, runTraced } from './trace-command.ts';
import { startWatched, tooFast } from './trace-run.ts';

/** How long: some seconds, or a command's time and no longer than some seconds. */
export interface TraceTime {
  readonly seconds: number | undefined;
  readonly command: readonly string[] | undefined;
}

/** Unless --for says otherwise. */
const TIMED_SECONDS = 5;

/** Traces in kdbg's own instance; returns the buffer's text. `beforeEnd` sees the instance when its text was read. */
export function* tracedText(
  scope: Scope,
  request: Omit<TraceRequest, 'ownPids'>,
  time: TraceTime,
  beforeEnd: (instance: string | undefined) => void = () => undefined,
): Generator<Item, string> {
  const { kernel } = scope;
  const { command } = time;
  let text = '';
  const stopped = command === undefined ? startWatched(scope, request) : startForCommand(scope, request);
  try {
    yield* pass(scope, ownTrace(kernel)?.instance, stopped, time);
  } finally {
    try {
      switchOwnTrace(kernel, false);
      text = bufferText(kernel, ownTrace(kernel)?.instance);
      beforeEnd(ownTrace(kernel)?.instance);
    } finally {
      // Whatever keeps the text from being read, and be it Ctrl-C.
      stopOwnTrace(kernel);
    }
  }
  return text;
}

/** Traces in the shared buffer; returns its text. With a command the settings leave it switched off. */
export function* sharedText(
  scope: Scope,
  settings: readonly SharedSetting[],
  time: TraceTime,
): Generator<Item, string> {
  const { kernel } = scope;
  let text = '';
  const shared = new SharedBuffer(kernel, settings);
  try {
    yield* pass(scope, undefined, time.command === undefined ? tooFast(scope, undefined) : undefined, time);
  } finally {
    try {
      shared.hold();
      text = bufferText(kernel, undefined);
    } finally {
      shared.giveBack();
    }
  }
  return text;
}

/** What counts and times are too low by; undefined where the buffer holds all that was written. */
export function missingNotice(text: string, entries: readonly TraceEntry[]): Item | undefined {
  const lost = entries.reduce((sum, entry) => sum + (entry.kind === 'lost' ? entry.count : 0), 0);
  const [, kept = '0', written = '0'] =
    /^# entries-in-buffer\/entries-written: (\d{1,15})\/(\d{1,15})/m.exec(text) ?? [];
  const missing = Math.max(lost, Number(written) - Number(kept));
  if (missing <= 0) return undefined;
  return notice(
    `${missing} entries are missing, so that counts and times are too low: a shorter time, fewer functions, or -b KIB`,
  );
}

/** What a trace without an entry of its function means: ftrace sees calls, and a compiler may have left none. */
export function notCalled(name: string): Item {
  return notice(`${name} was not called: what ran may do without it, or has it inlined; try a function that calls it`);
}

/** kdbg's own tasks need not be left out, and must not be: what they fork would be left out as well. */
function startForCommand({ kernel }: Scope, request: Omit<TraceRequest, 'ownPids'>): undefined {
  startOwnTrace(kernel, {
    ...request,
    options: [...FORK_OPTIONS, ...request.options],
    pids: [],
    ownPids: [],
    isHeld: true,
  });
}

function* pass(
  scope: Scope,
  instance: string | undefined,
  stopped: string | undefined,
  { seconds, command }: TraceTime,
): Iterable<Item> {
  if (stopped !== undefined) yield notice(stopped);
  else if (command !== undefined) yield* runTraced(scope, instance, command, seconds);
  else {
    yield PAUSE;
    scope.shell.sleep((seconds ?? TIMED_SECONDS) * 1000);
    scope.check();
  }
}
