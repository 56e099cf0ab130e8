/**
 * A lesson as its author wants to see it: all of it at once, hints and answers too, with each expert's command tried on
 * the recording.
 */
import { KdbgError } from '../errors.ts';
import type { LessonStep } from '../formats/lesson.ts';
import { type Item, notice, row, text } from '../output/item.ts';
import { type Line, span, textOf } from '../output/line.ts';
import { TextView } from '../output/render.ts';
import { isHarmless } from './harmless-line.ts';
import { confirmCheck } from './lesson-answer.ts';
import { NO_PROGRESS, withStep } from './lesson-progress.ts';
import type { Lecture } from './lesson-state.ts';
import { rightAnswers, solutionLines, stepItem } from './lesson-view.ts';
import type { Scope } from './scope.ts';
import { firstName } from './words.ts';

/** All steps, and what is wrong with them on this recording. */
export function* preview(scope: Scope, { name, lesson }: Lecture, width: number): Iterable<Item> {
  let problems = 0;
  for (const [index, step] of lesson.steps.entries()) {
    if (index > 0) yield text('');
    const progress = withStep(NO_PROGRESS, step.title, { hints: step.hints.length });
    yield stepItem(scope.shell, { name, lesson, progress, index, step }, width);
    yield text(...answerLines(step), ...solutionLines(scope.shell, step, width));
    for (const problem of problemsOf(scope, step)) {
      problems++;
      yield notice(`step ${index + 1}: ${problem}`);
    }
  }
  const found = problems === 0 ? 'everything in it holds on this recording' : `${problems} problems`;
  yield row({ steps: lesson.steps.length, problems }, () => ['', `${lesson.steps.length} steps: ${found}`]);
}

function answerLines(step: LessonStep): readonly Line[] {
  const answers = rightAnswers(step);
  return answers === '' ? [] : [[span(`The answer: ${answers}`, undefined, 'good')]];
}

/** Checks that do not hold, and expert's commands that fail or do not show what the check asks for. */
export function* problemsOf(scope: Scope, step: LessonStep): Iterable<string> {
  for (const check of [...step.checks, ...step.wrong.flatMap(({ checks }) => checks)]) {
    const failure = failureOf(() => confirmCheck(scope, step, check));
    if (failure !== undefined) yield `a check does not hold: ${failure}`;
  }
  const wanted = step.checks.flatMap((check) => (check.kind === 'ran' ? [check] : []));
  let isShown = false;
  for (const line of step.expert) {
    if (!isHarmless(line, scope.shell)) {
      yield `"${line}" was not tried: it does more than look`;
      continue;
    }
    const printed: string[] = [];
    const failure = failureOf(() => {
      scope.shell.recorded?.answerAs(line);
      scope.kernel.newCommand();
      const command = scope.shell.command(firstName(line));
      const view = new TextView(command?.columns);
      for (const item of scope.shell.run(line)) for (const each of view.lines(item)) printed.push(textOf(each));
    });
    if (failure !== undefined) yield `"${line}" fails: ${failure}`;
    isShown ||= wanted.some(
      ({ command, shows }) =>
        (command === undefined || command === firstName(line)) &&
        (shows === undefined || printed.some((each) => each.includes(shows))),
    );
  }
  if (wanted.length === step.checks.length && wanted.length > 0 && !isShown) {
    yield "none of the expert's commands passes it";
  }
}

function failureOf(act: () => void): string | undefined {
  try {
    act();
    return undefined;
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return error.message;
    throw error;
  }
}
