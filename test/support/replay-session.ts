/**
 * A session on a recording, in this thread: what transcripts and the recordings' own tests run on.
 */
import { openBackend } from '../../src/backends/open.ts';
import type { LessonFiles } from '../../src/core/command/lesson-files.ts';
import type { Redaction } from '../../src/core/command/recorded-session.ts';
import { UsageError } from '../../src/core/errors.ts';
import { Kernel } from '../../src/core/kernel/kernel.ts';
import { textOf } from '../../src/core/output/line.ts';
import { lessonOnDisk } from '../../src/engine/lesson-disk.ts';
import type { RunMode } from '../../src/engine/protocol.ts';
import { RecordedShell } from '../../src/engine/recorded.ts';
import { Session } from '../../src/engine/session.ts';
import type { SessionRecorder } from '../../src/engine/session-options.ts';

export interface Ran {
  readonly lines: readonly string[];
  readonly status: number;
}

export interface ReplaySession {
  readonly session: Session;
  /** Runs a line; output and errors as the user sees them, one after the other. */
  run(line: string, mode?: Partial<RunMode>): Ran;
  json(line: string): Readonly<Record<string, unknown>>;
  close(): void;
}

/** `lessons` in the place of the recording's own. */
export function openReplay(path: string, lessons: LessonFiles = lessonOf(path)): ReplaySession {
  const { backend, pid, recording } = openBackend({ kind: 'replay', path });
  if (recording === undefined) throw new Error(`${path} is no recording`);
  const notices: string[] = [];
  const kernel = new Kernel(backend, { notice: (text) => notices.push(text) });
  const replay = new RecordedShell(recording);
  replay.redact = redactNothing;
  const session = new Session({
    kernel,
    recorder: recorderOfNothing(),
    pid,
    cancelled: () => false,
    notices,
    failures: [],
    replay,
    lessons,
  });
  // A text is made, and not kept.
  session.shell.writeText = (_path, pieces) => void [...pieces];
  return {
    session,
    run: (line, mode) => run(session, line, mode),
    json(line) {
      for (const output of session.execute(line, { json: true, rc: false })) {
        if (output.kind === 'json') return JSON.parse(output.line) as Record<string, unknown>;
      }
      throw new Error(`no answer to ${line}`);
    },
    close: () => session.close(),
  };
}

function run(session: Session, line: string, mode: Partial<RunMode> = {}): Ran {
  const lines: string[] = [];
  let status = 0;
  for (const output of session.execute(line, { json: false, rc: false, ...mode })) {
    if (output.kind === 'lines') lines.push(...output.lines.map(textOf));
    if (output.kind === 'error') {
      lines.push(...output.lines);
      status = Math.max(status, output.status);
    }
    if (output.kind === 'shell') lines.push(`(runs "${output.command}" in the shell)`);
  }
  return { lines: lines.map((each) => each.trimEnd()), status };
}

/** Says what a redaction says, and does none: it takes seconds, and its counts change with every text of kdbg. */
function redactNothing(path: string): Redaction {
  return {
    path,
    bytes: 2_768_240,
    replaced: [
      { kind: 'task names', places: 286, different: 6 },
      { kind: 'text in memory', places: 3844, different: 437 },
    ],
    verified: ['6 names of tasks and machines: none is left', '104 commands run again: the same outcome'],
    notices: [],
  };
}

/** The recording's own lesson; what is written and learnt is forgotten with the session. */
function lessonOf(recording: string): LessonFiles {
  const disk = lessonOnDisk(() => recording, {});
  let text: string | undefined;
  let progress: string | undefined;
  return {
    path: disk.path,
    read: () => text ?? disk.read(),
    write(written) {
      text = written;
    },
    progress: () => progress,
    keepProgress(kept) {
      progress = kept;
    },
  };
}

/** Answers as a recorder does, and writes no file. */
function recorderOfNothing(): SessionRecorder {
  let running: { readonly path: string; readonly bytes: number; commands: number } | undefined;
  const needed = (): void => {
    if (running === undefined) throw new UsageError('no recording is being made');
  };
  return {
    get path() {
      return running?.path;
    },
    status: () => running,
    start(path) {
      running = { path, bytes: 0, commands: 0 };
    },
    stop() {
      needed();
      running = undefined;
    },
    note: needed,
    begin() {
      if (running !== undefined) running.commands++;
    },
    output: () => undefined,
    end: () => undefined,
    close: () => undefined,
  };
}
