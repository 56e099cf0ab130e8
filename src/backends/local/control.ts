/**
 * Changes of this machine's tracefs, and their undoing whatever happens to kdbg: a guard, a shell that waits for the end
 * of a pipe which only kdbg holds open, does the steps of restoring when kdbg dies without having done them itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, rmdirSync, writeSync } from 'node:fs';
import type { ControlSource, ControlStep, FileFailure } from '../../core/memory/backend.ts';
import { applyPatiently } from './busy.ts';
import { failureOf, refusedControl } from './paths.ts';

/**
 * The steps come as arguments, three for each: nothing of them is part of the script. A directory of an instance can
 * only be removed once nobody has a file of it open, which may take the last readers a moment.
 */
export const GUARD = `
trap '' HUP INT TERM
read -r end
while [ $# -ge 3 ]; do
  case $1 in
    write) printf '%s\\n' "$3" > "$2" ;;
    append) printf '%s\\n' "$3" >> "$2" ;;
    mkdir) mkdir "$2" ;;
    rmdir) rmdir "$2" || { sleep 1; rmdir "$2"; } || { sleep 3; rmdir "$2"; } ;;
  esac
  shift 3
done
`;

export interface LocalControl extends ControlSource {
  /** Ends the guard; what was to be restored is restored first, by the guard. */
  close(): void;
}

export function createLocalControl(): LocalControl {
  let guard: ChildProcess | undefined;
  return {
    apply: (steps) => applyPatiently(steps, changeAll),
    restore(steps) {
      const allowed = steps.filter(({ path }) => refusedControl(path) === undefined);
      const next = allowed.length === 0 ? undefined : startGuard(allowed);
      guard?.kill('SIGKILL');
      guard = next;
    },
    close() {
      guard?.stdin?.destroy();
      guard = undefined;
    },
  };
}

/** In a session of its own, so that Ctrl-C on kdbg's terminal does not reach it. */
function startGuard(steps: readonly ControlStep[]): ChildProcess {
  const words = steps.flatMap((step) => [step.kind, step.path, 'text' in step ? step.text : '']);
  const guard = spawn('/bin/sh', ['-c', GUARD, 'kdbg-guard', ...words], {
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  });
  // A guard that cannot be started is no reason to end: what kdbg changes it undoes itself, as long as it lives.
  guard.on('error', () => undefined);
  guard.stdin?.on('error', () => undefined);
  guard.unref();
  return guard;
}

function changeAll(steps: readonly ControlStep[]): FileFailure | undefined {
  for (const step of steps) {
    const failure = change(step);
    if (failure !== undefined) return failure;
  }
  return undefined;
}

function change(step: ControlStep): FileFailure | undefined {
  const refused = refusedControl(step.path);
  if (refused !== undefined) return refused;
  try {
    switch (step.kind) {
      case 'mkdir':
        mkdirSync(step.path);
        break;
      case 'rmdir':
        rmdirSync(step.path);
        break;
      default:
        writeText(step.path, step.text, step.kind === 'write' ? constants.O_TRUNC : 0);
    }
    return undefined;
  } catch (error) {
    return failureOf(step.path, error);
  }
}

/** In one write: tracefs takes what one write(2) brings as one command. */
function writeText(path: string, text: string, flag: number): void {
  const fd = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW | flag);
  try {
    // Opening with O_TRUNC has emptied what can be emptied; an empty text asks for no more.
    if (text !== '') writeSync(fd, `${text}\n`);
  } finally {
    closeSync(fd);
  }
}
