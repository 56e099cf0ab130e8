import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edit } from '../../../src/app/prompt/editor.ts';
import type { EditorState } from '../../../src/app/prompt/editor-state.ts';
import { acceptedRows, type View, view } from '../../../src/app/prompt/view.ts';
import { stateOf, typed } from './typing.ts';

const ESC = '\x1b';

/** The view as text, with `|` where the cursor is. */
function drawn(shown: View): string[] {
  return shown.rows.map((row, i) => {
    const text = row.spans.map((span) => span.text).join('');
    if (i !== shown.cursor.row) return text;
    const padded = text.padEnd(shown.cursor.column);
    return `${padded.slice(0, shown.cursor.column)}|${padded.slice(shown.cursor.column)}`;
  });
}

function draw(state: EditorState, width = 40, height = 24): string[] {
  return drawn(view(state, { prompt: 'kdbg> ', width, height }));
}

describe('the line', () => {
  it.each<[string, string, number, readonly string[]]>([
    ['an empty line', '|', 40, ['kdbg> |']],
    ['the cursor within', 'bt| 1', 40, ['kdbg> bt| 1']],
    ['wrapped', 'bt 123456|', 10, ['kdbg> bt 1', '23456|']],
    ['exactly full: the cursor is on the next row', 'bt 1|', 10, ['kdbg> bt 1', '|']],
    ['exactly full with the cursor before', 'bt |1', 10, ['kdbg> bt |1']],
    ['the cursor on the first cell of a wrapped row', 'bt 1|23', 10, ['kdbg> bt 1', '|23']],
    ['several lines', 'ps\nbt| 1', 40, ['kdbg> ps', '    > bt| 1']],
    ['controls escaped', 'a\x1b[2Jb|', 40, ['kdbg> a\\x1b[2Jb|']],
    ['an escape broken at the end of a row', 'abc\x1b|', 10, ['kdbg> abc\\', 'x1b|']],
    ['a prompt wider than the screen', 'x|', 4, ['kdbg', '> x|']],
  ])('%s', (_, marked, width, expected) => {
    expect(draw(stateOf(marked), width)).toEqual(expected);
  });

  it('moves a wide character that does not fit to the next row', () => {
    const { rows, cursor } = view(stateOf('abc漢|'), { prompt: 'kdbg> ', width: 10, height: 9 });
    expect(rows.map((row) => [row.spans.map((span) => span.text).join(''), row.width])).toEqual([
      ['kdbg> abc', 9],
      ['漢', 2],
    ]);
    expect(cursor).toEqual({ row: 1, column: 2 });
  });

  it('shows the suggestion behind the cursor, cut to the row', () => {
    const state = stateOf('b|', ['bt 1234567890']);
    expect(draw(state)).toEqual(['kdbg> b|t 1234567890']);
    expect(draw(state, 14)).toEqual(['kdbg> b|t 123..']);
    expect(view(state, { prompt: 'kdbg> ', width: 40, height: 9 }).rows[0]?.spans.map((span) => span.style)).toEqual([
      'prompt',
      'text',
      'ghost',
    ]);
  });

  it('keeps neither suggestion nor menu once accepted', () => {
    const [row] = acceptedRows(stateOf('b|', ['bt 1']), 'kdbg> ', 40);
    expect(row?.spans.map((span) => span.text)).toEqual(['kdbg> ', 'b']);
  });
});

describe('complaints', () => {
  const complain = (marked: string, column: number | undefined, message: string) =>
    edit(stateOf(marked), { name: 'complain', column, message });

  it.each<[string, EditorState, number, readonly string[]]>([
    ['under the column', complain('bt zz|', 3, 'no task "zz"'), 40, ['kdbg> bt zz|', '         ^ no task "zz"']],
    [
      'below the caret when there is no room',
      complain('bt zz|', 3, 'no task "zz"'),
      20,
      ['kdbg> bt zz|', '         ^', 'no task "zz"'],
    ],
    [
      'under the row it is about',
      complain('bt zz 12345678|', 3, 'no'),
      14,
      ['kdbg> bt zz 12', '         ^ no', '345678|'],
    ],
    ['at the end of the line', complain('p (1|', 4, 'missing )'), 40, ['kdbg> p (1|', '          ^ missing )']],
    ['beyond the end', complain('p|', 99, 'odd'), 40, ['kdbg> p|', '       ^ odd']],
    ['about the whole line', complain('p|', undefined, 'odd'), 40, ['kdbg> p|', 'odd']],
    ['with hostile text', complain('p|', undefined, 'a\x1b[2Jb'), 40, ['kdbg> p|', 'a\\x1b[2Jb']],
  ])('%s', (_, state, width, expected) => {
    expect(draw(state, width)).toEqual(expected);
  });
});

describe('the search line', () => {
  it('has the cursor behind the query and the match marked above', () => {
    const { state } = typed(stateOf('|', ['bt 1', 'ps']), '\x12bt');
    expect(draw(state)).toEqual(['kdbg> bt 1', 'older match for: bt|']);
    expect(view(state, { prompt: '', width: 40, height: 9 }).rows[0]?.spans[0]).toMatchObject({
      text: 'bt',
      style: 'match',
    });
  });

  it('says that there is no match, and shows the end of a long query', () => {
    expect(draw(typed(stateOf('|', ['ps']), '\x12zz').state)).toEqual([
      'kdbg> |'.replace('|', ''),
      'no older match for: zz|',
    ]);
    expect(draw(typed(stateOf('|', ['ps']), `\x12${'0123456789'.repeat(3)}`).state, 30)[1]).toBe(
      'no older match for: 123456789|',
    );
  });
});

describe('the menu', () => {
  const offered = (count: number, detail = 'function') => {
    const candidates = Array.from({ length: count }, (_, i) => ({ text: `vfs_${i}`, detail }));
    return edit(stateOf('v|'), {
      name: 'offer',
      asked: { text: 'v', cursor: 1 },
      completion: { start: 0, end: 1, candidates },
    });
  };

  it('explains each candidate in a second column and marks the chosen one', () => {
    expect(draw(typed(offered(2), '\t').state)).toEqual(['kdbg> vfs_0|', '> vfs_0  function', '  vfs_1  function']);
    const row = view(typed(offered(2), '\t').state, { prompt: '', width: 40, height: 9 }).rows[1];
    expect(row?.spans.every((span) => span.style === 'selected')).toBe(true);
  });

  it('shows a window that follows the choice, and where it is', () => {
    const rows = draw(typed(offered(30), '\t'.repeat(20)).state);
    expect(rows.length).toBe(12);
    expect(rows[11]).toBe('  15-24 of 30');
    expect(rows.filter((row) => row.startsWith('> '))).toEqual(['> vfs_19  function']);
  });

  it('fits the screen', () => {
    expect(draw(offered(30), 40, 4)).toEqual(['kdbg> vfs_|', '  vfs_0  function', '  vfs_1  function', '  1-2 of 30']);
    expect(draw(offered(2), 16)).toEqual(['kdbg> vfs_|', '  vfs_0  funct..', '  vfs_1  funct..']);
    expect(draw(offered(2), 40, 1)).toEqual(['kdbg> vfs_|']);
  });

  it('is harmless whatever a target calls its tasks', () => {
    const candidates = [
      { text: '1', display: '1', detail: '\x1b]0;owned\x07' },
      { text: '12', detail: '\u202egnihton' },
    ];
    const state = edit(stateOf('|'), {
      name: 'offer',
      asked: { text: '', cursor: 0 },
      completion: { start: 0, end: 0, candidates },
    });
    expect(draw(state).slice(1)).toEqual(['  1   \\x1b]0;owned\\x07', '  12  \\u202egnihton']);
  });
});

describe('any view', () => {
  it('keeps within the screen, and its cursor within its rows', () => {
    const text = fc.string({
      unit: fc.oneof(
        fc.constantFrom('a', ' ', '\n', '漢', '\x1b', '😀', 'e\u0301'),
        fc.string({ unit: 'binary', minLength: 1, maxLength: 2 }),
      ),
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        text,
        fc.nat(60),
        fc.integer({ min: 2, max: 30 }),
        fc.integer({ min: 1, max: 6 }),
        fc.constantFrom('', '\t', '\x12a', `${ESC}[A`),
        fc.array(text),
        (line, cursor, width, height, keys, texts) => {
          let state = stateOf(`${line.replaceAll('|', '')}|`, texts);
          state = edit({ ...state, cursor: Math.min(cursor, state.text.length) }, { name: 'cancel' });
          const completion = {
            start: 0,
            end: state.text.length,
            candidates: texts.map((each) => ({ text: each, detail: each })),
          };
          if (keys === '\t') state = edit(state, { name: 'offer', asked: state, completion });
          else state = typed(state, keys).state;
          const shown = view(state, { prompt: 'kdbg> ', width, height });
          expect(shown.rows.length).toBeLessThanOrEqual(height);
          for (const row of shown.rows) {
            expect(row.width).toBeLessThanOrEqual(width);
            expect(row.spans.map((span) => span.text).join('')).not.toMatch(/\p{Cc}/u);
            expect(row.spans.reduce((cells, span) => cells + span.width, 0)).toBe(row.width);
          }
          expect(shown.cursor.row).toBeLessThan(shown.rows.length);
          expect(shown.cursor.column).toBeLessThan(width);
        },
      ),
      { numRuns: 1500 },
    );
  });
});
