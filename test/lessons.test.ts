/**
 * The lessons that the project carries: each can be played to its end with the answers and commands that it names
 * itself, and each of its checks holds on its recording.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { expectedAnswer } from '../src/core/command/lesson-answer.ts';
import { LESSON_ENDING } from '../src/core/command/lesson-files.ts';
import { parseLesson } from '../src/core/formats/lesson-text.ts';
import { openReplay } from './support/replay-session.ts';

const RECORDINGS = resolve(import.meta.dirname, '../recordings');
const lessons = readdirSync(RECORDINGS).filter((name) => name.endsWith(LESSON_ENDING));

test('there is a lesson to begin with', () => {
  expect(lessons).toContain('mutex-deadlock.lesson.md');
});

describe.each(lessons)('%s', (file) => {
  const lesson = parseLesson(readFileSync(join(RECORDINGS, file), 'utf8'), file);
  const open = () => openReplay(join(RECORDINGS, `${file.slice(0, -LESSON_ENDING.length)}.kdbg`));

  test('has its place in the course, and help for each question', () => {
    expect(lesson.order).toBeDefined();
    expect(lesson.about).toBeDefined();
    for (const { title, checks, hints, reason } of lesson.steps) {
      if (checks.length > 0) expect([title, hints.length > 0, reason !== undefined]).toEqual([title, true, true]);
    }
  });

  test('holds on its recording', () => {
    const session = open();
    const { lines, status } = session.run('lesson preview');
    expect(status).toBe(0);
    expect(lines.filter((line) => /^\(step \d+:/.test(line))).toEqual([]);
    session.close();
  });

  test('is finished by its own answers', () => {
    const session = open();
    session.run('lesson');
    for (const step of lesson.steps) {
      for (const { say, checks } of step.wrong) {
        for (const check of checks) {
          const words = say.split(/\s+/)[0] as string;
          if (check.kind !== 'ran') {
            expect(session.run(`answer ${expectedAnswer(check)}`).lines.join(' ')).toContain(`No. ${words}`);
          }
        }
      }
      const [check] = step.checks;
      if (check === undefined) session.run('lesson next');
      else if (check.kind === 'ran') for (const line of step.expert) session.run(line);
      else expect([step.title, ...session.run(`answer ${expectedAnswer(check)}`).lines]).toContain('Right.');
    }
    const { rows } = session.json('lesson list') as { rows: readonly { title: string; passed: boolean }[] };
    expect(rows.filter(({ passed }) => !passed)).toEqual([]);
    session.close();
  });
});
