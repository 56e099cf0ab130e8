/**
 * What the shell keeps of lessons: the file beside the recording, and how far the learner is.
 */
export interface LessonFiles {
  /** The lesson's file beside the recording that is replayed or made; undefined without one. It need not be there. */
  readonly path: string | undefined;
  /** Its text; undefined where there is none. Throws UsageError when it cannot be read. */
  read(): string | undefined;
  /** Throws UsageError when it cannot be written. */
  write(text: string): void;
  /** What was kept of the learner's progress; undefined where there is none, or none that can be read. */
  progress(): string | undefined;
  /** Throws UsageError when it cannot be kept. */
  keepProgress(text: string): void;
}

/** A session without a recording. */
export const NO_LESSONS: LessonFiles = {
  path: undefined,
  read: () => undefined,
  write: () => undefined,
  progress: () => undefined,
  keepProgress: () => undefined,
};

/** The end of the name of a lesson's file: `hang.lesson.md` belongs to `hang.kdbg`. */
export const LESSON_ENDING = '.lesson.md';
