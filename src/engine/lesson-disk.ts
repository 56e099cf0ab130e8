/**
 * Lessons on the disk: a file beside the recording, and the learner's progress in `$XDG_STATE_HOME/kdbg/lessons`.
 */
import { mkdirSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, isAbsolute, join } from 'node:path';
import { LESSON_ENDING, type LessonFiles } from '../core/command/lesson-files.ts';
import { UsageError } from '../core/errors.ts';
import { readTextFile, reasonOf } from './text-file.ts';

const RECORDING_ENDING = '.kdbg';

type Environment = Readonly<Record<string, string | undefined>>;

/** The lesson's file of a recording: `hang.lesson.md` of `hang.kdbg`. */
export function lessonPath(recording: string): string {
  const stem = recording.endsWith(RECORDING_ENDING) ? recording.slice(0, -RECORDING_ENDING.length) : recording;
  return stem + LESSON_ENDING;
}

/** Whether a recording has a lesson. */
export function hasLesson(recording: string): boolean {
  return statSync(lessonPath(recording), { throwIfNoEntry: false })?.isFile() === true;
}

/** The recording that a lesson's file belongs to. */
export function recordingOfLesson(path: string): string {
  return path.slice(0, -LESSON_ENDING.length) + RECORDING_ENDING;
}

/** Where the progress in the lesson of this name is kept: XDG Base Directory Specification, "state". */
export function progressPath(lesson: string, env: Environment): string {
  const state = env['XDG_STATE_HOME'];
  const base = state !== undefined && isAbsolute(state) ? state : join(env['HOME'] || homedir(), '.local/state');
  return join(base, 'kdbg', 'lessons', `${lesson}.json`);
}

/** The progress that was kept; undefined where none can be read: the lesson begins anew then. */
export function readProgress(lesson: string, env: Environment): string | undefined {
  try {
    return readTextFile(progressPath(lesson, env));
  } catch (error) {
    if (error instanceof UsageError) return undefined;
    throw error;
  }
}

/** The lesson of the recording that `recording` names at the time; there may be none. */
export function lessonOnDisk(recording: () => string | undefined, env: Environment): LessonFiles {
  const path = (): string | undefined => {
    const file = recording();
    return file === undefined ? undefined : lessonPath(file);
  };
  const name = (): string => basename(path() ?? '', LESSON_ENDING);
  return {
    get path() {
      return path();
    },
    read() {
      const file = path();
      if (file === undefined || statSync(file, { throwIfNoEntry: false }) === undefined) return undefined;
      return readTextFile(file);
    },
    write(text) {
      const file = path();
      if (file !== undefined) replaceFile(file, text, 0o644);
    },
    progress: () => readProgress(name(), env),
    keepProgress(text) {
      const file = progressPath(name(), env);
      try {
        mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      } catch (error) {
        throw new UsageError(`cannot make ${dirname(file)}: ${reasonOf(error)}`);
      }
      replaceFile(file, text, 0o600);
    },
  };
}

/** The file is the old one or the new one at every moment. */
function replaceFile(path: string, text: string, mode: number): void {
  const fresh = `${path}.${process.pid}.new`;
  try {
    writeFileSync(fresh, text, { mode, flag: 'wx' });
    renameSync(fresh, path);
  } catch (error) {
    throw new UsageError(`cannot write ${path}: ${reasonOf(error)}`);
  }
}
