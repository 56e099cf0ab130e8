/**
 * A trace of which nothing stays but its text: it runs for some seconds, or for as long as a command of the user's on
 * the target, in kdbg's own instance or in the shared buffer, borrowed.
 */
import { ownTrace, stopOwnTrace, switchOwnTrace } from '../kernel/trace-own.ts';
import type { TraceRequest } from '../kernel/trace-plan.ts';
import { SharedBuffer, type SharedSetting } from '../kernel/trace-shared.ts';
import { type Item, notice, PAUSE } from '../output/item.ts';
import type { Scope } from './scope.ts';
import { bufferText } from './trace-buffer.ts';
import { startWatched, tooFast } from './trace-run.ts';

/** Unless --for says otherwise. */
export const TIMED_SECONDS = 5;

/** Traces in kdbg's own instance; returns the buffer's text. */
export function* tracedText(
  scope: Scope,
  request: Omit<TraceRequest, 'ownPids'>,
  seconds = TIMED_SECONDS,
): Generator<Item, string> {
  const { kernel } = scope;
  let text = '';
  const stopped = startWatched(scope, request);
  try {
    yield* pass(scope, stopped, seconds);
  } finally {
    try {
      switchOwnTrace(kernel, false);
      text = bufferText(kernel, ownTrace(kernel)?.instance);
    } finally {
      // Whatever keeps the text from being read, and be it Ctrl-C.
      stopOwnTrace(kernel);
    }
  }
  return text;
}

/** Traces in the shared buffer; returns its text. */
export function* sharedText(
  scope: Scope,
  settings: readonly SharedSetting[],
  seconds = TIMED_SECONDS,
): Generator<Item, string> {
  const { kernel } = scope;
  let text = '';
  const shared = new SharedBuffer(kernel, settings);
  try {
    yield* pass(scope, tooFast(scope, undefined), seconds);
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

function* pass(scope: Scope, stopped: string | undefined, seconds: number): Iterable<Item> {
  if (stopped !== undefined) {
    yield notice(stopped);
    return;
  }
  yield PAUSE;
  scope.shell.sleep(seconds * 1000);
  scope.check();
}
