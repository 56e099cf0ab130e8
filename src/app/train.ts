/**
 * `kdbg train`: the lessons of the recordings that come with kdbg, and of those in this folder.
 */
import { readdirSync, statSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { LESSON_ENDING } from '../core/command/lesson-files.ts';
import { describeProgress, parseProgress } from '../core/command/lesson-progress.ts';
import { isUserError } from '../core/command/run.ts';
import type { Lesson } from '../core/formats/lesson.ts';
import { parseLesson } from '../core/formats/lesson-text.ts';
import { escapeControls } from '../core/output/escape.ts';
import { hasLesson, lessonPath, readProgress, recordingOfLesson } from '../engine/lesson-disk.ts';
import { readTextFile } from '../engine/text-file.ts';
import { complain } from './printer.ts';
import { wrapped } from './tui/wrapped.ts';

/** A folder with more is none of lessons. */
const LESSONS_MAX = 1000;
/** On a terminal that is narrower than this beside the names, lines are broken by the terminal. */
const ABOUT_WIDTH_MIN = 20;

interface Found {
  readonly name: string;
  readonly recording: string;
  readonly lesson: Lesson;
  readonly state: string;
}

/** Prints the lessons in the order of the course. Returns the exit status. */
export function listLessons(engineEntry: URL, json: boolean): number {
  const lessons = allLessons(engineEntry);
  if (json) {
    const rows = lessons.map(({ name, recording, lesson, state }) => ({
      lesson: name,
      title: lesson.title,
      about: lesson.about ?? null,
      steps: lesson.steps.length,
      state,
      recording,
    }));
    process.stdout.write(`${JSON.stringify({ command: 'train', status: 0, rows, notices: [] })}\n`);
    return 0;
  }
  if (lessons.length === 0) {
    complain(['there are no lessons here', 'a lesson is a file NAME.lesson.md beside NAME.kdbg']);
    return 1;
  }
  const width = (of: (found: Found) => string): number => Math.max(...lessons.map((each) => of(each).length));
  const [names, states] = [width(({ name }) => name), width(({ state }) => state)];
  for (const { name, lesson, state } of lessons) {
    const first = `${name.padEnd(names)}  ${state.padEnd(states)}  `;
    const room = Math.max(ABOUT_WIDTH_MIN, (process.stdout.columns ?? Number.POSITIVE_INFINITY) - first.length);
    const about = wrapped(escapeControls(lesson.about ?? lesson.title), room).join(`\n${' '.repeat(first.length)}`);
    process.stdout.write(`${escapeControls(first)}${about}\n`);
  }
  process.stdout.write('\n"kdbg train NAME" begins one, or goes on where you were.\n');
  return 0;
}

/** The recording of a lesson by its name, or by a path; undefined where there is none, which is told. */
export function findLesson(name: string, engineEntry: URL): string | undefined {
  if (/[/.]/.test(name)) {
    const recording = name.endsWith(LESSON_ENDING) ? recordingOfLesson(name) : name;
    if (hasLesson(recording)) return recording;
    complain([
      `${name} has no lesson: there is no ${lessonPath(recording)}`,
      '"kdbg train" lists those that there are',
    ]);
    return undefined;
  }
  const lessons = allLessons(engineEntry);
  const found = lessons.find((each) => each.name === name);
  if (found !== undefined) return found.recording;
  const near = lessons.filter((each) => each.name.includes(name) || name.includes(each.name)).map((each) => each.name);
  complain([
    `there is no lesson "${name}"${near.length > 0 ? `; did you mean ${near.join(', ')}?` : ''}`,
    '"kdbg train" lists those that there are',
  ]);
  return undefined;
}

/** One that is malformed is told and left out. */
function allLessons(engineEntry: URL): readonly Found[] {
  // Beside the package's dist/; then where the user is.
  const folders = [
    fileURLToPath(new URL('../recordings', engineEntry)),
    process.cwd(),
    join(process.cwd(), 'recordings'),
  ];
  const found = new Map<string, Found>();
  for (const path of folders.flatMap(lessonFiles)) {
    const name = basename(path, LESSON_ENDING);
    const recording = recordingOfLesson(path);
    if (found.has(name) || !isFile(recording)) continue;
    try {
      const lesson = parseLesson(readTextFile(path), relative(process.cwd(), path) || path);
      const state = describeProgress(lesson, parseProgress(readProgress(name, process.env), lesson));
      found.set(name, { name, recording, lesson, state });
    } catch (error) {
      if (!isUserError(error)) throw error;
      complain([error.message]);
    }
  }
  const order = ({ lesson }: Found): number => lesson.order ?? Number.POSITIVE_INFINITY;
  return [...found.values()].sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1));
}

function lessonFiles(folder: string): readonly string[] {
  try {
    const names = readdirSync(folder).filter((name) => name.endsWith(LESSON_ENDING));
    return names.slice(0, LESSONS_MAX).map((name) => join(folder, name));
  } catch {
    // A folder that is not there, or that may not be read, has no lessons.
    return [];
  }
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}
