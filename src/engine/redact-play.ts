/**
 * The commands of a recorded session, run again on the recording: each at its own moment, what it prints kept. Lines
 * of a recording may come from anybody: nothing is written, read or run on the user's machine for them.
 */
import { openRecording, type Recording } from '../backends/recording/replay.ts';
import { isUserFile, isUserMemory } from '../backends/recording/user-data.ts';
import { CancelledError, UsageError } from '../core/errors.ts';
import { Kernel } from '../core/kernel/kernel.ts';
import type { Backend, ReadRequest } from '../core/memory/backend.ts';
import { RecordedShell } from './recorded.ts';
import { Session } from './session.ts';
import type { SessionRecorder } from './session-options.ts';
import type { SessionShell } from './shell.ts';

/** What a command did. */
export interface Played {
  readonly line: string;
  readonly lines: readonly string[];
  readonly status: number;
  /** It asked for what belongs to processes: what it printed is theirs. */
  readonly asksUser: boolean;
}

export interface Playing {
  /** Told the kernel after each command. */
  readonly see?: (kernel: Kernel) => void;
  /** Told of each request for memory that belongs to a process. */
  readonly seeUser?: (request: ReadRequest) => void;
  readonly isCancelled: () => boolean;
}

/** Commands about the session itself: they print nothing of the kernel. */
const ABOUT_SESSION = /^\s*(?:record|replay|lesson|exit|quit|q)(?:\s|$)/;

/** Runs all of them; by their epoch. `after` sees the kernel of the last moment. Throws CancelledError. */
export function play<T>(
  path: string,
  how: Playing,
  after: (kernel: Kernel) => T,
): { readonly played: ReadonlyMap<number, Played>; readonly result: T } {
  const recording = openRecording(path);
  let asksUser = false;
  const backend = watched(recording, (request) => {
    asksUser = true;
    if (request !== undefined) how.seeUser?.(request);
  });
  const notices: string[] = [];
  const kernel = new Kernel(backend, { cancelled: how.isCancelled, notice: (text) => notices.push(text) });
  const replay = new RecordedShell(recording);
  let recorder = printed();
  const session = new Session({
    kernel,
    // Each command has its own.
    recorder: {
      ...recorder,
      output: (lines) => recorder.output(lines),
      end: (status) => recorder.end(status),
    },
    pid: recording.header.target.pid ?? 1,
    cancelled: how.isCancelled,
    notices,
    failures: [],
    replay,
  });
  seal(session.shell);
  try {
    const played = new Map<number, Played>();
    for (const { epoch, line, by } of recording.commands) {
      if (how.isCancelled()) throw new CancelledError();
      if (!ABOUT_SESSION.test(line)) {
        replay.pin(epoch);
        recorder = printed();
        asksUser = false;
        for (const _ of session.execute(line, { json: false, rc: by === 'rc', pane: by === 'pane' }));
        played.set(epoch, { line, lines: recorder.lines, status: recorder.worst, asksUser });
        notices.length = 0;
      }
      how.see?.(kernel);
    }
    replay.pin(recording.commands.length);
    kernel.newCommand();
    how.see?.(kernel);
    return { played, result: after(kernel) };
  } finally {
    session.close();
  }
}

/** The recording under the name of its target, as commands print it; what is asked of processes' own is told of. */
function watched(recording: Recording, seeUser: (request?: ReadRequest) => void): Backend {
  const { backend } = recording;
  const { memory, files } = backend;
  const look = (paths: readonly string[]): void => {
    if (paths.some(isUserFile)) seeUser();
  };
  return {
    ...backend,
    name: recording.header.target.name,
    ...(memory && {
      memory: {
        read(requests) {
          for (const request of requests) if (isUserMemory(request)) seeUser(request);
          return memory.read(requests);
        },
        held: () => memory.held?.() ?? [],
      },
    }),
    ...(files && {
      files: {
        read(path, limit) {
          look([path]);
          return files.read(path, limit);
        },
        readMany(paths, limit) {
          look(paths);
          return files.readMany(paths, limit);
        },
        list(path) {
          look([path]);
          return files.list(path);
        },
        link: (path) => files.link?.(path),
      },
    }),
  };
}

function seal(shell: SessionShell): void {
  const refuse = (): never => {
    throw new UsageError('nothing of this machine is used for what a recording did');
  };
  Object.assign(shell, { readTextFile: refuse, readFile: refuse });
  Object.assign(shell, { checkWritable: refuse, writeFile: refuse, writeText: refuse });
  Object.assign(shell, { wait: () => undefined });
}

/** Takes what a recording would have of a command. */
interface Printed extends SessionRecorder {
  readonly lines: string[];
  worst: number;
}

function printed(): Printed {
  const refuse = (): never => {
    throw new UsageError('nothing is recorded while a recording is redacted');
  };
  const taken: Printed = {
    path: undefined,
    lines: [],
    worst: 0,
    status: () => undefined,
    start: refuse,
    stop: refuse,
    note: refuse,
    begin: () => undefined,
    output(lines) {
      for (const line of lines) taken.lines.push(line);
    },
    end(status) {
      taken.worst = Math.max(taken.worst, status);
    },
    close: () => undefined,
  };
  return taken;
}
