/**
 * The lesson of a session: which one, at which step, and what of it is passed. It belongs to the session as the context
 * does, and begins with the first `lesson` command.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import type { Lesson, LessonStep } from '../formats/lesson.ts';
import { parseLesson } from '../formats/lesson-text.ts';
import { LESSON_ENDING } from './lesson-files.ts';
import { NO_PROGRESS, type Progress, parseProgress, progressText, withStep } from './lesson-progress.ts';
import type { Scope, Shell } from './scope.ts';

/** The lesson as it stands now. */
export interface Lecture {
  readonly name: string;
  readonly lesson: Lesson;
  readonly progress: Progress;
  /** The step that is shown, from 0. */
  readonly index: number;
  readonly step: LessonStep;
}

interface Kept {
  readonly lesson: Lesson;
  progress: Progress;
  /** It was told that the disk does not take the progress. */
  isTold: boolean;
}

const kept = new WeakMap<Shell, Kept>();

/** The lesson of the recording; begins it. Throws UnsupportedError where there is none, DataError where it is malformed. */
export function lectureOf(scope: Scope): Lecture {
  const { shell } = scope;
  const found = kept.get(shell) ?? load(scope);
  const [first] = found.lesson.steps;
  if (first === undefined) {
    throw new UnsupportedError('this lesson has no steps yet', '"lesson step TITLE" writes one, after "lesson start"');
  }
  kept.set(shell, found);
  return lecture(shell, found);
}

/** The lesson that the session is in; undefined before it begins. */
export function currentLecture(shell: Shell): Lecture | undefined {
  const found = kept.get(shell);
  return found === undefined || found.lesson.steps.length === 0 ? undefined : lecture(shell, found);
}

/** Keeps another progress, on the disk too; a disk that does not take it is told once and stops nobody. */
export function keepProgress(scope: Scope, progress: Progress): Lecture {
  const found = kept.get(scope.shell) as Kept;
  found.progress = progress;
  try {
    scope.shell.lessons.keepProgress(progressText(found.lesson.title, progress));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    if (!found.isTold) scope.notices.push(`the progress is not kept: ${error.message}`);
    found.isTold = true;
  }
  return lecture(scope.shell, found);
}

/** Goes to a step, from 0; beyond the ends to the first or last. */
export function goToStep(scope: Scope, index: number): Lecture {
  const { lesson, progress } = lectureOf(scope);
  const to = lesson.steps[Math.min(Math.max(index, 0), lesson.steps.length - 1)] as LessonStep;
  return keepProgress(scope, { ...progress, at: to.title });
}

/** The step is passed: the next one that is not is shown from now on. */
export function passStep(scope: Scope, change: { readonly shown?: true } = {}): Lecture {
  const { lesson, progress, index, step } = lectureOf(scope);
  const passed = withStep(progress, step.title, { passed: true, ...change });
  const isOpen = ({ title }: LessonStep): boolean => passed.steps.get(title)?.passed !== true;
  const next = lesson.steps.slice(index + 1).find(isOpen) ?? lesson.steps.find(isOpen);
  return keepProgress(scope, { ...passed, at: next?.title ?? step.title });
}

/** Begins anew. */
export function restartLesson(scope: Scope): Lecture {
  lectureOf(scope);
  return keepProgress(scope, NO_PROGRESS);
}

/** The lesson's text was changed: the session goes on in it as it is now, from the step of this title. */
export function setLesson(scope: Scope, lesson: Lesson, at: string | undefined): void {
  const before = kept.get(scope.shell)?.progress ?? NO_PROGRESS;
  kept.set(scope.shell, { lesson, progress: { ...before, at }, isTold: false });
}

function load({ shell }: Scope): Kept {
  const { lessons } = shell;
  const text = lessons.read();
  if (text === undefined) {
    throw lessons.path === undefined
      ? new UnsupportedError('lessons belong to recordings', '"kdbg train" lists those that have one')
      : new UnsupportedError(
          `this recording has no lesson: there is no ${lessons.path}`,
          '"lesson start" begins to write one; "kdbg train" lists the recordings that have one',
        );
  }
  const lesson = parseLesson(text, lessons.path ?? 'the lesson');
  return { lesson, progress: parseProgress(lessons.progress(), lesson), isTold: false };
}

function lecture(shell: Shell, { lesson, progress }: Kept): Lecture {
  const index = Math.max(
    lesson.steps.findIndex(({ title }) => title === progress.at),
    0,
  );
  return { name: lessonName(shell), lesson, progress, index, step: lesson.steps[index] as LessonStep };
}

/** What the lesson is called: its file without folder and ending. */
export function lessonName({ lessons }: Shell): string {
  const file = lessons.path?.replace(/^.*\//, '') ?? '';
  return file.endsWith(LESSON_ENDING) ? file.slice(0, -LESSON_ENDING.length) : file;
}
