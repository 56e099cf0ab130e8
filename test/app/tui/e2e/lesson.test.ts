/** A lesson on the screen: its pane beside the shell, which shows the step that one is at. */
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { KEY, ScreenTerminal } from './terminal.ts';

const LESSON = resolve(import.meta.dirname, '../../../../recordings/mutex-deadlock.lesson.md');

let program: Program;
let terminal: ScreenTerminal | undefined;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program.remove());
afterEach(() => terminal?.end());

it('the pane follows the steps; commands in its text can be followed', async () => {
  terminal = new ScreenTerminal({ program, args: ['train', LESSON], columns: 160, rows: 40 });
  await terminal.shows(/9 lesson/);
  await terminal.shows('Step 1 of 11: Who stands still?');
  await terminal.press('lesson goto 5', KEY.enter);
  const inPane = (text: string) => (rows: readonly string[]) => rows.some((row) => row.slice(84).startsWith(text));
  await terminal.shows(inPane('Step 5 of 11: Who has it?'));
  // The shell beside it only names the step.
  await terminal.shows(/^Step 5 of 11: Who has it\? {2}\(in the pane of the lesson\)/);
  // Answers stay out of panes: one that is read again would answer again.
  await terminal.press(KEY.alt('9'), 'e');
  await terminal.press(' answer 136', KEY.enter);
  await terminal.shows('a pane only shows');
  await terminal.press(KEY.escape, 'g', 'j', 'j', 'j', 'j', KEY.enter);
  // A command in the text runs in the shell; the lesson stays where it is.
  await terminal.shows((rows) => rows.some((row) => row.startsWith('  wait_list = {')));
  await terminal.shows(inPane('Step 5 of 11: Who has it?'));
  await terminal.press(':', 'answer lab_ab', KEY.enter);
  await terminal.shows('Right.');
  await terminal.shows(/^Step 6 of 11: .* {2}\(in the pane of the lesson\)/);
  await terminal.press(KEY.alt('9'), 'H', 'lesson goto 5', KEY.enter);
  await terminal.shows(/^=> /);
});
