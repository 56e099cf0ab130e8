/** What a person does with panes: search, pin, arrange, mouse, notes, keys of their own; and what is kept for the next time. */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { buildProgram, type Program } from '../../../support/program.ts';
import { KEY, ScreenTerminal } from './terminal.ts';

const RECORDING = resolve(import.meta.dirname, '../../../../recordings/mutex-deadlock.kdbg');

let program: Program;
let terminal: ScreenTerminal | undefined;
let config: string;

beforeAll(() => {
  program = buildProgram();
  config = join(program.folder, 'config/kdbg/screen.json');
});
afterAll(() => program.remove());
afterEach(() => {
  terminal?.end();
  rmSync(config, { force: true });
});

async function open(columns = 120, rows = 40, env: Readonly<Record<string, string>> = {}): Promise<ScreenTerminal> {
  const home = { XDG_CONFIG_HOME: join(program.folder, 'config'), ...env };
  terminal = new ScreenTerminal({ program, args: ['replay', RECORDING], columns, rows, env: home });
  await terminal.shows('kdbg>');
  await terminal.shows('schedule');
  return terminal;
}

function settings(object: object): void {
  mkdirSync(dirname(config), { recursive: true });
  writeFileSync(config, JSON.stringify(object));
}

describe.each([
  [80, 24],
  [200, 60],
])('symbols at %i x %i', (columns, rows) => {
  it('are found as one types, looked at and followed', async () => {
    const screen = await open(columns, rows);
    await screen.press(KEY.alt('2'), 'f');
    await screen.shows('a few letters of its name');
    await screen.press('tcpv4rcv');
    await screen.shows(/^.*[0-9a-f]{16} \(T\) tcp_v4_rcv/);
    await screen.press(KEY.backspace, KEY.backspace, KEY.backspace, 'do_rcv');
    await screen.shows(/[0-9a-f]{16} \(T\) tcp_v4_do_rcv/);
    await screen.hides('tcp_v4_rcv ');
    await screen.press(KEY.ctrl('g'), 'f', 'mutlockslow', KEY.enter);
    await screen.shows('sym -z mutlockslow -c 200');
    await screen.press('l', KEY.enter);
    await screen.shows('= dis __mutex_lock_slowpath');
    await screen.shows(/<__mutex_lock_slowpath>:/);
    await screen.press(KEY.backspace);
    await screen.shows('sym -z mutlockslow -c 200');
  });
});

describe('panes', () => {
  it('stay when pinned, are exchanged, resized and hidden, and stand so the next time', async () => {
    const screen = await open();
    await screen.press(KEY.alt('2'), 'P');
    await screen.shows('pinned');
    await screen.press(KEY.alt('1'));
    await screen.shows('[lab_ab]');
    await screen.press('G');
    await screen.shows((rows) => (rows[0] ?? '').includes('140 lab_wait3'));
    await screen.shows(/2 stacks \S+ stacks -v UN/);
    await screen.press(KEY.alt('2'), 'P', KEY.alt('1'), 'k');
    await screen.shows(/2 stacks \S+ bt 139/);
    await screen.press('w');
    await screen.shows((rows) => /2 stacks.*1 tasks/.test(rows[1] ?? ''));
    await screen.press('>', '>', '+');
    const before = await screen.rests();
    await screen.press(KEY.alt('6'));
    await screen.shows(' 6 log ');
    await screen.press('H');
    await screen.hides(' 6 log ');
    await screen.press(KEY.alt('0'), 'exit', KEY.enter);
    await screen.left();
    screen.end();
    const places = (rows: readonly string[]): readonly (readonly [number, number])[] =>
      ['1 tasks', '2 stacks', '\u2500 shell'].map((title) => {
        const y = rows.findIndex((row) => row.includes(title));
        return [rows[y]?.indexOf(title) ?? -1, y];
      });
    const again = await open();
    expect(places(await again.shows('1 tasks'))).toEqual(places(before));
    await again.press(KEY.alt('1'), KEY.ctrl('r'));
    await again.shows((rows) => /1 tasks.*2 stacks/.test(rows[1] ?? ''));
  });

  it('filter, find, change their command and take notes', async () => {
    const screen = await open();
    await screen.press(KEY.alt('1'), '&', 'wait');
    await screen.hides('[lab_ab]');
    await screen.press(KEY.enter);
    await screen.shows(/only "wait" +3 of 8/);
    await screen.press('&', KEY.backspace, KEY.backspace, KEY.backspace, KEY.backspace, KEY.enter);
    await screen.hides('only "');
    await screen.press('/', 'ab]', KEY.enter);
    await screen.shows((rows) => (rows[0] ?? '').includes('136 lab_ab'));
    await screen.press('a', 'the first suspect', KEY.enter);
    await screen.shows('noted; a recording would keep it');
    await screen.press(KEY.alt('7'));
    await screen.shows(/\d\d:\d\d:\d\d {2}136 lab_ab {2}the first suspect/);
    await screen.press(KEY.alt('1'), 'e', ' -m', KEY.enter);
    await screen.shows(/1 tasks \S+ ps UN -m/);
    await screen.press(KEY.backspace);
    await screen.shows(/1 tasks \S+ ps UN \u2500/);
    await screen.press('x');
    await screen.shows(/no function or address is marked|= rd -s/);
  });

  it('take the mouse: choose, follow, scroll, drag a border and a text', async () => {
    const screen = await open();
    await screen.press('eval 4711', KEY.enter);
    const rows = await screen.shows('decimal: 4711');
    const y = rows.findIndex((row) => row.includes('[lab_ba]'));
    await screen.press(KEY.click(3, y));
    await screen.shows((shown) => (shown[0] ?? '').includes('137 lab_ba'));
    const x = (rows[y] ?? '').indexOf('ffff8a54');
    await screen.press(KEY.click(x, y) + KEY.click(x, y));
    await screen.shows('= bt 137');
    const border = (rows[1] ?? '').indexOf('\u2502');
    await screen.press(`\x1b[<0;${border + 1};4M\x1b[<32;${border + 11};4M\x1b[<0;${border + 11};4m`);
    await screen.shows((shown) => (shown[1] ?? '').indexOf('\u2502') === border + 10);
    const line = (await screen.rests()).findIndex((row) => row.includes('decimal: 4711'));
    const from = (screen.rows()[line] ?? '').indexOf('4711');
    await screen.press(`\x1b[<0;${from + 1};${line + 1}M\x1b[<32;${from + 4};${line + 1}M`);
    await screen.press(`\x1b[<0;${from + 4};${line + 1}m`);
    await screen.shows('copied 4 characters');
    expect(screen.clipboard).toBe('4711');
  });

  it('obey keys and a theme of the config file, and say what is wrong in it', async () => {
    settings({ theme: 'light', keys: { zoom: 'f5', nonsense: 'x' }, layouts: { '110x34': 'nothing' } });
    const screen = await open();
    await screen.shows('there is no action "nonsense"');
    await screen.shows('the layout "110x34" is no layout');
    await screen.press(KEY.alt('2'), '\x1b[15~');
    await screen.shows('ZOOM');
    await screen.press('z');
    await screen.shows('z means nothing in a pane');
    await screen.press('?');
    await screen.press('zoom');
    await screen.shows(/F5 +zoom: over the whole screen/);
    await screen.press(KEY.escape, KEY.alt('0'), 'exit', KEY.enter);
    await screen.left();
    // What a person wrote stays in the file.
    expect(JSON.parse(readFileSync(config, 'utf8'))).toMatchObject({ theme: 'light', keys: { zoom: 'f5' } });
  });
});

describe('output', () => {
  it('goes to a file, and a part of it to the clipboard', async () => {
    const screen = await open();
    const path = join(program.folder, 'out.txt');
    await screen.press(`ps UN > ${path}`, KEY.enter, 'eval 4712', KEY.enter);
    await screen.shows('decimal: 4712');
    expect(readFileSync(path, 'utf8')).toContain('[lab_wait3]');
    await screen.press(KEY.alt('s'));
    await screen.press('/', 'decimal', KEY.enter, 's', 'w', 'w', '$', 'y');
    await screen.shows('copied');
    expect(screen.clipboard).toMatch(/decimal: 4712/);
  });
});
