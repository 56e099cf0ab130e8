/** Uses the built program as a person would, and takes pictures of its screen. */
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KEY, ScreenTerminal, type TerminalSize } from '../app/tui/e2e/terminal.ts';
import { svgOf } from './svg.ts';

const [entry = '', recordings = '', target = ''] = process.argv.slice(2);
const COMMAND = 'replay recordings/mutex-deadlock.kdbg';

interface Scene extends TerminalSize {
  readonly name: string;
  readonly play: (screen: ScreenTerminal) => Promise<void>;
}

const SCENES: readonly Scene[] = [
  {
    // A deadlock: who is stuck, on what, and the stack of one that is.
    name: 'deadlock',
    columns: 150,
    rows: 44,
    async play(screen) {
      await screen.press('deadlock', KEY.enter);
      await screen.shows(/kdbg> deadlock/);
      await screen.rests();
      await screen.shows('[lab_wait3]');
      await screen.press(KEY.alt('1'), 'g', 'j', 'j', 'j');
      await screen.shows((rows) => (rows[0] ?? '').includes('136 lab_ab'));
      await screen.press(KEY.enter);
      await screen.shows('lab_take_second');
      await screen.press('j', 'j', 'j', 'j', 'j');
      await screen.rests(500);
    },
  },
  {
    // The same deadlock, walked from one who waits for it up to the owners, round the circle.
    name: 'walk',
    columns: 130,
    rows: 42,
    async play(screen) {
      await screen.press(KEY.alt('1'));
      await screen.shows('[lab_wait3]');
      await screen.press('G', 'k', 'k', 'o');
      await screen.shows('<- here');
      await screen.press(KEY.up);
      await screen.shows(/136 \(lab_ab\).*<- here/);
      await screen.rests(500);
    },
  },
  {
    name: 'palette',
    columns: 120,
    rows: 34,
    async play(screen) {
      await screen.press('ps UN', KEY.enter);
      await screen.rests();
      await screen.press(KEY.ctrl('p'));
      await screen.shows('a command, symbol, task');
      await screen.press('labwait');
      await screen.shows(/[1-9][\d,]+ symbols/);
      await screen.shows('Enter runs');
      await screen.rests(500);
    },
  },
  {
    name: 'completion',
    columns: 100,
    rows: 30,
    async play(screen) {
      await screen.press('bt 136', KEY.enter);
      await screen.shows('lab_ab_thread');
      await screen.press('struct task_struct.s', KEY.tab, KEY.tab, KEY.tab);
      await screen.shows('> ');
      await screen.rests(300);
    },
  },
];

const folder = mkdtempSync(join(dirname(entry), 'home-'));
try {
  cpSync(recordings, join(folder, 'recordings'), { recursive: true });
  const env = { PATH: process.env['PATH'] ?? '', HOME: folder, SHELL: '/bin/sh' };
  for (const { name, play, ...size } of SCENES) {
    const screen = new ScreenTerminal({ program: { entry, folder, env }, args: COMMAND.split(' '), ...size });
    try {
      await screen.shows(/kdbg>/);
      await screen.rests();
      await play(screen);
      const { cursor } = screen;
      const picture = svgOf({ cells: screen.cells(), cursor, title: `kdbg ${COMMAND}` });
      writeFileSync(join(target, `${name}.svg`), picture);
      process.stdout.write(`${join(target, `${name}.svg`)}: ${Math.round(picture.length / 1024)} KiB\n`);
    } finally {
      screen.end();
    }
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
