/** Whole sessions on a recording of a real kernel, as a person has them, at the sizes that the screen is made for. */
import { resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { KEY, ScreenTerminal, SIZES, type TerminalSize } from './terminal.ts';

const RECORDING = resolve(import.meta.dirname, '../../../../recordings/mutex-deadlock.kdbg');

let program: Program;
let terminal: ScreenTerminal | undefined;

beforeAll(() => {
  program = buildProgram();
});
afterAll(() => program.remove());
afterEach(() => terminal?.end());

async function open(size: TerminalSize, env: Readonly<Record<string, string>> = {}): Promise<ScreenTerminal> {
  terminal = new ScreenTerminal({ program, args: ['replay', RECORDING], ...size, env });
  await terminal.shows('kdbg>');
  await terminal.shows('schedule');
  return terminal;
}

/** Whether no row is longer than the screen is wide: one that a resize cut off still is, until it is drawn again. */
function isWithin(rows: readonly string[], { columns }: TerminalSize): boolean {
  return rows.every((row) => row.length <= columns);
}

describe.each(SIZES)('$columns x $rows', (size) => {
  it('opens a recording: status, stack, prompt', async () => {
    const screen = await open(size);
    const rows = await screen.shows('REPLAY');
    expect(rows[0]).toContain('mutex-deadlock');
    await screen.shows('6.1.0-56-cloud-amd64');
    expect(rows.some((row) => row.includes(' 2 stacks '))).toBe(true);
    expect(rows.at(-2)).toMatch(/^kdbg>/);
    expect(rows.every((row) => row.length <= size.columns)).toBe(true);
    expect(screen.cursor.isHidden).toBe(false);
  });

  it('keeps what a program behind a pipe prints, and ends it at Ctrl-C', async () => {
    const screen = await open(size);
    await screen.press('ps | grep lab_ab | wc -l', KEY.enter);
    await screen.shows(/^1( |$)/);
    await screen.press('ps | sh -c "echo begun; sleep 600"', KEY.enter);
    await screen.shows(/^begun( |$)/);
    await screen.press(KEY.ctrl('c'), 'p 6*7', KEY.enter);
    await screen.shows(/= 42\b/);
  });

  it('completes, runs, pages, finds and folds', async () => {
    const screen = await open(size);
    await screen.press('his', KEY.tab);
    await screen.shows('kdbg> history');
    await screen.press(KEY.ctrl('u'), 'struct task_str', KEY.tab, '.com', KEY.tab);
    await screen.shows(/ comm +char \[16\]/);
    await screen.press(KEY.tab);
    await screen.shows(/> comm +char \[16\]/);
    await screen.press(KEY.enter);
    await screen.shows('kdbg> struct task_struct.comm');
    await screen.press(KEY.ctrl('u'), 'log', KEY.enter);
    // What comes at once and is long is shown from its beginning.
    await screen.shows('Linux version 6.1.0-56-cloud-amd64');
    await screen.shows(/\d+ lines below/);
    await screen.press(KEY.pageDown);
    await screen.hides('Linux version 6.1.0-56-cloud-amd64');
    await screen.press(KEY.pageUp);
    await screen.shows('Linux version 6.1.0-56-cloud-amd64');
    await screen.press('/');
    await screen.shows('find above');
    await screen.press('lab_ab_thread', KEY.enter);
    await screen.shows(/\d\]\s+lab_ab_thread\+0x/);
    await screen.press('{');
    await screen.shows('kdbg> log');
    await screen.press('o');
    await screen.shows(/kdbg> log {2}\[\d+ lines folded\]/);
    await screen.press('o', 'G');
    await screen.hides('lines folded');
    await screen.press('y');
    expect((await screen.shows('copied')).join('\n')).toContain('copied');
    expect(screen.clipboard).toMatch(/^\[ +\d+\.\d+\] /);
    await screen.press('q', 'q', 'eval 7', KEY.enter);
    await screen.shows('decimal: 7');
  });

  it('finds symbols by a few letters and runs what it says', async () => {
    const screen = await open(size);
    await screen.press(KEY.ctrl('p'));
    await screen.shows('a command, symbol, task');
    await screen.press('mutlockslow');
    await screen.shows('Enter runs dis __mutex_lock_slowpath');
    await screen.press(KEY.escape);
    await screen.hides('Enter runs');
    await screen.press(KEY.ctrl('p'));
    await screen.shows('a command, symbol, task');
    await screen.press('lab_ab 136');
    await screen.shows('Enter runs bt 136');
    await screen.press(KEY.enter);
    await screen.shows(/#5 \[[0-9a-f]{16}\] lab_ab_thread at/);
    await screen.shows('kdbg> bt 136');
  });

  it('walks frames, follows what is on the screen, goes back, zooms', async () => {
    const screen = await open(size);
    const title = async (): Promise<string> => (await screen.rests()).find((row) => row.includes(' 2 stacks ')) ?? '';
    await screen.press(KEY.alt('2'), 'g');
    const before = await title();
    await screen.press(KEY.enter);
    await screen.shows(/= bt \d+/);
    await screen.shows(/#1 \[[0-9a-f]{16}\] schedule at/);
    expect(await title()).not.toBe(before);
    await screen.press('j', 'j', 'j', 'z');
    await screen.hides('\u2500 shell');
    await screen.press('z');
    await screen.shows('\u2500 shell');
    await screen.press(KEY.backspace);
    await screen.shows(before.slice(0, 30));
    // A pointer in what was printed, followed to what it points to; the command that does the same is shown.
    await screen.press(KEY.alt('0'), 'struct task_struct.parent ffff8a5482218000', KEY.enter);
    await screen.shows(/parent = 0x[0-9a-f]{16}/);
    await screen.rests();
    await screen.press(KEY.alt('s'));
    await screen.rests();
    await screen.press(KEY.enter);
    await screen.shows(/kdbg> struct task_struct [0-9a-f]{16} {3}\(by a key\)/);
    await screen.shows(/struct task_struct \{/);
  });

  it('keeps its state over a resize, and leaves as it came', async () => {
    const screen = await open(size);
    await screen.press('eval 41', KEY.enter);
    await screen.shows('decimal: 41');
    await screen.press('struct task_');
    for (const other of [...SIZES, { columns: 41, rows: 11 }, size]) {
      screen.resize(other);
      await screen.shows((rows) => rows.some((row) => row.startsWith('kdbg> struct task_')) && isWithin(rows, other));
    }
    await screen.shows('decimal: 41');
    await screen.press(KEY.ctrl('u'), 'exit', KEY.enter);
    expect(await screen.left()).toEqual({
      isAlternate: false,
      isCursorHidden: false,
      isPasteBracketed: false,
      mouse: 'none',
      status: 0,
      isCanonical: true,
      isEchoing: true,
    });
  });
});

describe('long work', () => {
  it('stops at Ctrl-C and keeps what came', async () => {
    const screen = await open({ columns: 120, rows: 40 });
    await screen.press('sym -l; '.repeat(40), KEY.enter);
    await screen.shows(/\d+ lines.*Ctrl-C stops/);
    await screen.press(KEY.ctrl('c'));
    await screen.press(KEY.end);
    await screen.shows('interrupted');
    await screen.shows(/[0-9a-f]{16} \(\w\) /);
    await screen.press('eval 44', KEY.enter);
    await screen.shows('decimal: 44');
  });

  it('says how much is done of what is counted', async () => {
    const screen = await open({ columns: 120, rows: 40 });
    await screen.press('foreach task -x; '.repeat(20), KEY.enter);
    await screen.shows(/\d+ lines.* s, \d+ %.*Ctrl-C stops/);
    await screen.press(KEY.ctrl('c'));
    await screen.hides('Ctrl-C stops');
  });
});

describe('the prompt', () => {
  it('takes keys however fast they come, pastes of several lines, history and help', async () => {
    const screen = await open({ columns: 120, rows: 40 });
    await screen.press('eval 51\reval 52\r');
    await screen.shows('decimal: 51');
    await screen.shows('decimal: 52');
    await screen.press(KEY.paste('eval 53\neval 54'));
    await screen.shows('> eval 54');
    await screen.press(KEY.enter);
    await screen.shows('decimal: 54');
    await screen.press(KEY.ctrl('r'), 'l 51');
    await screen.shows('kdbg> eval 51');
    await screen.press(KEY.ctrl('g'), '!!', KEY.enter);
    await screen.shows((rows) => rows.filter((row) => row.includes('decimal: 54')).length > 1);
    await screen.press('struct ?');
    await screen.shows('struct - the definition');
    await screen.press(KEY.escape);
    await screen.hides('SYNOPSIS');
    await screen.press(KEY.ctrl('u'), '?');
    await screen.shows('type to find');
    await screen.press(KEY.escape);
    await screen.hides('type to find');
    await screen.press('eval (1', KEY.enter);
    await screen.shows(/^ +\^$/);
  });
});
