/** The scrollback as a person uses it: paging, following, folding, searching, copying; against a model that has all rows. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineStore } from '../../../../src/app/tui/scrollback/line-store.ts';
import { type Position, Reading } from '../../../../src/app/tui/scrollback/reading.ts';
import { openScrollback } from '../../../../src/app/tui/scrollback/scrollback-part.ts';
import type { Line } from '../../../../src/core/output/line.ts';
import { type FakeApp, fakeApp, painted, settle, type } from '../fake-app.ts';

const numbered = (count: number, word = 'line'): readonly string[] =>
  Array.from({ length: count }, (_, i) => `${word} ${i}`);

/** A scrollback with the keys, 40 columns and 10 rows. */
function reading(store?: LineStore): {
  app: FakeApp;
  part: ReturnType<typeof openScrollback>;
  rows: () => readonly string[];
} {
  const app = fakeApp();
  const part = openScrollback(app, store);
  painted(part, 40, 10);
  return { app, part, rows: () => painted(part, 40, 10) };
}

const act = fc.oneof(
  fc.record({ kind: fc.constant('scroll' as const), rows: fc.integer({ min: -30, max: 30 }) }),
  fc.record({
    kind: fc.constant('append' as const),
    lengths: fc.array(fc.integer({ min: 0, max: 50 }), { maxLength: 12 }),
  }),
  fc.record({ kind: fc.constant('command' as const) }),
  fc.record({ kind: fc.constant('fold' as const), line: fc.nat(60) }),
  fc.record({
    kind: fc.constant('resize' as const),
    width: fc.integer({ min: 5, max: 30 }),
    height: fc.integer({ min: 1, max: 8 }),
  }),
);

describe('where one reads', () => {
  it('is a window of all rows that are seen, whatever is done', () => {
    fc.assert(
      fc.property(fc.array(act, { maxLength: 30 }), (acts) => {
        const store = new LineStore({ chunkLines: 5, hotChunks: 1 });
        const view = new Reading(store);
        let [width, height] = [10, 4];
        view.resize(width, height);
        for (const each of acts) {
          if (each.kind === 'scroll') view.scroll(each.rows);
          else if (each.kind === 'append') store.append(each.lengths.map((length) => 'x'.repeat(length)));
          else if (each.kind === 'command') {
            view.outline.begin(store.end);
            store.append(['command']);
          } else if (each.kind === 'fold') view.outline.toggle(view.outline.blockOf(each.line, store.end));
          else {
            ({ width, height } = each);
            view.resize(width, height);
          }
        }
        const all: Position[] = [];
        for (let line = 0; line < store.end; line++) {
          if (view.outline.visible(line) !== line) continue;
          for (let row = 0; row < view.rows(line).length; row++) all.push({ line, row });
        }
        const shown = [...view.shown()];
        const at = all.findIndex(({ line, row }) => line === shown[0]?.line && row === shown[0]?.row);
        if (all.length > 0 && view.outline.visible(view.top.line) === view.top.line) {
          expect(shown).toEqual(all.slice(at, at + height));
        }
        if (view.follows) expect(shown).toEqual(all.slice(-height));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the scrollback', () => {
  it('follows what comes, and shows long output of a command from its beginning', () => {
    const { part, rows } = reading();
    part.say(['hello']);
    part.command('ps', 'prompt');
    part.append(['one', 'two']);
    expect(rows().slice(0, 4)).toEqual(['hello', 'kdbg> ps', 'one', 'two']);
    part.command('log', 'prompt');
    part.append(numbered(100));
    expect(rows()[0]).toBe('kdbg> log');
    expect(rows()[9]?.trim()).toBe('92 lines below: PgDn, End');
    part.scroll(9);
    expect(rows()[0]).toBe('line 8');
    part.scroll(Infinity);
    expect(rows().at(-1)).toBe('line 99');
    part.append(['line 100']);
    expect(rows().at(-1)).toBe('line 100');
    part.scroll(-Infinity);
    expect(rows()[0]).toBe('hello');
    part.append(['line 101']);
    expect(rows()[0]).toBe('hello');
  });

  it('pages, folds and goes from command to command by keys', () => {
    const { app, part, rows } = reading();
    for (const name of ['first', 'second']) {
      part.command(name, 'prompt');
      part.append(numbered(30, name));
    }
    part.scroll(Infinity);
    app.focus('scrollback');
    expect(rows().at(-1)).toBe('second 29');
    type(part, 'b');
    expect(rows()[8]).toBe('second 19');
    type(part, '{');
    expect(rows()[0]).toBe('kdbg> second');
    type(part, 'o');
    expect(rows().at(-1)).toBe('kdbg> second  [30 lines folded]');
    type(part, '{');
    expect(rows()[0]).toBe('kdbg> first');
    type(part, '{');
    expect(app.asked.at(-1)).toBe('tell: there is no command before this');
    type(part, 'g');
    type(part, 'o');
    expect(rows().slice(0, 2)).toEqual(['kdbg> first  [30 lines folded]', 'kdbg> second  [30 lines folded]']);
    expect(type(part, 'q')).toBe('passed');
  });

  it('finds text, unfolds what hides it, and wraps round with a word', async () => {
    const { app, part, rows } = reading();
    part.command('first', 'prompt');
    part.append([...numbered(50), 'the needle', ...numbered(50)]);
    app.focus('scrollback');
    rows();
    type(part, '{');
    type(part, 'o');
    part.search();
    expect(app.asked).toContain('open: find');
    app.state = { ...app.state, focus: 'scrollback' };
    expect(type(part, 'n')).toBe('taken');
    expect(app.asked.at(-1)).toMatch(/^tell: nothing was searched/);
    // The small prompt tells each change to the part.
    const question = app.overlay?.draw({ width: 40, height: 1 });
    expect(question?.kind).toBe('ink');
    if (question?.kind === 'ink') (question.element.props as { onChange: (text: string) => void }).onChange('needle');
    await settle();
    expect(rows()).toContain('the needle');
    type(part, 'n');
    await settle();
    expect(app.asked).toContain('tell: "needle": on from the other end');
  });

  it('selects and copies lines as they are seen, objects, and the output of a command', () => {
    const { app, part, rows } = reading();
    const line: Line = ['task ', { text: 'ffff8880', ref: { kind: 'address', address: 0xffff8880n } }, ' evil \x1b[2J'];
    part.command('ps', 'prompt');
    part.append(['one', line, 'three']);
    app.focus('scrollback');
    rows();
    type(part, 'k');
    type(part, 'c');
    expect(app.asked.at(-1)).toBe('copy: ffff8880');
    type(part, '\r');
    expect(app.asked.at(-1)).toBe('follow: address');
    type(part, 'i');
    expect(app.asked.at(-1)).toBe('insert: ffff8880');
    type(part, 'vky');
    expect(app.asked.at(-1)).toBe('copy: one\ntask ffff8880 evil \\x1b[2J');
    type(part, 'Y');
    expect(app.asked.at(-1)).toBe('copy: one\ntask ffff8880 evil \\x1b[2J\nthree');
  });

  it('selects and copies a part of a line, by keys and by the mouse', () => {
    const { app, part, rows } = reading();
    const line: Line = [
      'a\ttask ',
      { text: 'ffff8880', ref: { kind: 'address', address: 0xffff8880n } },
      ' \u6f22 \x1b[2J end',
    ];
    part.command('ps', 'prompt');
    part.append(['one two three', line, 'last']);
    app.focus('scrollback');
    rows();
    const copied = (keys: string): string | undefined => {
      type(part, keys);
      return app.asked.at(-1);
    };
    // From the object on: a character, a word, to the end, back.
    expect(copied('kslly')).toBe('copy: fff');
    expect(copied('swy')).toBe('copy: ffff8880 \u6f22');
    expect(copied('s$y')).toBe('copy: ffff8880 \u6f22 \\x1b[2J end');
    expect(copied('sbby')).toBe('copy: a       task f');
    expect(copied('shhhy')).toBe('copy: sk f');
    // Over lines, and let go.
    expect(copied('s0ky')).toMatch(/^copy: one two three\na {7}task f$/);
    expect(part.keys?.().find(({ keys }) => keys === 'w')?.reason).toBeUndefined();
    type(part, 's\x1b');
    expect(part.keys?.().find(({ description }) => /next word/.test(description))?.reason).toMatch(/s begins/);
    // Pressed in the middle of a word, dragged, let go; and down to the next line.
    expect(copied('\x1b[<0;5;2M\x1b[<32;7;2M\x1b[<0;7;2m')).toBe('copy: two');
    expect(copied('\x1b[<0;9;2M\x1b[<32;12;3M\x1b[<0;12;3m')).toBe('copy: three\na       task');
    expect(copied('\x1b[<0;12;3M\x1b[<32;9;2M\x1b[<0;9;2m')).toBe('copy: three\na       task');
  });

  it('says how many lines were let go', () => {
    const { part, rows } = reading(new LineStore({ chunkLines: 10, hotChunks: 1, packedBytes: 500 }));
    part.append(Array.from({ length: 400 }, (_, i) => `${i} ${Math.sin(i)}`));
    part.scroll(-Infinity);
    expect(rows()[0]).toMatch(/\d+ older lines were let go/);
  });
});
