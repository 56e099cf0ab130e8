/** Text that a kernel or a process on it may have chosen, on the screen: it is shown, and does nothing else. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { withStub } from './engine-stub.ts';
import { KEY, ScreenTerminal } from './terminal.ts';

const LINES: Readonly<Record<string, readonly string[]>> = {
  escapes: [
    'clear \x1b[2J\x1b[H and \x1bc reset',
    'title \x1b]0;owned\x07 and clipboard \x1b]52;c;b3duZWQ=\x07',
    'leave \x1b[?1049l\x1b[?25l\x1b[?2004l\x1b[?1002l',
    'ask \x1b[6n \x1b[c \x1bP$qm\x1b\\ back \b\b\b\r over \u009b31m c1',
    'right \u202eot left\u202c done',
    'the end of it',
  ],
  wide: [
    `${'\u6f22'.repeat(150)}|`,
    `combining e\u0301${'\u0301'.repeat(200)}|`,
    `emoji \u{1f469}\u200d\u{1f469}\u200d\u{1f467} flag \u{1f1e9}\u{1f1ea} \u{1f600}|`,
    'tab\tstop\tstop',
    'the end of wide',
  ],
  long: ['start', 'x'.repeat(10_000), '\u6f22'.repeat(5_000), 'the end of long'],
};

let program: Program;
let stub: ReturnType<typeof withStub>;
let terminal: ScreenTerminal | undefined;

beforeAll(() => {
  program = buildProgram();
  stub = withStub(program, LINES);
});
afterAll(() => program.remove());
afterEach(() => terminal?.end());

async function open(columns = 80, rows = 24): Promise<ScreenTerminal> {
  terminal = new ScreenTerminal({ program: stub, args: ['replay', program.recording], columns, rows });
  await terminal.shows(/^kdbg>/);
  return terminal;
}

/** What stands around the panes is where it was, and the prompt takes keys. */
async function isWhole(screen: ScreenTerminal, frame: readonly string[]): Promise<void> {
  const rows = await screen.rests();
  expect(rows[0]).toBe(frame[0]);
  expect(rows.findIndex((row) => row.includes('\u2500 shell'))).toBe(
    frame.findIndex((row) => row.includes('\u2500 shell')),
  );
  expect(screen.cursor.isHidden).toBe(false);
  await screen.press('still here');
  await screen.shows('kdbg> still here');
  await screen.press(KEY.ctrl('u'));
}

describe('text of the target', () => {
  it('does not drive the terminal', async () => {
    const screen = await open();
    const frame = await screen.rests();
    await screen.press('escapes', KEY.enter);
    const text = (await screen.shows('the end of it')).join('\n');
    expect(text).toContain('clear \\x1b[2J\\x1b[H and \\x1bc reset');
    expect(text).toContain('\\x9b31m');
    expect(text).toContain('\\u202e');
    await isWhole(screen, frame);
    expect(screen.clipboard).toBe('');
  });

  it('does not move its neighbours, however wide it is', async () => {
    const screen = await open();
    const frame = await screen.rests();
    await screen.press('wide', KEY.enter);
    const rows = await screen.shows('the end of wide');
    // 80 columns are 40 of these characters, without half of one.
    expect(rows.filter((row) => row === '\u6f22'.repeat(40))).toHaveLength(3);
    expect(rows).toContain('tab     stop    stop');
    await isWhole(screen, frame);
  });

  it('is wrapped, or cut and scrolled to the side, whatever its length', async () => {
    const screen = await open();
    const frame = await screen.rests();
    await screen.press('long', KEY.enter);
    await screen.shows('lines below');
    await screen.press(KEY.end);
    await screen.shows('the end of long');
    await screen.press(KEY.pageUp, KEY.pageUp, KEY.end);
    await screen.press(KEY.alt('s'), 'w');
    const rows = await screen.shows((shown) => shown.some((row) => /^x{79}>$/.test(row)));
    expect(rows.some((row) => row.startsWith('the end of long'))).toBe(true);
    await screen.press('w', 'q');
    await isWhole(screen, frame);
  });

  it('is drawn in plain text under NO_COLOR, in 16 colours, on the console', async () => {
    for (const [env, term] of [
      [{ NO_COLOR: '1' }, 'xterm-256color'],
      [{}, 'linux'],
      [{}, 'screen'],
    ] as const) {
      const args = ['replay', program.recording];
      terminal = new ScreenTerminal({ program, args, columns: 80, rows: 24, env, term });
      await terminal.shows(/^kdbg>/);
      await terminal.press('eval 71', KEY.enter);
      await terminal.shows('decimal: 71');
      const colours = terminal
        .cells()
        .flat()
        .filter((cell) => !cell.isFgDefault() || !cell.isBgDefault());
      if ('NO_COLOR' in env) expect(colours).toEqual([]);
      else expect(colours.length).toBeGreaterThan(0);
      terminal.end();
    }
  });
});
