/** The driver in a pseudo-terminal, seen through a headless terminal. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openScreen, type Screen } from './screen.ts';

const ESC = '\x1b';
const UP = `${ESC}[A`;

let folder = '';
let home = '';
let program = '';
let terminal: Terminal | undefined;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-prompt-'));
  program = join(folder, 'prompt-program.mjs');
  const entry = join(import.meta.dirname, 'prompt-program.ts');
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'esm', outfile: program });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(() => {
  home = mkdtempSync(join(folder, 'home-'));
});
afterEach(() => terminal?.kill());

interface Terminal {
  readonly screen: Screen;
  readonly pty: IPty;
  /** All bytes that came. */
  readonly output: string;
  type(text: string): void;
  /** Waits until the rows satisfy a condition, and gives them. */
  until(condition: (rows: readonly string[]) => boolean): Promise<readonly string[]>;
  /** Waits until the last rows are these. */
  ends(...rows: readonly string[]): Promise<readonly string[]>;
  resize(columns: number, rows: number): void;
  readonly exited: Promise<{ exitCode: number; signal?: number | undefined }>;
  kill(): void;
}

function open(
  file: string,
  args: readonly string[],
  env: Record<string, string> = {},
  columns = 80,
  height = 24,
): Terminal {
  const screen = openScreen(columns, height);
  const { CI: _, NO_COLOR: __, ...inherited } = process.env;
  const pty = spawn(file, [...args], {
    cols: columns,
    rows: height,
    cwd: folder,
    name: env['TERM'] ?? 'xterm-256color',
    env: { ...inherited, HOME: home, XDG_STATE_HOME: '', ...env },
  });
  let output = '';
  let alive = true;
  pty.onData((data) => {
    output += data;
    void screen.write(data);
  });
  screen.onData((answer) => alive && pty.write(answer));
  const exited = new Promise<{ exitCode: number; signal?: number | undefined }>((done) =>
    pty.onExit((status) => {
      alive = false;
      done(status);
    }),
  );
  const until = async (condition: (rows: readonly string[]) => boolean): Promise<readonly string[]> => {
    for (const deadline = Date.now() + 8000; ; ) {
      await screen.write('');
      if (condition(screen.scrollback())) return screen.scrollback();
      if (Date.now() > deadline) throw new Error(`the screen stays at:\n${screen.scrollback().join('\n')}`);
      await new Promise((later) => setTimeout(later, 10));
    }
  };
  return {
    screen,
    pty,
    get output() {
      return output;
    },
    type: (text) => pty.write(text),
    until,
    ends: (...rows) => until((shown) => rows.every((row, i) => shown.at(i - rows.length) === row)),
    resize: (width, rows) => {
      screen.resize(width, rows);
      pty.resize(width, rows);
    },
    exited,
    kill: () => alive && pty.kill('SIGKILL'),
  };
}

async function start(env: Record<string, string> = {}, columns = 80, rows = 24): Promise<Terminal> {
  terminal = open(process.execPath, [program], env, columns, rows);
  await terminal.ends('kdbg>');
  return terminal;
}

/** What the terminal is left as: raw mode cannot be seen from here, the modes that the program set can. */
async function expectRestored(left: Terminal): Promise<void> {
  await left.until(() => !left.screen.isPasteBracketed && !left.screen.isCursorHidden);
  expect(left.output.lastIndexOf(`${ESC}[?2004l`)).toBeGreaterThan(left.output.lastIndexOf(`${ESC}[?2004h`));
}

describe('the prompt on a terminal', () => {
  it('takes keys that arrive in one chunk as keys', async () => {
    const { type, ends, until, screen } = await start();
    type('bt 12\x02\x0b\r');
    await ends('kdbg> bt 1', 'got "bt 1"', 'kdbg>');
    await until(() => screen.cursor.row === 2 && screen.cursor.column === 6);
    type('a\rb\rc');
    await ends('kdbg> a', 'got "a"', 'kdbg> b', 'got "b"', 'kdbg> c');
  });

  it('takes a lone Escape after a moment, and a sequence that comes in pieces as one', async () => {
    const { type, ends } = await start();
    type('first\r');
    await ends('got "first"', 'kdbg>');
    type('\x12fir');
    await ends('kdbg> first', 'older match for: fir');
    type(ESC);
    await ends('kdbg> first');
    type('x\x03');
    await ends('kdbg> xfirst^C', 'kdbg>');
    type(ESC);
    type('[');
    type('A');
    await ends('kdbg> first');
  });

  it('searches the history with Ctrl-R, from an earlier session too', async () => {
    const first = await start();
    first.type('struct task\rbt 1\rexit\r');
    expect((await first.exited).exitCode).toBe(0);
    expect(readFileSync(join(home, '.local/state/kdbg/history'), 'utf8')).toBe('struct task\nbt 1\nexit\n');
    const { type, ends } = await start();
    type('\x12tas');
    await ends('kdbg> struct task', 'older match for: tas');
    type('\r');
    await ends('kdbg> struct task', 'got "struct task"', 'kdbg>');
    type(`${UP}${UP}${UP}`);
    await ends('kdbg> bt 1');
  });

  it('suggests from the history', async () => {
    const { type, ends, until, screen } = await start();
    type('struct task\rst');
    await until((rows) => rows.at(-1) === 'kdbg> struct task' && screen.cursor.column === 8);
    type('\x05\r');
    await ends('got "struct task"', 'kdbg>');
  });

  it('completes with Tab and shows a menu that explains', async () => {
    const { type, ends, until, screen } = await start();
    type('sy\t');
    await ends('kdbg> sym', '  sym      what sym does', '  symbols  what symbols does');
    await until(() => screen.cursor.row === 0 && screen.cursor.column === 9);
    type('\t\t');
    await ends('kdbg> symbols', '  sym      what sym does', '> symbols  what symbols does');
    type('\r');
    await ends('kdbg> symbols');
    type('\r');
    await ends('kdbg> symbols', 'got "symbols "', 'kdbg>');
    type('thr\t\x17e\t\r');
    expect((await terminal?.exited)?.exitCode).toBe(0);
  });

  it('lets keys behind a Tab wait for its answer', async () => {
    const { type, ends } = await start();
    type('sec\tx\r');
    await ends('kdbg> secret x', 'got "secret x"', 'kdbg>');
  });

  it('clears the line on Ctrl-C, keeps it visible and undoable, and goes on', async () => {
    const { type, ends } = await start();
    type('half a line\x03');
    await ends('kdbg> half a line^C', 'kdbg>');
    type('\x03');
    await ends('kdbg> ^C', 'kdbg>', 'to leave: exit, or Ctrl-D');
    type('\x1f\r');
    await ends('kdbg> half a line', 'got "half a line"', 'kdbg>');
  });

  it('keeps what is typed while a command runs', async () => {
    const { type, ends } = await start();
    type('slow\r');
    await ends('got "slow"');
    type('bt 12\x7f\r');
    type('sy');
    await ends('got "slow"', 'slow is over', 'kdbg> bt 1', 'got "bt 1"', 'kdbg> sy');
  });

  it('interrupts a running command with Ctrl-C, and does not run what was typed ahead', async () => {
    const { type, ends } = await start();
    type('slow\r');
    await ends('got "slow"');
    type('rm\rnext');
    type('\x03');
    await ends('slow was interrupted', 'kdbg> rm', '    > next');
    type('\x15\x15\x15bt\r');
    await ends('kdbg> bt', 'got "bt"', 'kdbg>');
  });

  it('keeps a paste of several lines for a look, and runs it as one', async () => {
    const { type, ends, screen } = await start();
    expect(screen.isPasteBracketed).toBe(true);
    type(`${ESC}[200~ps\rbt 1\r${ESC}[201~`);
    await ends('kdbg> ps', '    > bt 1');
    type('\r');
    await ends('kdbg> ps', '    > bt 1', 'got "ps\\nbt 1"', 'kdbg>');
    type(UP);
    await ends('kdbg> ps', '    > bt 1');
  });

  it('takes a paste of 10 kB', async () => {
    const { type, until } = await start();
    type(`${ESC}[200~${'0123456789'.repeat(1000)}${ESC}[201~\x01x\r`);
    const rows = await until((shown) => shown.at(-1) === 'kdbg>' && shown.length > 100);
    expect(rows.slice(-130).join('')).toContain(`got "x${'0123456789'.repeat(1000)}"`);
  });

  it('points at what is wrong with a line', async () => {
    const { type, ends } = await start();
    type('bt wrong\r');
    await ends('kdbg> bt wrong', '         ^ this is wrong');
    type('\x17right\r');
    await ends('kdbg> bt right', 'got "bt right"', 'kdbg>');
    type('wrong\r\r');
    await ends('kdbg> wrong', 'got "wrong"', 'kdbg>');
  });

  it('prints above the line that is being edited', async () => {
    const { type, ends, until, screen } = await start();
    type('later\rtyped\x02');
    await ends('got "later"', 'printed later', 'kdbg> typed');
    await until(() => screen.cursor.column === 10);
    type(`${ESC}OP`);
    await ends('help for "typed"', 'kdbg> typed');
  });

  it('reads a secret without showing or keeping it, and not from what was typed before', async () => {
    const { type, ends } = await start();
    type('secret\rahead\r');
    await ends('got "secret"', 'passphrase:');
    type('hunter22\x7f');
    type(`${ESC}[200~x\r${ESC}[201~`);
    type('\r');
    await ends('passphrase:', 'secret of 8 characters', 'kdbg> ahead', 'got "ahead"', 'kdbg>');
    expect(terminal?.output).not.toMatch(/hunter/);
    type('secret\r');
    await ends('got "secret"', 'passphrase:');
    type('abc\x03');
    await ends('secret of no characters', 'kdbg>');
    type(`${UP}${UP}\x19`);
    await ends('kdbg> ahead');
    expect(readFileSync(join(home, '.local/state/kdbg/history'), 'utf8')).toBe('secret\nahead\nsecret\n');
  });

  it('reads an answer as it is typed, not from what was typed before, and does not keep it', async () => {
    const { type, ends } = await start({}, 24);
    type('answer\rahead');
    await ends('got "answer"', 'trust it?');
    type('nox\x7f');
    await ends('got "answer"', 'trust it? no');
    type('thing at all\r');
    await ends('got "answer"', '..st it? nothing at all', 'answered "nothing at all', '"', 'kdbg> ahead');
    type('\x15answer\r');
    await ends('got "answer"', 'trust it?');
    type('ye\x03');
    await ends('trust it? ye', 'answered undefined', 'kdbg>');
    expect(readFileSync(join(home, '.local/state/kdbg/history'), 'utf8')).toBe('answer\n');
  });

  it('lends the terminal to a command and takes it back', async () => {
    const { type, ends, screen } = await start();
    type('shell stty -a | grep -o "[-]*icanon"; read line; echo "child: $line"\r');
    await ends('icanon');
    expect(screen.isPasteBracketed).toBe(false);
    type('for the child\r');
    await ends('for the child', 'child: for the child', 'kdbg>');
    type('x\x15bt\r');
    await ends('kdbg> bt', 'got "bt"', 'kdbg>');
  });

  it('redraws on resize, narrower and wider, with a menu open', async () => {
    const { type, ends, resize, screen } = await start();
    type('sym 0123456789 0123456789');
    await ends('kdbg> sym 0123456789 0123456789');
    resize(20, 10);
    await ends('kdbg> sym 0123456789', ' 0123456789');
    type('x');
    await ends('kdbg> sym 0123456789', ' 0123456789x');
    resize(60, 24);
    await ends('kdbg> sym 0123456789 0123456789x');
    type('\x15sy\t');
    await ends('kdbg> sym', '  sym      what sym does', '  symbols  what symbols does');
    for (let width = 60; width >= 24; width -= 4) resize(width, 24);
    await ends('kdbg> sym', '  sym      what sym does', '  symbols  what symbol..');
    type(`\x07\x15bt\r`);
    await ends('kdbg> bt', 'got "bt"', 'kdbg>');
    expect(screen.isCursorHidden).toBe(false);
  });

  it('clears the screen with Ctrl-L and keeps the line', async () => {
    const { type, until, screen } = await start();
    type('a\rb\rtyped\x0c');
    await until(() => screen.rows()[0] === 'kdbg> typed' && screen.rows().length === 1);
  });

  it('works at the bottom of a small screen', async () => {
    const { type, ends } = await start({}, 20, 5);
    for (let i = 0; i < 6; i++) type(`line ${i}\r`);
    await ends('got "line 5"', 'kdbg>');
    type('sy\t\t');
    await ends('got "line 5"', 'kdbg> sym', '> sym      what sy..', '  symbols  what sy..');
    type('\x07\x15ok\r');
    await ends('got "line 5"', 'kdbg> ok', 'got "ok"', 'kdbg>');
  });

  it('uses no colour under NO_COLOR', async () => {
    await start({ NO_COLOR: '1' });
    expect(terminal?.output).not.toMatch(/\[[\d;]*3\dm/);
    const coloured = await start();
    expect(coloured.output).toMatch(/\[[\d;]*3\dm/);
  });
});

describe('the terminal is restored', () => {
  it('at the end of input', async () => {
    const { type, exited, ends } = await start();
    type('\x04');
    expect((await exited).exitCode).toBe(0);
    await ends('bye');
    await expectRestored(terminal as Terminal);
  });

  it.each<[string, string, string]>([
    ['an uncaught exception', 'throw\rhalf', 'thrown on purpose'],
    ['SIGTERM', 'die\r', ''],
  ])('after %s, under a shell that then works as before', async (_, keys, said) => {
    terminal = open('bash', ['--norc', '--noediting', '-i'], {
      PS1: '$ ',
      NODE: process.execPath,
      PROGRAM: program,
      PROMPT_COMMAND: '',
    });
    const { type, ends, until } = terminal;
    await ends('$');
    type('stty -g > before; "$NODE" "$PROGRAM"; stty -g > after; cmp before after && echo same\r');
    await ends('kdbg>');
    type(keys);
    const rows = await until((shown) => shown.includes('same') && shown.at(-1) === '$');
    expect(rows.join('\n')).toContain(said);
    await expectRestored(terminal);
  });

  it('while it is suspended by Ctrl-Z, and taken again by fg', async () => {
    terminal = open('bash', ['--norc', '--noediting', '-i'], {
      PS1: '$ ',
      NODE: process.execPath,
      PROGRAM: program,
      PROMPT_COMMAND: '',
    });
    const { type, ends, until, screen } = terminal;
    await ends('$');
    type('stty -g > before; "$NODE" "$PROGRAM"\r');
    await ends('kdbg>');
    type('half\x1a');
    await until((rows) => rows.some((row) => row.includes('Stopped')) && rows.at(-1) === '$');
    expect(screen.isPasteBracketed).toBe(false);
    type('stty -g > after; cmp before after && echo same\r');
    await ends('same', '$');
    type('fg\r');
    await ends('kdbg> half');
    expect(screen.isPasteBracketed).toBe(true);
    type(' back\r');
    await ends('got "half back"', 'kdbg>');
    type('slow\r');
    await until((rows) => rows.at(-1) === 'got "slow"');
    type('\x1a');
    await until((rows) => rows.filter((row) => row.includes('Stopped')).length === 2);
    type('fg\r');
    await ends('slow is over', 'kdbg>');
  });

  it('goes on when nobody could resume it', async () => {
    const { type, ends } = await start();
    type('half\x1a');
    await new Promise((later) => setTimeout(later, 300));
    type(' more\r');
    await ends('got "half more"', 'kdbg>');
  });

  it('ends when the terminal goes away', async () => {
    const { pty, exited } = await start();
    pty.kill('SIGHUP');
    expect((await exited).signal).toBe(1);
  });
});

describe('a dumb terminal', () => {
  it('gets lines without an escape sequence', async () => {
    terminal = open(process.execPath, [program], { TERM: 'dumb' });
    const { type, ends, exited } = terminal;
    await ends('kdbg>');
    type('bt 1\r');
    await ends('kdbg> bt 1', 'got "bt 1"', 'kdbg>');
    type('slow\r');
    await ends('got "slow"');
    type('\x03');
    await ends('slow was interrupted', 'kdbg>');
    type('secret\r');
    await ends('passphrase:');
    type('hunter2\r');
    await ends('secret of 7 characters', 'kdbg>');
    type('\x04');
    expect((await exited).exitCode).toBe(0);
    expect(terminal.output).not.toContain(ESC);
    expect(terminal.output).not.toContain('hunter');
  });
});
