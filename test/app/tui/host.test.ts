/** The screen on an engine that answers a few lines: what is seen after keys and clicks. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { memoryHistory } from '../../../src/app/prompt/history.ts';
import { readConfig } from '../../../src/app/tui/config.ts';
import { Host } from '../../../src/app/tui/host.ts';
import { openPalette } from '../../../src/app/tui/palette/palette-part.tsx';
import { openLinePart } from '../../../src/app/tui/prompt/line-part.tsx';
import { askOnScreen } from '../../../src/app/tui/question-overlay.tsx';
import { openScrollback } from '../../../src/app/tui/scrollback/scrollback-part.ts';
import type { Fold, Line } from '../../../src/core/output/line.ts';
import type { EngineClient } from '../../../src/engine/client.ts';
import type { Output, RunMode } from '../../../src/engine/protocol.ts';

const TASK = { 7: 0xffff888000000700n, 9: 0xffff888000000900n } as const;

function taskLine(pid: 7 | 9, comm: string): Line {
  const ref = { kind: 'task', task: TASK[pid], pid } as const;
  return [`${pid}  `, { text: TASK[pid].toString(16), ref }, `  UN  ${comm}`];
}

function stack(pid: 7 | 9): readonly Line[] {
  const symbol = (name: string, address: bigint) => ({ text: name, ref: { kind: 'symbol', name, address } as const });
  return [
    `PID: ${pid}`,
    [
      { text: '#0', ref: { kind: 'frame', task: TASK[pid], index: 0 } },
      ' ',
      symbol('schedule', 0x1000n),
      ' at ffffffff81001000',
    ],
    [
      { text: '#1', ref: { kind: 'frame', task: TASK[pid], index: 1 } },
      ' ',
      symbol(`wait_${pid}`, 0x2000n),
      ' at ffffffff81002000',
    ],
  ];
}

/** A call of a trace, with what it folds away. */
function call(time: number, name: string, ...lines: readonly Line[]): Line {
  const fold: Fold = { kind: 'fold', key: name, lines, count: lines.length, isOpen: false };
  return [`      ${time}.000000 [000] ${name}`, { text: `  + ${lines.length} within`, ref: fold }];
}

const ANSWERS: Readonly<Record<string, readonly Line[]>> = {
  'ps UN': ['PID TASK ST COMM', taskLine(7, 'seven'), taskLine(9, 'nine')],
  'stacks -v UN': ['two are blocked'],
  'bt 7': stack(7),
  'bt 9': stack(9),
  'bt -kF ffff888000000700': [
    ...stack(7).slice(0, 2),
    '    word of frame 0',
    ...stack(7).slice(2),
    '    word of frame 1',
  ],
  'dis -r ffffffff81002000': ['0xffffffff81002000 <wait_7>:\tret'],
  'dis wait_7': ['code of wait_7'],
  log: Array.from({ length: 100 }, (_, i) => `[    ${i}.000000] record ${i}`),
  'trace show': Array.from({ length: 100 }, (_, i) => [
    '   ',
    { text: 'nine-9', ref: { kind: 'task', pid: 9 } as const },
    `  [000] d..2.   ${i}.500000: event_${i}: x`,
  ]),
  'trace show --unfold': [
    call(100, 'outer', call(101, 'middle', '      102.000000        inner'), '      103.000000        last'),
    call(104, 'other', '      105.000000        within_other'),
  ],
  hostile: ['\x1b[2J\x1b]0;title\x07\u202eevil', '\u6f22'.repeat(300), 'x'.repeat(10_000)],
};

class Engine {
  readonly opened = { name: 'replay:/tmp/fake.kdbg', liveness: 'frozen', notices: [], commands: ['ps', 'bt', 'trace'] };
  readonly ran: string[] = [];
  async *run(line: string, mode: RunMode): AsyncGenerator<Output> {
    if (mode.pane !== true) this.ran.push(line);
    yield { kind: 'begin', source: line, sink: undefined, page: false, statement: 1 };
    if (mode.json) {
      const row = line === 'set' ? { pid: 1, comm: 'init', task: '0x1' } : { key: 'RELEASE', value: '6.1.0-test' };
      yield { kind: 'json', line: JSON.stringify({ rows: [row] }) };
    } else if (ANSWERS[line] === undefined) yield { kind: 'error', lines: [`no answer to ${line}`], status: 1 };
    else yield { kind: 'lines', lines: ANSWERS[line] };
    yield { kind: 'end', status: 0 };
  }
  complete = async () => ({ start: 0, end: 0, candidates: [], partial: false });
  cancel = (): void => undefined;
}

let folder: string;
let engine: Engine;
let host: Host;
let written: string;
const input = Object.assign(new EventEmitter(), {
  isTTY: true,
  setRawMode: () => input,
  resume: () => input,
  pause: () => input,
});

function open(width: number, height: number, env: Record<string, string> = {}): void {
  engine = new Engine();
  written = '';
  const write = (bytes: string): boolean => {
    written += bytes;
    return true;
  };
  const all = { LANG: 'C.UTF-8', XDG_CONFIG_HOME: folder, ...env };
  host = new Host({
    engine: engine as unknown as EngineClient,
    history: memoryHistory(),
    config: readConfig(join(folder, 'kdbg/screen.json'), () => undefined),
    env: all,
    input: input as never,
    output: Object.assign(new EventEmitter(), { isTTY: true, columns: width, rows: height, write }) as never,
    process: Object.assign(new EventEmitter(), { pid: 0, kill: () => undefined }),
    parts: { prompt: openLinePart, scrollback: openScrollback, palette: openPalette },
    recording: undefined,
  });
  host.start();
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-host-'));
});
afterEach(() => {
  host.dispose();
  input.removeAllListeners();
  rmSync(folder, { recursive: true });
});

function rows(): readonly string[] {
  return host.screen.compositor.shown?.rows() ?? [];
}

async function shows(text: string | RegExp): Promise<void> {
  const isThere = () => rows().some((row) => (typeof text === 'string' ? row.includes(text) : text.test(row)));
  for (let i = 0; i < 100 && !isThere(); i++) await new Promise((later) => setTimeout(later, 10));
  if (!isThere()) throw new Error(`${text} is not on the screen:\n${rows().join('\n')}`);
}

async function press(...keys: string[]): Promise<void> {
  for (const key of keys) {
    input.emit('data', Buffer.from(key));
    await new Promise((later) => setTimeout(later, key === '\x1b' ? 80 : 10));
  }
}

describe('panes', () => {
  beforeEach(async () => {
    open(120, 40);
    await shows('seven');
    await shows('two are blocked');
  });

  test('a task that is chosen shows its stack in the other pane; Enter goes there; the command is taught', async () => {
    await press('\x1b1', 'j');
    await shows('#1 wait_7');
    await shows('\u203a 7 seven');
    await press('\r');
    await shows('= bt 7');
    expect(host.state.focus).toBe('stacks');
    expect(host.history.entries).toContain('bt 7');
    expect(engine.ran).toEqual([]);
  });

  test('a pane that is pinned stays', async () => {
    await press('\x1b1', 'j');
    await shows('#1 wait_7');
    await press('2', 'P');
    await shows('pinned');
    await press('1', 'j');
    await shows('\u203a 9 nine');
    expect(rows().join('\n')).toContain('wait_7');
  });

  test('what is followed can be gone back from', async () => {
    await press('\x1b1', 'j', '\r');
    await shows('= bt 7');
    await press('j', 'j', 'l', '\r');
    await shows('code of wait_7');
    await press('\x7f');
    await shows('#1 wait_7');
    expect(host.desk.pane('stacks').viewport.chosen).toBe(2);
  });

  test('a line of the log shows what was traced then, and the other way round; a pinned pane stays', async () => {
    await press('\x1b3');
    await shows('event_99');
    await press('\x1b0', '\x1b6');
    await shows('record 99');
    await press('/', 'record 40', '\r');
    await shows('event_39');
    await shows('40.000 s');
    await press('\x1b3', '/', 'event_70', '\r');
    await shows('record 70');
    // The task of the line is chosen as well, known by its PID alone.
    await shows('\u203a 9 nine');
    await shows('#1 wait_9');
    await press('\x1b6', 'P', '\x1b3', 'g');
    await shows('0.500 s');
    await shows('record 70');
  });

  test('a call of a trace unfolds by a level or as a whole, and folds again, also while the pane is paused', async () => {
    await press('\x1b3', 'v');
    await shows('other  + 1 within');
    const seen = () =>
      rows()
        .filter((row) => /10\d\.000000/.test(row))
        .map((row) => row.trim().split(/ {2,}/).slice(1).join(' '));
    await press('g', ' ');
    await shows('outer  - 2 within');
    expect(host.desk.pane('trace').viewport.chosen).toBe(0);
    expect(seen()).toEqual(['- 2 within', '+ 1 within', 'last', '+ 1 within']);
    await press('p', 'j', ' ');
    await shows('middle  - 1 within');
    await press(' ', 'k', ' ');
    await shows('outer  + 2 within');
    await press('*');
    await shows('inner');
    expect(rows().join('\n')).toContain('middle  - 1 within');
    expect(rows().join('\n')).not.toContain('within_other');
    await press('*');
    await shows('outer  + 2 within');
    // Enter on what is folded, as a double click does; the time of a call within another is the time of all.
    await press('\r');
    await shows('outer  - 2 within');
    await press('j', 'j', 'j');
    await shows('103.000 s');
    await press(' ');
    await shows('only frames unfold, and calls');
  });

  test('a frame unfolds to its words and its code, and folds again', async () => {
    await press('\x1b1', 'j', '\r');
    await shows('= bt 7');
    await press('j', 'j', ' ');
    await shows('word of frame 1');
    await shows('<wait_7>:');
    expect(rows().join('\n')).not.toContain('word of frame 0');
    await press(' ');
    await shows('#1 wait_7');
    expect(rows().join('\n')).not.toContain('word of frame');
  });

  test('a filter shows as one types; Esc takes it back', async () => {
    await press('\x1b6');
    await shows('record 99');
    await press('&', ...'rd 4');
    await shows(/ record 42/);
    expect(rows().join('\n')).not.toContain('record 99');
    await press('\x1b');
    await shows('record 99');
  });

  test('a key that means nothing says so, and one that cannot says why', async () => {
    await press('\x1b1', 'u');
    await shows('u means nothing in a pane');
    await press(' ');
    await shows('only frames unfold');
    await press('?');
    await shows('not now: only frames');
  });

  test('the mouse chooses, follows and drags borders', async () => {
    const seven = rows().findIndex((row) => row.includes('seven'));
    const press1 = `\x1b[<0;6;${seven + 1}M\x1b[<0;6;${seven + 1}m`;
    await press(press1);
    expect(host.state.focus).toBe('tasks');
    // Two at once are a double click, however slow the machine is.
    await press(press1 + press1);
    await shows('= bt 7');
    const divider = (rows()[3] ?? '').indexOf('\u2502');
    await press(`\x1b[<0;${divider + 1};4M`, `\x1b[<32;${divider - 9};4M`, `\x1b[<0;${divider - 9};4m`);
    expect((rows()[3] ?? '').indexOf('\u2502')).toBe(divider - 10);
  });
});

describe('the screen', () => {
  test('shows what the target says without being moved by it', async () => {
    open(100, 30);
    await shows('kdbg> ');
    await press(...'hostile', '\r');
    await shows('\\x1b[2J\\x1b]0;title\\x07\\u202eevil');
    expect(engine.ran).toEqual(['hostile']);
    expect(written).not.toContain('\x1b]0;');
    for (const row of rows()) expect(row.length).toBeLessThanOrEqual(100);
  });

  test('keeps an arrangement for terminals of that size', async () => {
    open(120, 40);
    await shows('seven');
    await press('\x1b1', 'w', '+');
    const title = rows()[1];
    host.dispose();
    expect(JSON.parse(readFileSync(join(folder, 'kdbg/screen.json'), 'utf8'))).toMatchObject({
      layouts: { '110x34': expect.any(String) },
    });
    open(125, 42);
    await shows('seven');
    expect(rows()[1]?.indexOf('tasks')).toBe(title?.indexOf('tasks') === undefined ? -1 : rows()[1]?.indexOf('tasks'));
    expect(rows()[1]?.indexOf('stacks')).toBeLessThan(rows()[1]?.indexOf('tasks') ?? 0);
  });

  test('takes the terminal and gives it back', async () => {
    open(80, 24, { NO_COLOR: '1' });
    await shows('kdbg> ');
    expect(written).toContain('\x1b[?1049h');
    host.dispose();
    for (const sequence of ['\x1b[?1006l', '\x1b[?1002l', '\x1b[?2004l', '\x1b[?1049l', '\x1b[?25h']) {
      expect(written.lastIndexOf(sequence)).toBeGreaterThan(written.lastIndexOf('\x1b[?1049h'));
    }
    expect(written).not.toMatch(/\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7]|10[0-7]|38|48)[;m]/);
  });

  test('asks for a passphrase over what is there, shows stars, and keeps it nowhere', async () => {
    open(80, 24);
    await shows('kdbg> ');
    const ask = askOnScreen(host);
    const secret = { kind: 'secret', lines: ['The key is locked.'], prompt: 'Passphrase for id: ' } as const;
    const answers = [ask(secret), ask({ kind: 'confirm', lines: ['Unknown host.'], prompt: 'Trust it (yes/no)? ' })];
    await shows('Passphrase for id:');
    await shows('The key is locked.');
    // However fast it comes, and from a clipboard.
    await press('hun', '\x7f', '\x1b[200~nter2\x1b[201~');
    await shows('Passphrase for id: *******');
    await press('\r');
    expect(await answers[0]).toBe('hunter2');
    // One question after the other; what is left is no answer.
    await shows('Trust it (yes/no)?');
    await press('y');
    await shows('Trust it (yes/no)? y');
    await press('\x03');
    expect(await answers[1]).toBeUndefined();
    // A path may be wider than the box: it is shown whole, and the answer below it.
    const path = `/home/${'deep/'.repeat(30)}id`;
    const third = ask({ ...secret, prompt: `Passphrase for ${path}: ` });
    await shows('Passphrase for');
    await press('abc');
    await shows('***');
    const box = rows().flatMap((row) => /\u2502 (.*?) *\u2502/.exec(row)?.[1] ?? []);
    expect(box.join('')).toContain(`${path}:`);
    await press('\r');
    expect(await third).toBe('abc');
    await press('eval 1');
    await shows('kdbg> eval 1');
    expect(written).not.toContain('hunter2');
    expect(host.history.entries.join()).not.toContain('hunter2');
  });

  test('a session that ends on the engine ends the screen', async () => {
    open(80, 24);
    await shows('kdbg> ');
    host.quit();
    expect(await host.ended).toBe(0);
  });
});
