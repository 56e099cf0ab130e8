/** Following what waits on the screen: the walk along locks with its keys, the locks, and the lesson that teaches it. */
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { KEY, ScreenTerminal } from './terminal.ts';

const RECORDING = resolve(import.meta.dirname, '../../../../recordings/mutex-deadlock.kdbg');

let program: Program;
let terminal: ScreenTerminal | undefined;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program.remove());
afterEach(() => terminal?.end());

async function open(columns: number, rows: number): Promise<ScreenTerminal> {
  terminal = new ScreenTerminal({ program, args: ['replay', RECORDING], columns, rows });
  await terminal.shows('kdbg>');
  await terminal.shows('schedule');
  return terminal;
}

/** Waits until the walk stands on a task. */
function stands(screen: ScreenTerminal, task: string): Promise<readonly string[]> {
  return screen.shows((rows) => rows.some((row) => row.includes(task) && row.includes('<- here')));
}

describe('the pane of a walk', () => {
  it('shows deadlocks first; arrows go from waiter to owner, round the circle, along the queue and back', async () => {
    const screen = await open(80, 24);
    await screen.press(KEY.alt('8'));
    await screen.shows(/8 walk \S+ deadlock -c/);
    await screen.shows('Behind them: 138 (lab_wait1)');
    await screen.press(KEY.alt('1'));
    await screen.shows('[lab_wait3]');
    await screen.press('G', 'k', 'k', 'o');
    const rows = await stands(screen, '138 (lab_wait1)');
    expect(rows.some((row) => row.startsWith('DEADLOCK of 2 tasks: the way up leads back to 136 (lab_ab)'))).toBe(true);
    expect(rows.some((row) => row.startsWith('+-- '))).toBe(true);
    await screen.shows('= walk -c 138');
    await screen.press(KEY.up);
    await stands(screen, '136 (lab_ab)');
    await screen.press(KEY.up);
    await stands(screen, '137 (lab_ba)');
    // The status bar shows the task that the walk stands on: it is everybody's selection.
    await screen.shows((shown) => (shown[0] ?? '').includes('137 lab_ba'));
    await screen.press(KEY.up, KEY.right);
    await stands(screen, '140 (lab_wait3)');
    await screen.press(KEY.right);
    await screen.shows('140 (lab_wait3) is the last of 2 waiters');
    await screen.press(KEY.backspace, KEY.backspace);
    await stands(screen, '137 (lab_ba)');
    await screen.press(KEY.down);
    await stands(screen, '136 (lab_ab)');
    await screen.press('?');
    await screen.shows('walk up: to the owner of the lock');
    await screen.press(KEY.escape);
    // The steps are lines of the session: the prompt has them, and what is typed there moves the pane.
    await screen.press(KEY.alt('0'), 'history 3', KEY.enter);
    await screen.shows('walk -c down');
    await screen.press('walk lab_wait2', KEY.enter);
    await stands(screen, '139 (lab_wait2)');
  });

  it('moves the other panes along', async () => {
    const screen = await open(160, 50);
    await screen.press(KEY.alt('5'));
    await screen.shows('2 waiters, the longest');
    await screen.press('o');
    await screen.shows(/mutex ffffffffc06582a0 .*, 2 waiters/);
    // The way up is seen from its top.
    await screen.shows('DEADLOCK of 2 tasks: the way up leads back to');
    await screen.press(KEY.up);
    await stands(screen, '137 (lab_ba)');
    await screen.shows(/2 stacks \S+ bt 137/);
    await screen.press(KEY.up);
    await stands(screen, '136 (lab_ab)');
    await screen.shows(/2 stacks \S+ bt 136/);
  });
});

describe('the pane of locks', () => {
  it('follows a lock to its waiters, an owner to its stack, and goes back', async () => {
    const screen = await open(160, 50);
    await screen.press(KEY.alt('5'));
    await screen.shows('2 waiters, the longest');
    await screen.press(KEY.enter);
    await screen.shows(/5 locks \S+ waiters ffffffffc06582a0/);
    await screen.shows('= waiters ffffffffc06582a0');
    await screen.press(KEY.backspace);
    await screen.shows(/5 locks \S+ locks /);
    await screen.rests();
    await screen.press('j', KEY.enter);
    await screen.shows('= bt 137');
    await screen.shows(/2 stacks \S+ bt 137/);
  });
});

describe('the pane of a lesson', () => {
  it('is read page by page, and goes on with the answers', async () => {
    const screen = await open(80, 24);
    await screen.press(KEY.alt('9'));
    await screen.shows(/\d+ more lines: PgDn/);
    await screen.press(KEY.pageDown, KEY.pageDown, KEY.pageDown);
    await screen.shows('=> How many tasks are in uninterruptible sleep?');
    await screen.hides('more lines');
    await screen.press(KEY.alt('0'), 'answer 7', KEY.enter);
    // The next step, from its beginning.
    await screen.shows((rows) => (rows[2] ?? '').startsWith('Step 2 of '));
    await screen.shows(/\d+ more lines?: Alt-9, PgDn/);
  });
});
