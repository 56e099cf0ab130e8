/**
 * A directory of tracefs cannot be removed while somebody has a file of it open (EBUSY), and a reader that was told to
 * end takes a moment to: its removal is tried again for about a second.
 */
import type { ControlStep, FileFailure } from '../../core/memory/backend.ts';

const TRIES = 10;
const PAUSE_MS = 100;

/** Does the steps, those from a busy removal on again. It is not cancelled: half an undoing would be left. */
export function applyPatiently(
  steps: readonly ControlStep[],
  apply: (steps: readonly ControlStep[]) => FileFailure | undefined,
): FileFailure | undefined {
  let rest = steps;
  for (let tries = 1; ; tries++) {
    const failure = apply(rest);
    if (failure === undefined || tries === TRIES || !/EBUSY|busy/.test(failure.detail)) return failure;
    const at = rest.findIndex(({ kind, path }) => kind === 'rmdir' && path === failure.path);
    if (at < 0) return failure;
    rest = rest.slice(at);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
  }
}
