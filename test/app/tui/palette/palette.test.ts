/** The palette: the order of what is found, lines that names cannot break, and what its keys do. */
import { describe, expect, it } from 'vitest';
import type { OverlayPart } from '../../../../src/app/tui/contract.ts';
import { type ListedItem, rank } from '../../../../src/app/tui/palette/palette-item.ts';
import { openPalette } from '../../../../src/app/tui/palette/palette-part.tsx';
import type { Found } from '../../../../src/engine/search.ts';
import { drawn, type FakeApp, fakeApp, settle, type } from '../fake-app.ts';

const symbol = (name: string, score: number, letter = 'T'): Found => ({
  kind: 'symbol',
  name,
  score,
  positions: [0],
  address: 0xffffffff81000000n,
  type: letter,
  module: undefined,
});
const other = (index: number, name: string, score: number): Found => ({
  kind: 'other',
  list: 'palette',
  index,
  name,
  score,
  positions: [],
});
const LISTED: readonly ListedItem[] = [
  { kind: 'command', label: 'bt', detail: 'a stack', line: 'bt' },
  { kind: 'task', label: 'btrfs 7', detail: 'UN', line: 'bt 7', ref: { kind: 'task', task: 1n, pid: 7 } },
];

describe('what is found', () => {
  it('is a command before a symbol of the same score, and no noise', () => {
    const found = [symbol('bt_sock', 0.9), other(0, 'bt', 1), other(1, 'btrfs 7', 0.8), symbol('abstract', 0.2)];
    expect(rank(found, LISTED, 10).map(({ label }) => label)).toEqual(['bt', 'bt_sock', 'btrfs 7']);
  });

  it('is disassembled, printed or defined; names that are no words never stand in a line', () => {
    const lines = (found: Found): readonly string[] => rank([found], [], 10).map(({ line }) => line);
    expect(lines(symbol('vfs_read', 1))).toEqual(['dis vfs_read']);
    expect(lines(symbol('jiffies', 1, 'D'))).toEqual(['p jiffies']);
    expect(lines(symbol('x;!reboot', 1))).toEqual(['dis ffffffff81000000']);
    expect(lines(symbol('x|sh', 1, 'D'))).toEqual(['rd ffffffff81000000']);
    const tag = (name: string, namespace: string): Found => ({
      kind: 'type',
      name,
      score: 1,
      positions: [],
      namespace,
    });
    expect(lines(tag('mutex', 'struct'))).toEqual(['struct mutex']);
    expect(lines(tag('pid_t', 'typedef'))).toEqual(['whatis pid_t']);
    expect(lines(tag('a;!sh', 'struct'))).toEqual([]);
    // What the search knows of a list that is a shorter one by now is no item.
    expect(rank([other(9, 'gone', 1)], LISTED, 10)).toEqual([]);
  });
});

describe('the palette', () => {
  function open(): { app: FakeApp; part: OverlayPart; rows: () => string } {
    const app = fakeApp({
      entries: ['ps -m', 'log', 'ps -m'],
      search: {
        prepare: async () => undefined,
        setList: () => undefined,
        find: async () => [symbol('vfs_read', 1), symbol('vfs_readv', 0.9)],
        symbolCount: 200_000,
        took: 2,
      },
    });
    const part = openPalette(app);
    const rows = (): string => drawn(part, 80, 12).join('\n');
    return { app, part, rows };
  }

  /** As ink-text-input does when something is typed into it. */
  function typed(part: OverlayPart, text: string): void {
    const drawing = part.draw({ width: 80, height: 12 });
    if (drawing.kind === 'ink') (drawing.element.props as { onChange: (text: string) => void }).onChange(text);
  }

  it('offers what was run, the last first, before anything is typed', async () => {
    const { rows } = open();
    await settle();
    expect(rows()).toMatch(/> ran {2}ps -m .*\n.* ran {2}log /);
  });

  it('runs what is chosen, and selects it for all panes', async () => {
    const { app, part, rows } = open();
    typed(part, 'vfsread');
    await settle();
    expect(rows()).toContain('200,000 symbols, 2 ms');
    type(part, '\x1b[B');
    expect(rows()).toContain('Enter runs dis vfs_readv');
    type(part, '\r');
    expect(app.asked).toEqual(['close', 'select: symbol', 'run: dis vfs_readv by palette', 'focus: prompt']);
  });

  it('puts the line into the prompt by Tab, closes by Esc, gives letters to its field', async () => {
    const { app, part } = open();
    expect(type(part, 'x')).toBe('ink');
    typed(part, 'vfs');
    await settle();
    type(part, '\t');
    expect(app.asked).toEqual(['close', 'insert: dis vfs_read']);
    type(part, '\x1b');
    expect(app.asked.at(-1)).toBe('close');
  });
});
