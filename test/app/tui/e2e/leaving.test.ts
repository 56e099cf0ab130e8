/** What is left of the terminal after every way out of the screen that leaves a process the time to do anything. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { withStub } from './engine-stub.ts';
import { KEY, type Leftover, ScreenTerminal } from './terminal.ts';

let program: Program;
let stub: Pick<Program, 'entry' | 'folder' | 'env'>;
let terminal: ScreenTerminal | undefined;

beforeAll(() => {
  program = buildProgram();
  stub = withStub(program);
});
afterAll(() => program.remove());
afterEach(() => terminal?.end());

async function open(which: Pick<Program, 'entry' | 'folder' | 'env'> = program): Promise<ScreenTerminal> {
  terminal = new ScreenTerminal({ program: which, args: ['replay', program.recording], columns: 100, rows: 30 });
  await terminal.shows(/^kdbg>/);
  return terminal;
}

/** A terminal as it was found. */
const CLEAN: Omit<Leftover, 'status'> = {
  isAlternate: false,
  isCursorHidden: false,
  isPasteBracketed: false,
  mouse: 'none',
  isCanonical: true,
  isEchoing: true,
};

describe('the terminal after', () => {
  it.each([
    ['exit', ['exit 3', KEY.enter], 3],
    ['Ctrl-D', [KEY.ctrl('d')], 0],
    ['q', ['q', KEY.enter], 0],
  ] as const)('%s', async (_, keys, status) => {
    const screen = await open();
    await screen.press(...keys);
    expect(await screen.left()).toEqual({ ...CLEAN, status });
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGHUP', 129],
    ['SIGQUIT', 131],
  ] as const)('%s', async (signal, status) => {
    const screen = await open();
    await screen.rests();
    process.kill(screen.pid, signal);
    expect(await screen.left()).toEqual({ ...CLEAN, status });
  });

  it('a signal while an overlay is open and a command runs', async () => {
    const screen = await open();
    await screen.press('sym -l; '.repeat(100), KEY.enter, KEY.ctrl('p'));
    await screen.shows('a command, symbol, task');
    process.kill(screen.pid, 'SIGTERM');
    expect(await screen.left()).toEqual({ ...CLEAN, status: 143 });
  });

  it.each(['crash', 'vanish', 'nonsense'])('an engine that does this: %s', async (how) => {
    const screen = await open(stub);
    await screen.press(how, KEY.enter);
    expect(await screen.left()).toEqual({ ...CLEAN, status: 70 });
    expect(screen.rows().join(' ')).toMatch(/kdbg: internal error: .*this +is a bug of kdbg/);
  });

  it('Ctrl-Z, and the screen comes back with fg', async () => {
    const screen = await open();
    await screen.press('eval 61', KEY.enter);
    await screen.shows('decimal: 61');
    await screen.press('half a li', KEY.ctrl('z'));
    // A program that is stopped has the status of its signal.
    expect(await screen.left()).toEqual({ ...CLEAN, status: 128 + 20 });
    await screen.press(KEY.enter);
    await screen.shows('decimal: 61');
    await screen.press('ne', KEY.ctrl('u'), 'exit 4', KEY.enter);
    await screen.shows('ended with 4');
  });
});
