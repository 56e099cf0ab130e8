/**
 * The lesson of the recording that is replayed.
 */
import { defineCommand, type Kind, maybe, option, rest } from '../src/core/command/define.ts';
import { count, text } from '../src/core/command/kinds.ts';
import {
  lastCommand,
  startLesson,
  type Written,
  writeField,
  writeParagraph,
  writeStep,
  writtenText,
} from '../src/core/command/lesson-author.ts';
import { answer, goTo, hint, next, solution } from '../src/core/command/lesson-play.ts';
import { preview } from '../src/core/command/lesson-preview.ts';
import { PROSE_WIDTH } from '../src/core/command/lesson-prose.ts';
import { lectureOf, restartLesson } from '../src/core/command/lesson-state.ts';
import { reachedStepItem, standing, stepItem, stepListItems } from '../src/core/command/lesson-view.ts';
import type { Scope } from '../src/core/command/scope.ts';
import { UsageError } from '../src/core/errors.ts';
import { type Item, row, text as textItem } from '../src/core/output/item.ts';

/** What a learner does, then what an author does. */
const ACTIONS = {
  answer: 'answer the step',
  hint: 'the next hint; with a text, write one',
  next: 'the next step',
  prev: 'the step before',
  goto: 'a step by its number',
  list: 'all steps, and which are passed',
  solution: "the answer, the expert's commands and why",
  restart: 'forget what is passed',
  start: 'begin to write the lesson of this recording',
  step: 'write a step',
  text: 'write a paragraph of it',
  task: 'write what is to be found',
  check: 'write what is right',
  option: 'write an option to choose from',
  wrong: 'write what to say to a wrong answer',
  expert: 'write a command of an expert; the last one that ran unless given',
  reason: 'write why',
  preview: 'all steps with their answers, tried on this recording',
} as const;

type Action = keyof typeof ACTIONS;

const action: Kind<Action> = {
  name: 'action',
  parse(given) {
    if (Object.hasOwn(ACTIONS, given)) return given as Action;
    throw new UsageError(`"${given}" is none of ${Object.keys(ACTIONS).join(', ')}`, { column: 0 });
  },
  complete: () => ({ candidates: Object.entries(ACTIONS).map(([name, detail]) => ({ text: name, detail })) }),
};

export default defineCommand({
  name: 'lesson',
  group: 'shell',
  summary: 'learn with a recording: what to find, hints, why',
  description: [
    'A recording may carry a lesson: "kdbg train" lists those that do. Alone, "lesson" shows the step. All other commands work as ever; what you find is told by "answer" (short for "lesson answer"), in any spelling that a command takes: a PID or the task\'s address, a symbol or its address. Steps that want a command are passed when it has run.',
    'hint tells more each time, solution tells all; next, prev, goto and list go through the steps in any order. What is passed is kept for the next time.',
    'start begins to write a lesson for the recording that is replayed or made; step, text, task, check, option, wrong, hint, expert and reason write it, and preview shows all of it and tries it. A text with ; | < or > in it wants quotes. docs/lessons.md describes the file and the checks.',
  ],
  options: { w: option(count, 'COLUMNS', 'fill the text to this width') },
  operands: {
    action: maybe(action, 'ACTION', Object.keys(ACTIONS).join(', ')),
    text: rest(text, '[TEXT]', 'the answer, the number of the step, or what to write'),
  },
  optionsFirst: true,
  examples: [
    { line: 'lesson', shows: 'the step: what to find' },
    { line: 'lesson hint', shows: 'a hint' },
    { line: 'lesson list', shows: 'the steps, and which are passed' },
    { line: 'lesson goto 2', shows: 'the second step' },
  ],
  *run(scope, { w, action: asked, text: given }) {
    const width = Math.min(Math.max(w ?? PROSE_WIDTH, 24), 200);
    if (asked === undefined) yield stepItem(scope.shell, lectureOf(scope), width);
    else if (isLearning(asked, given)) yield* learn(scope, asked, given, width);
    else yield* write(scope, asked, given, width);
  },
});

const LEARNING = ['answer', 'hint', 'next', 'prev', 'goto', 'list', 'solution', 'restart'] as const;
type Learning = (typeof LEARNING)[number];

/** `hint` belongs to both: with a text it is the author's. */
function isLearning(asked: Action, given: string): asked is Learning {
  return LEARNING.some((each) => each === asked) && !(asked === 'hint' && given !== '');
}

function* learn(scope: Scope, asked: Learning, given: string, width: number): Iterable<Item> {
  if (asked === 'answer') {
    yield* answer(scope, given, width);
    return;
  }
  if (asked === 'goto') {
    yield* goTo(scope, count.parse(given, scope), width);
    return;
  }
  if (given !== '') throw new UsageError(`"lesson ${asked}" takes no text`);
  switch (asked) {
    case 'hint':
      yield* hint(scope, width);
      return;
    case 'next':
      yield* next(scope, width);
      return;
    case 'prev':
      yield* goTo(scope, Math.max(lectureOf(scope).index, 1), width);
      return;
    case 'solution':
      yield* solution(scope, width);
      return;
    case 'restart':
      yield reachedStepItem(scope.shell, restartLesson(scope), width);
      return;
    case 'list': {
      const lecture = lectureOf(scope);
      yield* stepListItems(lecture);
      yield textItem('', standing(lecture));
    }
  }
}

type Writing = Exclude<Action, Exclude<Learning, 'hint'>>;

function* write(scope: Scope, asked: Writing, given: string, width: number): Iterable<Item> {
  if (asked === 'preview') {
    yield* preview(scope, lectureOf(scope), width);
    return;
  }
  const { path, what } = written(scope, asked, given);
  yield row({ path, what }, () => [`${path}: ${what}`]);
}

function written(scope: Scope, asked: Exclude<Writing, 'preview'>, given: string): Written {
  if (asked === 'start') return startLesson(scope, given);
  const text = asked === 'expert' && given === '' ? lastCommand(scope) : writtenText(given);
  switch (asked) {
    case 'step':
      return writeStep(scope, text);
    case 'text':
      return writeParagraph(scope, text);
    case 'expert':
      return writeField(scope, asked, `\`${text}\``);
    default:
      return writeField(scope, asked, text);
  }
}
