/**
 * Writing a lesson while looking at its recording. Each line goes into the file at once, into what stands there by
 * then: it may be edited by hand at the same time. What would make it malformed is not written.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import { LESSON_LIMITS, type LessonStep } from '../formats/lesson.ts';
import { parseLesson, STEP_FIELDS_ONCE } from '../formats/lesson-text.ts';
import { confirmCheck } from './lesson-answer.ts';
import { currentLecture, lessonName, setLesson } from './lesson-state.ts';
import type { Scope, Shell } from './scope.ts';

/** Sessions in which `lesson start` was said: a learner does not write by mistake. */
const authors = new WeakSet<Shell>();

/** What was written, and where. */
export interface Written {
  readonly path: string;
  readonly what: string;
}

/** Begins the lesson of the recording, or goes on with it. Throws UnsupportedError without a recording. */
export function startLesson(scope: Scope, title: string): Written {
  const { shell } = scope;
  const { lessons } = shell;
  if (lessons.path === undefined) {
    throw new UnsupportedError(
      'a lesson belongs to a recording',
      '"record start FILE" begins one, "kdbg replay FILE" opens one',
    );
  }
  const before = lessons.read();
  const text = before ?? `# ${title === '' ? lessonName(shell) : title}\n`;
  const lesson = parseLesson(text, lessons.path);
  if (before === undefined) lessons.write(text);
  authors.add(shell);
  setLesson(scope, lesson, lesson.steps.at(-1)?.title);
  return { path: lessons.path, what: before === undefined ? 'begun' : `${lesson.steps.length} steps so far` };
}

/** A new step behind the one that is shown. */
export function writeStep(scope: Scope, title: string): Written {
  return edit(scope, title, (lines, step) => {
    const at = step?.lines.end ?? lines.length;
    return { lines: [...lines.slice(0, at), '', `## ${title}`, ...lines.slice(at)], at: title };
  });
}

/** A paragraph behind the step's others; before the first step, of the introduction. */
export function writeParagraph(scope: Scope, text: string): Written {
  return edit(scope, 'text', (lines, step) => {
    const at = step?.lines.fields ?? lines.length;
    const before = lines.slice(0, at);
    while (before.at(-1)?.trim() === '') before.pop();
    const after = lines.slice(at);
    return { lines: [...before, '', text, ...(after.length === 0 ? [] : ['', ...after])], at: step?.title };
  });
}

/** A field of the step; one that a step has once takes the place of the one before. */
export function writeField(scope: Scope, key: string, value: string): Written {
  return edit(scope, key, (lines, step) => {
    if (step === undefined) throw new UnsupportedError('there is no step yet', '"lesson step TITLE" begins one');
    const { heading, fields, end } = step.lines;
    const written = `- ${key}: ${value}`;
    const old = STEP_FIELDS_ONCE.includes(key) ? fieldIn(lines, key, heading, end) : undefined;
    const [from, to] = old ?? [end, end];
    const gap = old === undefined && fields === end ? [''] : [];
    return { lines: [...lines.slice(0, from), ...gap, written, ...lines.slice(to)], at: step.title };
  });
}

/** The last line that was run and is no line of a lesson: what `lesson expert` means without one. */
export function lastCommand({ shell }: Scope): string {
  const line = shell.history().findLast((each) => !/^\s*(?:lesson|answer|history|help)\b/.test(each));
  if (line === undefined) throw new UnsupportedError('no command was run yet', '"lesson expert COMMAND" gives one');
  return line.trim();
}

/** Lines of a field and of what continues it: from, and behind. */
function fieldIn(lines: readonly string[], key: string, from: number, end: number): [number, number] | undefined {
  const start = lines.findIndex((line, i) => i > from && i < end && line.toLowerCase().startsWith(`- ${key}:`));
  if (start < 0) return undefined;
  let to = start + 1;
  while (to < end && /^ {2,}\S/.test(lines[to] as string)) to++;
  return [start, to];
}

interface Edited {
  readonly lines: readonly string[];
  /** Title of the step that is shown from now on. */
  readonly at: string | undefined;
}

function edit(
  scope: Scope,
  what: string,
  change: (lines: readonly string[], step: LessonStep | undefined) => Edited,
): Written {
  const { shell } = scope;
  const { path } = shell.lessons;
  const before = authors.has(shell) && path !== undefined ? shell.lessons.read() : undefined;
  if (before === undefined || path === undefined) {
    throw new UnsupportedError('no lesson is being written', '"lesson start" begins one, or goes on with it');
  }
  const now = parseLesson(before, path);
  const title = currentLecture(shell)?.step.title;
  const step = now.steps.find((each) => each.title === title) ?? now.steps.at(-1);
  const { lines, at } = change(before.replace(/\n+$/, '').split(/\r?\n/), step);
  const text = `${lines.join('\n')}\n`;
  const lesson = parseLesson(text, path);
  const written = lesson.steps.find((each) => each.title === at);
  if (written !== undefined) confirm(scope, what, written);
  shell.lessons.write(text);
  setLesson(scope, lesson, at);
  return { path, what };
}

/** What is expected must be so on this recording. */
function confirm(scope: Scope, what: string, step: LessonStep): void {
  if (what === 'check') for (const check of step.checks) confirmCheck(scope, step, check);
}

/** A text as it was typed, without the quotes that keep `;`, `|` and `>` in it from the shell. */
export function writtenText(text: string): string {
  const bare = /^(["'])(.*)\1$/s.exec(text.trim())?.[2] ?? text.trim();
  if (bare === '') throw new UsageError('the text is missing');
  if (bare.length > LESSON_LIMITS.characters - 100)
    throw new UsageError('the text is too long for one line of a lesson');
  return bare;
}
