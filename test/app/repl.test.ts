/** The prompt of the built program on a terminal, as a person uses it. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../support/program.ts';
import { openPseudoTerminal, type PseudoTerminal } from '../support/pseudo-terminal.ts';

const PROMPT = 'kdbg>';
const CTRL_C = '\x03';
const CTRL_D = '\x04';
const CTRL_R = '\x12';
const UP = '\x1b[A';

let program: Program;
let terminal: PseudoTerminal | undefined;

beforeAll(() => {
  program = buildProgram({ symbols: 5_000 });
});
afterAll(() => program.remove());
afterEach(() => terminal?.kill());

async function start(env: Record<string, string> = {}): Promise<PseudoTerminal> {
  const args = [program.entry, '--no-tui', 'replay', program.recording];
  terminal = openPseudoTerminal(process.execPath, args, { cwd: program.folder, env: { ...program.env, ...env } });
  await terminal.endsWith(PROMPT);
  return terminal;
}

/** Types a line and waits for the prompt after it; the rows that it brought. */
async function run(line: string, { type, until }: PseudoTerminal): Promise<readonly string[]> {
  const before = (await until(() => true)).length;
  type(`${line}\r`);
  const rows = await until((shown) => shown.length > before && shown.at(-1) === PROMPT);
  return rows.slice(before, -1);
}

describe('the prompt', () => {
  it('greets, runs lines and leaves at Ctrl-D', async () => {
    const session = await start();
    // The recording's path may be longer than a row.
    const greeting = (await session.until(() => true)).join('').replaceAll(' ', '');
    expect(greeting).toMatch(/^kdbg\S+onreplay:\S*small\.kdbg;"help"liststhecommands/);
    expect(await run('eval 0x41', session)).toContain('    decimal: 65');
    session.type(CTRL_D);
    expect((await session.exited).exitCode).toBe(0);
    expect(session.screen.isPasteBracketed).toBe(false);
  });

  it('leaves with the status of exit', async () => {
    const session = await start();
    session.type('exit 3\r');
    expect((await session.exited).exitCode).toBe(3);
  });

  it('points at a mistake', async () => {
    const session = await start();
    const rows = await run('eval 7 + )', session);
    expect(rows.slice(0, 2)).toEqual(['  eval 7 + )', '           ^']);
    expect(rows[2]).toMatch(/^kdbg: /);
    expect(await run('nosuch', session)).toEqual(['kdbg: no command "nosuch"']);
  });

  it('completes commands, options, symbols, types and members', async () => {
    const session = await start();
    session.type('his\t');
    await session.endsWith('kdbg> history');
    session.type('\x15sym jif\t');
    await session.endsWith('kdbg> sym jiffies_test');
    session.type('\x15struct task_st\t');
    await session.endsWith('kdbg> struct task_struct');
    session.type('.com\t');
    await session.endsWith('kdbg> struct task_struct.comm');
    session.type('\x15eval -b 1; ascii 41; help alia\t');
    await session.endsWith('kdbg> eval -b 1; ascii 41; help alias');
    session.type('\x15repeat -\t');
    await session.until((rows) => rows.some((row) => row.includes('-n') && row.includes('stop after')));
  });

  it('does not take a part of many candidates for all of them', async () => {
    const session = await start();
    // fn_1, fn_10, fn_11, ...: more than a menu holds, all of the first ones with a common beginning.
    session.type('sym fn\t');
    await session.until((rows) => rows.some((row) => /fn_\d/.test(row) && !row.includes(PROMPT)));
    expect((await session.until(() => true)).find((row) => row.startsWith(PROMPT))).toBe('kdbg> sym fn');
  });

  it('recalls lines: !!, !N, Up, Ctrl-R, and after a restart', async () => {
    const first = await start();
    await run('eval 101', first);
    await run('eval 102', first);
    expect((await run('!!', first)).join()).toContain('decimal: 102');
    expect((await run('!1', first)).join()).toContain('decimal: 101');
    expect(await run('!77', first)).toEqual(['kdbg: there is no line 77; "history" lists them']);
    expect((await run('history 3', first)).join('\n')).toMatch(/eval 101[\s\S]*history 3/);
    first.type(CTRL_D);
    await first.exited;
    const second = await start();
    second.type(UP);
    await second.endsWith('kdbg> history 3');
    second.type(`${CTRL_C}${CTRL_R}l 102`);
    await second.until((rows) => rows.some((row) => row === 'kdbg> eval 102'));
    second.type('\r');
    await second.until((rows) => rows.some((row) => row.includes('decimal: 102')) && rows.at(-1) === PROMPT);
  });

  it('explains with F1: the command, and the keys on an empty line', async () => {
    const session = await start();
    session.type('\x1bOP');
    await session.until((rows) => rows.some((row) => row.includes('search the history')));
    session.type('eval 1; ascii 4\x1bOP');
    await session.until((rows) => rows.some((row) => row.includes('ascii - hex words as characters')));
  });

  it('shows a mistake in the form of a line before it runs', async () => {
    const session = await start();
    session.type('eval 1; ascii "4\r');
    await session.until((rows) => rows.some((row) => row.includes('not closed')));
  });
});

describe('Ctrl-C', () => {
  it('stops the command only, and keeps its rows', async () => {
    const session = await start();
    session.type('repeat -n 100 -s 1 eval 1; eval 2\r');
    await session.until((rows) => rows.some((row) => row.includes('hexadecimal: 1')));
    session.type(CTRL_C);
    const rows = await session.until((shown) => shown.includes('kdbg: interrupted') && shown.at(-1) === PROMPT);
    expect(rows.join()).not.toContain('hexadecimal: 2');
    expect((await run('eval 3', session)).join()).toContain('hexadecimal: 3');
    session.type('asc\t');
    await session.until((shown) => shown.at(-1)?.startsWith('kdbg> ascii') === true);
  });
});

describe('output', () => {
  it('goes through a pager when it is long, and not when it is short', async () => {
    const pager = join(program.folder, 'pager.sh');
    const seen = join(program.folder, 'paged');
    writeFileSync(pager, `echo PAGER; cat > ${seen}; echo "press a key"; read x < /dev/tty\n`);
    const session = await start({ KDBG_PAGER: `sh ${pager}` });
    expect((await run('eval 1', session)).join()).not.toContain('PAGER');
    expect(existsSync(seen)).toBe(false);
    session.type('sym -l; eval 2\r');
    await session.until((rows) => rows.includes('press a key'));
    session.type('\r');
    await session.until((rows) => rows.some((row) => row.includes('hexadecimal: 2')) && rows.at(-1) === PROMPT);
    expect(readFileSync(seen, 'utf8').split('\n').length).toBeGreaterThan(5_000);
  });

  it('of a pager that was left early is not waited for', async () => {
    const session = await start({ KDBG_PAGER: 'head -3' });
    session.type('sym -l; eval 2\r');
    await session.until((rows) => rows.some((row) => row.includes('hexadecimal: 2')) && rows.at(-1) === PROMPT);
  });

  it('goes to the shell, which has the terminal meanwhile', async () => {
    const session = await start();
    expect(await run('sym -l | grep fn_77$', session)).toEqual(['ffffffff81001380 (T) fn_77']);
    session.type('sym -l | (read x; stty -a < /dev/tty; read y < /dev/tty; echo got $y)\r');
    await session.until((rows) => rows.some((row) => /(^| )icanon/.test(row)));
    session.type('an answer\r');
    await session.until((rows) => rows.includes('got an answer') && rows.at(-1) === PROMPT);
    expect(await run('!echo hello', session)).toEqual(['hello']);
    const file = join(program.folder, 'redirected');
    await run(`eval 6 > ${file}`, session);
    expect(readFileSync(file, 'utf8')).toContain('hexadecimal: 6');
  });
});
