/**
 * A lesson as it is shown: a step with its task and the hints taken so far, the list of steps, and what stands behind a
 * step that is passed.
 */
import type { LessonStep } from '../formats/lesson.ts';
import { type Item, row } from '../output/item.ts';
import { type Line, type Span, span } from '../output/line.ts';
import { answerForms, expectedAnswer } from './lesson-answer.ts';
import { passedCount, stepProgress } from './lesson-progress.ts';
import { codeSpan, filled, proseLines } from './lesson-prose.ts';
import type { Lecture } from './lesson-state.ts';
import type { Shell } from './scope.ts';

const INDENT = '   ';

/** The step, with the lesson's introduction before the first. */
export function stepItem(shell: Shell, lecture: Lecture, width: number): Item {
  const { name, lesson, progress, index, step } = lecture;
  const { passed, hints } = stepProgress(progress, step.title);
  const data = {
    lesson: name,
    step: index + 1,
    steps: lesson.steps.length,
    title: step.title,
    task: step.task ?? null,
    answer: answerForms(step.checks).join('|') || null,
    options: step.options.map(({ letter, text }) => ({ letter, text })),
    hints: step.hints.slice(0, hints),
    passed,
  };
  return row(data, () => [
    ...(index === 0 ? introduction(shell, lecture, width) : []),
    heading(lecture, passed),
    '',
    ...(step.prose.length === 0 ? [] : [...proseLines(shell, step.prose, width), '']),
    ...taskLines(shell, step, width),
    ...step.hints.slice(0, hints).flatMap((hint) => hintLines(shell, hint, width)),
    ...ways(shell, lecture, width),
  ]);
}

/** A step that one comes to: where a pane shows it, the shell only names it. */
export function reachedStepItem(shell: Shell, lecture: Lecture, width: number): Item {
  const step = stepItem(shell, lecture, width);
  if (!shell.showsLesson || step.kind !== 'row') return step;
  const { passed } = stepProgress(lecture.progress, lecture.step.title);
  return row(step.data, () => [[...heading(lecture, passed), span('  (in the pane of the lesson)', undefined, 'dim')]]);
}

/** The next hint. */
export function hintLines(shell: Shell, hint: string, width: number): readonly Line[] {
  return filled(shell, hint, { width, first: 'Hint: ', rest: '      ' });
}

/** What someone who knows would have done, and why. */
export function solutionLines(shell: Shell, step: LessonStep, width: number): readonly Line[] {
  const commands = step.expert.map(
    (line): Line => [INDENT, span('kdbg> ', undefined, 'dim'), codeSpan(shell, line, line)],
  );
  return [
    ...(step.reason === undefined ? [] : filled(shell, step.reason, { width, first: '', rest: '' })),
    ...(commands.length === 0 ? [] : ['An expert would have typed:', ...commands]),
  ];
}

/** The answers that would have been right; empty where a command was to be run. */
export function rightAnswers({ checks, options }: LessonStep): string {
  const answers = checks.flatMap((check, i): readonly string[] => {
    if (check.kind === 'ran') return [];
    // Words after the first are other ways to write it.
    if (check.kind === 'text' && checks.slice(0, i).some(({ kind }) => kind === 'text')) return [];
    const expected = expectedAnswer(check);
    if (check.kind === 'number' && check.from !== check.to) return [`${check.from} to ${check.to}`];
    const option = check.kind === 'choice' && options.find(({ letter }) => letter === check.letter);
    return [option ? `${option.letter}) ${option.text}` : expected];
  });
  return answers.join(' or ');
}

/** The steps, each with what became of it. */
export function stepListItems({ lesson, progress, index }: Lecture): readonly Item[] {
  return lesson.steps.map((step, i) => {
    const { passed, hints, wrong, shown } = stepProgress(progress, step.title);
    const state = passed ? (shown ? 'shown' : 'passed') : '';
    const help = [
      ...(hints > 0 ? [`${hints} ${hints === 1 ? 'hint' : 'hints'}`] : []),
      ...(wrong > 0 ? [`${wrong} wrong`] : []),
    ].join(', ');
    const data = { step: i + 1, title: step.title, passed, shown, hints, wrong, current: i === index };
    const line = `${i === index ? '>' : ' '} ${String(i + 1).padStart(2)}  ${state.padEnd(6)}  `;
    return row(data, () => [
      [line, span(step.title, { kind: 'command', line: `lesson goto ${i + 1}` }), help === '' ? '' : `  (${help})`],
    ]);
  });
}

/** One line: how far the learner is. */
export function standing({ lesson, progress }: Lecture): string {
  const passed = passedCount(lesson, progress);
  return passed === lesson.steps.length
    ? 'all steps are passed'
    : `${passed} of ${lesson.steps.length} steps are passed`;
}

function introduction(shell: Shell, { lesson }: Lecture, width: number): readonly Line[] {
  return [
    [span(lesson.title, undefined, 'header')],
    '',
    ...(lesson.introduction.length === 0 ? [] : [...proseLines(shell, lesson.introduction, width), '']),
  ];
}

function heading({ lesson, index, step }: Lecture, passed: boolean): readonly Span[] {
  return [
    span(`Step ${index + 1} of ${lesson.steps.length}: ${step.title}`, undefined, 'header'),
    ...(passed ? [span('  (passed)', undefined, 'good')] : []),
  ];
}

function taskLines(shell: Shell, step: LessonStep, width: number): readonly Line[] {
  if (step.task === undefined && step.options.length === 0) return [];
  const task = step.task === undefined ? [] : filled(shell, step.task, { width, first: '=> ', rest: INDENT });
  const options = step.options.flatMap(({ letter, text }) =>
    filled(shell, text, { width, first: `${INDENT}${letter}) `, rest: `${INDENT}   ` }),
  );
  return [...task, ...options, ''];
}

/** What can be typed now; never dim, as some terminals show that in the colour of the background. */
function ways(shell: Shell, { lesson, progress, index, step }: Lecture, width: number): readonly Line[] {
  const { hints, passed } = stepProgress(progress, step.title);
  const forms = answerForms(step.checks).map((form) => `"answer ${form}"`);
  const left = step.hints.length - hints;
  const runs = step.checks.some(({ kind }) => kind === 'ran');
  const goesOn = index + 1 < lesson.steps.length || passedCount(lesson, progress) < lesson.steps.length;
  const parts = [
    ...(passed || forms.length === 0 ? [] : [`${forms.join(' or ')} tells what you found`]),
    ...(passed || !runs ? [] : ['this step is passed when you have run it']),
    ...(passed || left <= 0 ? [] : [`"lesson hint" helps (${left} left)`]),
    ...(passed && step.checks.length > 0 ? ['"lesson solution" tells why'] : []),
    ...((passed || step.checks.length === 0) && goesOn ? ['"lesson next" goes on'] : []),
  ];
  return filled(shell, parts.join(', '), { width, first: '', rest: '' });
}
