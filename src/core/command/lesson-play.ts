/**
 * What a learner does with a lesson: answers, asks for hints and the solution, goes from step to step.
 */
import { NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import { type Item, row, text } from '../output/item.ts';
import { type Line, span } from '../output/line.ts';
import { judge } from './lesson-answer.ts';
import { passedCount, stepProgress, withStep } from './lesson-progress.ts';
import { filled } from './lesson-prose.ts';
import { currentLecture, goToStep, keepProgress, type Lecture, lectureOf, passStep } from './lesson-state.ts';
import { hintLines, reachedStepItem, rightAnswers, solutionLines, standing } from './lesson-view.ts';
import type { Scope, Shell } from './scope.ts';

/** Wrong answers after which a hint is offered. */
const WRONG_BEFORE_HINT = 2;

export function* answer(scope: Scope, given: string, width: number): Iterable<Item> {
  const { step, progress } = lectureOf(scope);
  if (!step.checks.some(({ kind }) => kind !== 'ran')) {
    throw new UnsupportedError(
      'this step wants no answer',
      step.checks.length === 0 ? '"lesson next" goes on' : 'it is passed when you have run what it asks for',
    );
  }
  const verdict = judge(scope, step, given);
  if (verdict.right) {
    yield* passed(scope, width);
    return;
  }
  const wrong = stepProgress(progress, step.title).wrong + 1;
  const { progress: after } = keepProgress(scope, withStep(progress, step.title, { wrong }));
  const offers = wrong >= WRONG_BEFORE_HINT && stepProgress(after, step.title).hints < step.hints.length;
  const { say } = verdict;
  yield row({ right: false, say: say ?? null }, () => [
    ...filled(scope.shell, say === undefined ? 'No, that is not it.' : `No. ${say}`, { width, first: '', rest: '' }),
    ...(offers ? ['"lesson hint" helps'] : []),
  ]);
}

/** A line that is no command may have been meant as an answer, or as the rest of a lesson's text behind a semicolon. */
export function bareAnswer(shell: Shell, line: string, error: unknown): readonly Line[] {
  const isNoCommand = error instanceof NotFoundError && error.kind === 'command';
  if (isNoCommand && /^\s*lesson\s[^;]*;/.test(shell.history().at(-1) ?? '')) {
    return ['a text of a lesson that has a ; in it is put in quotes'];
  }
  const step = isNoCommand ? currentLecture(shell)?.step : undefined;
  if (step?.checks.some(({ kind }) => kind !== 'ran') !== true) return [];
  return [`if that is your answer: answer ${line}`];
}

/** The step is passed: why, and the next one. */
export function* passed(scope: Scope, width: number): Iterable<Item> {
  const before = lectureOf(scope);
  const after = passStep(scope);
  const { step } = before;
  yield row({ right: true, reason: step.reason ?? null, expert: step.expert }, () => [
    [span('Right.', undefined, 'good')],
    ...solutionLines(scope.shell, step, width),
  ]);
  yield* following(scope, before, after, width);
}

/** The next hint; those before are shown with the step. */
export function* hint(scope: Scope, width: number): Iterable<Item> {
  const { step, progress } = lectureOf(scope);
  const { hints } = stepProgress(progress, step.title);
  const next = step.hints[hints];
  if (next === undefined) {
    const none = step.hints.length === 0 ? 'this step has no hints' : 'there are no more hints';
    throw new UnsupportedError(none, '"lesson" shows the step again, "lesson solution" ends it');
  }
  keepProgress(scope, withStep(progress, step.title, { hints: hints + 1 }));
  const left = step.hints.length - hints - 1;
  yield row({ hint: next, left }, () => [
    ...hintLines(scope.shell, next, width),
    ...(left > 0 ? [`${left} more ${left === 1 ? 'hint' : 'hints'}`] : []),
  ]);
}

/** The answer, and how to come to it. */
export function* solution(scope: Scope, width: number): Iterable<Item> {
  const before = lectureOf(scope);
  const { step, progress } = before;
  const right = rightAnswers(step);
  const isPassed = stepProgress(progress, step.title).passed;
  const after = isPassed ? undefined : passStep(scope, { shown: true });
  yield row({ answer: right === '' ? null : right, reason: step.reason ?? null, expert: step.expert }, () => [
    ...(right === '' ? [] : [`The answer: ${right}`]),
    ...solutionLines(scope.shell, step, width),
  ]);
  if (after !== undefined) yield* following(scope, before, after, width);
}

/** To a step by its number, from 1. */
export function* goTo(scope: Scope, number: number, width: number): Iterable<Item> {
  const { lesson } = lectureOf(scope);
  if (number < 1 || number > lesson.steps.length) {
    throw new UsageError(`there is no step ${number}: the lesson has ${lesson.steps.length}`, {
      hint: '"lesson list" shows them',
    });
  }
  yield reachedStepItem(scope.shell, goToStep(scope, number - 1), width);
}

/** To the next step; one that is only read is passed by that. */
export function* next(scope: Scope, width: number): Iterable<Item> {
  const { step, lesson, index, progress } = lectureOf(scope);
  const isRead = step.checks.length === 0;
  if (isRead) keepProgress(scope, withStep(progress, step.title, { passed: true }));
  if (index + 1 < lesson.steps.length) {
    yield reachedStepItem(scope.shell, goToStep(scope, index + 1), width);
    return;
  }
  yield* ending(lectureOf(scope));
}

/** What comes after a step: the next one that is not passed, or the end. */
function* following(scope: Scope, before: Lecture, after: Lecture, width: number): Iterable<Item> {
  yield text('');
  const { lesson, progress } = after;
  if (passedCount(lesson, progress) === lesson.steps.length) {
    yield* ending(after);
    return;
  }
  if (after.index < before.index) yield text('Back to a step that was left out:', '');
  yield reachedStepItem(scope.shell, after, width);
}

function* ending(lecture: Lecture): Iterable<Item> {
  const { lesson, progress } = lecture;
  const left = lesson.steps.length - passedCount(lesson, progress);
  const lines: readonly Line[] =
    left === 0
      ? [
          [span(`This was the last step: ${standing(lecture)}.`, undefined, 'good')],
          '"kdbg train" lists the other lessons; Ctrl-D leaves this one.',
        ]
      : [`This is the last step; ${standing(lecture)}. "lesson list" shows which are left.`];
  yield row({ finished: left === 0, left }, () => lines);
}
