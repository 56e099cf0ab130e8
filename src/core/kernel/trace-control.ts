/** Changes of tracefs, and what a refusal of one is. */
import { BackendError, UnsupportedError } from '../errors.ts';
import type { ControlSource, ControlStep, FileFailure } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';

const RECORDED =
  'of a recording, "trace", "trace show -i INSTANCE" and the lines that its session ran show what it read';

/** Throws UnsupportedError where nothing can be changed. */
export function controlOf({ backend }: Kernel): ControlSource {
  if (backend.control !== undefined) return backend.control;
  throw new UnsupportedError(`nothing can be traced on ${backend.name}: only a live target is`, RECORDED);
}

/** Each step for itself: what a half-made instance lacks keeps nothing else from being undone. */
export function undoAll(control: ControlSource, steps: readonly ControlStep[]): void {
  const failures = steps.map((step, i) => {
    const failure = control.apply([step]);
    // What must not stay: the instance, and a probe.
    const isEssential = step.kind === 'rmdir' || step.kind === 'append' || i === steps.length - 1;
    return isEssential && failure?.reason !== 'absent' ? failure : undefined;
  });
  const first = failures.find((failure) => failure !== undefined);
  if (first !== undefined) throw refused(first);
}

/** All of them; throws TraceControlError at the first that is refused. */
export function applySteps(control: ControlSource, steps: readonly ControlStep[]): void {
  const failure = control.apply(steps);
  if (failure !== undefined) throw refused(failure);
}

/** What a refusal is thrown as. */
export function refused({ path, reason, detail }: FileFailure): Error {
  return reason === 'not-recorded' ? nothingAnew() : new TraceControlError(path, detail);
}

/** What a recording answers to a change that its session did not make. */
export function nothingAnew(): Error {
  return new UnsupportedError(
    'this is a recording, and its session did nothing like this: nothing can be traced anew',
    'a line that its session ran shows what it showed then, when it is typed as it was: "replay" lists them',
  );
}

/** A file of tracefs that refused what was written. */
export class TraceControlError extends BackendError {
  readonly path: string;
  readonly detail: string;

  constructor(path: string, detail: string) {
    super(`${path}: ${detail}`);
    this.path = path;
    this.detail = detail;
  }

  override get endsCommand(): boolean {
    return false;
  }
}
