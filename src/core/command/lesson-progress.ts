/**
 * How far a learner is in a lesson: the step, those passed, and what help was taken. Steps are kept by their titles, so
 * that a lesson may be changed meanwhile.
 */
import { LESSON_LIMITS, type Lesson } from '../formats/lesson.ts';

export interface Progress {
  /** Title of the step that is shown; undefined before the first was. */
  readonly at: string | undefined;
  readonly steps: ReadonlyMap<string, StepProgress>;
}

export interface StepProgress {
  readonly passed: boolean;
  /** Hints that were shown. */
  readonly hints: number;
  /** Wrong answers. */
  readonly wrong: number;
  /** The solution was shown before the step was passed. */
  readonly shown: boolean;
}

export const NO_PROGRESS: Progress = { at: undefined, steps: new Map() };
const NOTHING: StepProgress = { passed: false, hints: 0, wrong: 0, shown: false };
const COUNT_MAX = 10_000;

export function stepProgress(progress: Progress, title: string): StepProgress {
  return progress.steps.get(title) ?? NOTHING;
}

/** The same with a step of it changed. */
export function withStep(progress: Progress, title: string, change: Partial<StepProgress>): Progress {
  return { ...progress, steps: new Map(progress.steps).set(title, { ...stepProgress(progress, title), ...change }) };
}

/** The progress as it is kept; `lesson` is the lesson's title. */
export function progressText(lesson: string, { at, steps }: Progress): string {
  return `${JSON.stringify({ lesson, at, steps: Object.fromEntries(steps) }, undefined, 2)}\n`;
}

/** Reads what was kept of a lesson; what is malformed, or of another lesson, is no progress. */
export function parseProgress(text: string | undefined, lesson: Lesson): Progress {
  const kept = text === undefined || text.length > LESSON_LIMITS.bytes ? undefined : parseJson(text);
  if (!isRecord(kept) || kept['lesson'] !== lesson.title) return NO_PROGRESS;
  const { at, steps } = kept;
  const known = new Map<string, StepProgress>();
  for (const { title } of lesson.steps) {
    const each = isRecord(steps) && Object.hasOwn(steps, title) ? steps[title] : undefined;
    if (isRecord(each)) known.set(title, stepOf(each));
  }
  return { at: lesson.steps.find(({ title }) => title === at)?.title, steps: known };
}

/** Steps of the lesson that are passed. */
export function passedCount(lesson: Lesson, progress: Progress): number {
  return lesson.steps.filter(({ title }) => stepProgress(progress, title).passed).length;
}

/** Where the learner stands, for a list of lessons. */
export function describeProgress(lesson: Lesson, progress: Progress): string {
  const passed = passedCount(lesson, progress);
  if (passed === lesson.steps.length) return 'finished';
  if (progress.at === undefined) return 'not begun';
  return `step ${lesson.steps.findIndex(({ title }) => title === progress.at) + 1} of ${lesson.steps.length}`;
}

function stepOf(kept: Readonly<Record<string, unknown>>): StepProgress {
  const count = (value: unknown): number =>
    typeof value === 'number' && Number.isInteger(value) && value > 0 ? Math.min(value, COUNT_MAX) : 0;
  return {
    passed: kept['passed'] === true,
    hints: count(kept['hints']),
    wrong: count(kept['wrong']),
    shown: kept['shown'] === true,
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
