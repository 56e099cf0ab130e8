/**
 * From what the command line asks for to a session on an open target.
 */
import { type BackendSpec, openBackend } from '../backends/open.ts';
import type { IoThread } from '../backends/remote/io-start.ts';
import { leftText } from '../core/command/trace-status.ts';
import type { BackendError } from '../core/errors.ts';
import { Kernel } from '../core/kernel/kernel.ts';
import { earlierInstances } from '../core/kernel/trace-own.ts';
import { hasLesson, lessonOnDisk } from './lesson-disk.ts';
import type { Opened } from './protocol.ts';
import { RecordedShell } from './recorded.ts';
import { EngineRecorder } from './recorder.ts';
import { Session } from './session.ts';
import type { SessionOptions } from './session-options.ts';

/** The target, and how the session on it is kept. */
export interface SessionSpec {
  readonly backend: BackendSpec;
  /** Record from the start into this file. */
  readonly record: string | undefined;
  readonly recordUser: boolean;
  /** "kdbg 0.1.0": what recordings say they were made with. */
  readonly tool: string;
}

/** What stops the running command: see SessionOptions. */
export type Interruption = Required<Pick<SessionOptions, 'cancelled' | 'interrupted' | 'onStatement'>> &
  Pick<Kernel, 'progress'>;

/** What sessions that were killed have left in tracefs. */
function leftNotices(kernel: Kernel): readonly string[] {
  const left = earlierInstances(kernel);
  return left.length === 0 ? [] : [leftText(left)];
}

/** Throws OpenError (or another KdbgError) when the target cannot be opened. */
export function openSession(
  spec: SessionSpec,
  interruption: Interruption,
  io: IoThread | undefined,
): { session: Session; opened: Opened } {
  const target = openBackend(spec.backend, io && { io, cancelled: interruption.cancelled });
  const failures: string[] = [];
  const recorder = new EngineRecorder(target.backend, {
    tool: spec.tool,
    userData: spec.recordUser,
    pid: target.pid,
    onFailure: (failure: BackendError) => failures.push(failure.message),
  });
  const notices: string[] = [];
  const kernel = new Kernel(recorder.backend, {
    cancelled: interruption.cancelled,
    notice: (text) => notices.push(text),
    progress: interruption.progress,
  });
  recorder.onStart = () => kernel.forgetAll();
  if (spec.record !== undefined) recorder.start(spec.record);
  const { recording } = target;
  const session = new Session({
    kernel,
    recorder,
    pid: target.pid,
    ...interruption,
    notices,
    failures,
    replay: recording === undefined ? undefined : new RecordedShell(recording),
    // A lesson may be written while its recording is made.
    lessons: lessonOnDisk(() => recording?.path ?? recorder.path, process.env),
  });
  return {
    session,
    opened: {
      name: target.backend.name,
      liveness: target.backend.liveness,
      notices: [...target.notices, ...leftNotices(kernel)],
      hasLesson: recording !== undefined && hasLesson(recording.path),
      commands: session.shell.commands().map((command) => command.name),
    },
  };
}
