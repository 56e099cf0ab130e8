/**
 * A target whose connection was lost, met again when the next command begins. Session, context and history stay; where
 * the host was rebooted meanwhile nothing that was known of the kernel holds.
 */
import { errorLines } from '../core/command/run.ts';
import type { RecordingControl } from '../core/command/scope.ts';
import { BackendError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import type { Regained } from '../core/memory/backend.ts';

/**
 * Connects again where that is needed, and says what came of it. That it failed is a notice: a command that needs
 * nothing of the target runs all the same, and others say it again. Throws CancelledError.
 */
export function regainTarget(kernel: Kernel, recording: RecordingControl, notices: string[]): Regained | undefined {
  const { backend } = kernel;
  let regained: Regained | undefined;
  try {
    regained = backend.regain?.();
  } catch (error) {
    if (!(error instanceof BackendError)) throw error;
    notices.push(errorLines(error, undefined).join('; '));
    return undefined;
  }
  if (regained === 'same boot') notices.push(`connected to ${backend.name} again: it was not rebooted`);
  if (regained !== 'rebooted') return regained;
  kernel.forgetAll();
  notices.push(`connected to ${backend.name} again: it was rebooted, and addresses of before mean nothing now`);
  if (recording.path !== undefined) {
    // A recording is of one boot: its first line says of which.
    recording.stop();
    notices.push('the recording ends here: "record start FILE" makes another, of this boot');
  }
  return regained;
}
