/**
 * A lesson: steps that lead through a recording. Its form as a file is described in docs/lessons.md and read by
 * lesson-text.ts; what an answer means on a target is not known here.
 */

/** What a lesson's file may hold; a lesson is one evening's course, not a book. */
export const LESSON_LIMITS = { bytes: 256 * 1024, steps: 100, characters: 4096, ofAField: 40 } as const;

export interface Lesson {
  readonly title: string;
  /** One line for the list of lessons. */
  readonly about: string | undefined;
  /** Its place in the course; lessons without one come last. */
  readonly order: number | undefined;
  readonly introduction: readonly Prose[];
  readonly steps: readonly LessonStep[];
}

/** A piece of a lesson's text: to be filled, or lines to be shown as they are. */
export type Prose =
  | { readonly kind: 'paragraph' | 'item'; readonly text: string }
  | { readonly kind: 'literal'; readonly lines: readonly string[] };

export interface LessonStep {
  /** Unique in the lesson: progress is kept by it. */
  readonly title: string;
  readonly prose: readonly Prose[];
  readonly task: string | undefined;
  /** What is right, each as good as the others; empty for a step that is only read. */
  readonly checks: readonly Check[];
  readonly options: readonly { readonly letter: string; readonly text: string }[];
  /** Answers that are known to be wrong, and what to say to them. */
  readonly wrong: readonly { readonly checks: readonly Check[]; readonly say: string }[];
  readonly hints: readonly string[];
  /** Command lines as an expert would have typed them. */
  readonly expert: readonly string[];
  readonly reason: string | undefined;
  /** Where the step stands in the file: its heading, its first field, and behind its last line; 0-based lines. */
  readonly lines: { readonly heading: number; readonly fields: number; readonly end: number };
}

/** What an answer is compared with. */
export type Check =
  | { readonly kind: 'pid'; readonly pid: number }
  | { readonly kind: 'address'; readonly expression: string }
  | { readonly kind: 'symbol'; readonly name: string }
  | { readonly kind: 'number'; readonly from: number; readonly to: number }
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'choice'; readonly letter: string }
  /** No answer: a command (any, where undefined) ran and showed a line with the text (any, where undefined). */
  | { readonly kind: 'ran'; readonly command: string | undefined; readonly shows: string | undefined };
