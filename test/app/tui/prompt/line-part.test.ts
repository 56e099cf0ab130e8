/** The prompt of the screen: what it takes and passes on, what it asks, what it draws. */
import { describe, expect, it } from 'vitest';
import type { PromptPart } from '../../../../src/app/tui/contract.ts';
import { openLinePart } from '../../../../src/app/tui/prompt/line-part.tsx';
import { drawn, type FakeApp, fakeApp, painted, settle, type } from '../fake-app.ts';

function open(entries: readonly string[] = []): { app: FakeApp; part: PromptPart; rows: () => readonly string[] } {
  const app = fakeApp({ entries });
  const part = openLinePart(app);
  const rows = (): readonly string[] => drawn(part, 60, 12);
  return { app, part, rows };
}

describe('the prompt of the screen', () => {
  it('edits, runs and remembers lines', () => {
    const { app, part, rows } = open(['ps -m UN']);
    expect(part.isEmpty).toBe(true);
    type(part, 'psx\x7f');
    expect(rows()).toEqual(['kdbg> ps -m UN']);
    expect(part.cursor?.({ width: 60, height: 12 })).toEqual({ x: 8, y: 0 });
    type(part, '\r');
    expect(app.asked).toEqual(['run: ps by prompt']);
    expect(app.history.entries).toEqual(['ps -m UN', 'ps']);
    type(part, '\x1b[A\x1b[A');
    expect(rows()).toEqual(['kdbg> ps -m UN']);
  });

  it('passes on what means something else on an empty line, and keeps it on another', () => {
    const { part, rows } = open();
    for (const keys of ['?', '/', '\x10', '\x1b[5~', '\x1b[6~', '\x1b', '\x1b[H', '\x1b[F']) {
      expect(type(part, keys)).toBe('passed');
    }
    type(part, 'x');
    for (const keys of ['?', '/', '\x1b[H']) expect(type(part, keys)).toBe('taken');
    expect(rows()).toEqual(['kdbg> x?/']);
    expect(type(part, '\x1b[5;2~')).toBe('passed');
  });

  it('shows a mistake under its column, and runs the line when Enter is pressed again', () => {
    const { app, part, rows } = open();
    type(part, 'eval 1; ascii "4\r');
    expect(rows()[1]).toMatch(/^ {20}\^ .*not closed/);
    expect(part.rows(60, 12)).toBe(2);
    expect(app.asked).toEqual([]);
    type(part, '\r');
    expect(app.asked).toEqual(['run: eval 1; ascii "4 by prompt']);
  });

  it('lets keys wait while candidates are asked for, and explains each in the menu', async () => {
    const { app, part, rows } = open();
    let answer: (completion: Awaited<FakeApp['completion']>) => void = () => undefined;
    app.completion = new Promise((resolve) => {
      answer = resolve;
    });
    type(part, 'mo\t');
    type(part, 'e');
    expect(rows()).toEqual(['kdbg> mo']);
    const candidates = [
      { text: 'mod', detail: 'the modules' },
      { text: 'more', detail: 'pages' },
    ];
    answer({ start: 0, end: 2, candidates, partial: false });
    await settle();
    // The key that waited narrows the menu to nothing.
    expect(rows()).toEqual(['kdbg> moe']);
    type(part, '\x7f\t');
    await settle();
    expect(rows()).toEqual(['kdbg> mo', '  mod   the modules', '  more  pages']);
    type(part, '\t\r');
    expect(rows()).toEqual(['kdbg> mod']);
  });

  it('keeps pasted lines for a look before they run', () => {
    const { app, part, rows } = open();
    type(part, '\x1b[200~ps\nbt\x1b[201~');
    expect(rows()).toEqual(['kdbg> ps', '    > bt']);
    type(part, '\r');
    expect(app.asked).toEqual(['run: ps\nbt by prompt']);
  });

  it('leaves at Ctrl-D on an empty line only', () => {
    const { app, part } = open();
    type(part, 'x\x04\x7f');
    expect(app.asked).toEqual([]);
    type(part, '\x04');
    expect(app.asked).toEqual(['quit']);
  });

  it('explains the command behind which ? stands, and the word under the cursor', async () => {
    const { app, part } = open();
    app.answer = (line) => (line === 'help bt' ? ['NAME', '  bt - a stack', '    -f    words'] : ['whatis said so']);
    type(part, 'bt ?');
    await settle();
    expect(app.asked).toEqual(['open: help']);
    expect(painted(app.overlay as never, 40, 8).join('\n')).toContain('bt - a stack');
    type(app.overlay as never, '\x1b');
    expect(app.asked.at(-1)).toBe('close');
    type(part, 'task_struct\x1bOP');
    await settle();
    expect(painted(app.overlay as never, 40, 8).join('\n')).toContain('whatis said so');
  });

  it('takes lines from elsewhere', () => {
    const { app, part, rows } = open();
    part.setLine('bt 1');
    part.insert('36');
    expect(rows()).toEqual(['kdbg> bt 136']);
    part.setLine('');
    part.remember('ps');
    type(part, '\x1b[A');
    expect(rows()).toEqual(['kdbg> ps']);
    expect(app.history.entries).toEqual(['ps']);
  });
});
