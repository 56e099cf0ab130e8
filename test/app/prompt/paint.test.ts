import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edit } from '../../../src/app/prompt/editor.ts';
import { erase, type Painted, PLAIN_THEME, paint, reflowed, settle } from '../../../src/app/prompt/paint.ts';
import { acceptedRows, type View, view } from '../../../src/app/prompt/view.ts';
import { openScreen } from './screen.ts';
import { stateOf } from './typing.ts';

const text = (shown: View) =>
  shown.rows.map((row) =>
    row.spans
      .map((span) => span.text)
      .join('')
      .trimEnd(),
  );

function shownOf(marked: string, width: number, candidates: readonly string[] = [], complaint?: number): View {
  let state = stateOf(marked);
  if (candidates.length > 1) {
    const asked = { text: state.text, cursor: state.cursor };
    const completion = {
      start: state.cursor,
      end: state.cursor,
      candidates: candidates.map((each) => ({ text: each, detail: each })),
    };
    state = edit(state, { name: 'offer', asked, completion });
  }
  if (complaint !== undefined) state = edit(state, { name: 'complain', column: complaint, message: 'no such thing' });
  return view(state, { prompt: 'kdbg> ', width, height: 12 });
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', ' ', '漢', '\n', '\x01'), maxLength: 50 });
const anyView = (width: number) =>
  fc
    .tuple(
      word,
      fc.nat(50),
      fc.oneof(fc.constant([]), fc.array(fc.constantFrom('ps', 'pte', '漢字', 'x'.repeat(30)), { maxLength: 15 })),
      fc.option(fc.nat(50), { nil: undefined }),
    )
    .map(([line, cursor, candidates, complaint]) => {
      const at = Math.min(cursor, line.length);
      return shownOf(`${line.slice(0, at)}|${line.slice(at)}`, width, candidates, complaint);
    });

describe('painting', () => {
  it('makes a terminal show exactly the view, whatever was painted before', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 10, max: 40 })
          .chain((width) =>
            fc.tuple(fc.constant(width), fc.array(anyView(width), { minLength: 1, maxLength: 6 }), fc.nat(20)),
          ),
        async ([width, views, above]) => {
          const screen = openScreen(width, 14);
          await screen.write('x\r\n'.repeat(above));
          let painted: Painted | undefined;
          for (const shown of views) {
            await screen.write(paint(painted, shown, PLAIN_THEME));
            painted = shown;
            const rows = screen.scrollback();
            const expected = [...Array(above).fill('x'), ...text(shown)];
            while (expected.at(-1) === '') expected.pop();
            expect(rows).toEqual(expected);
            const top = Math.max(
              0,
              above +
                Math.max(
                  shown.rows.length,
                  ...views.slice(0, views.indexOf(shown) + 1).map((each) => each.rows.length),
                ) -
                14,
            );
            expect(screen.cursor).toEqual({ row: above + shown.cursor.row - top, column: shown.cursor.column });
            expect(screen.isCursorHidden).toBe(false);
          }
        },
      ),
      { numRuns: 150 },
    );
  });

  it('writes one byte for one character typed at the end', () => {
    expect(paint(shownOf('bt|', 80), shownOf('bt1|', 80), PLAIN_THEME)).toBe('1');
    expect(paint(shownOf('bt|', 80), shownOf('bt|', 80), PLAIN_THEME)).toBe('');
    expect(paint(shownOf('bt|', 80), shownOf('b|t', 80), PLAIN_THEME)).toBe('\r\x1b[7C');
    expect(paint(shownOf('bt|', 80), shownOf('b|', 80), PLAIN_THEME)).toBe('\r\x1b[7C\x1b[K');
  });

  it('places what follows characters that terminals measure differently', async () => {
    const screen = openScreen(40, 5);
    // This terminal gives the emoji one cell; here they count as two.
    await screen.write(paint(undefined, shownOf('😀😀| x', 40), PLAIN_THEME));
    expect(screen.cursor).toEqual({ row: 0, column: 10 });
    expect(screen.rows()[0]?.trimEnd().endsWith(' x')).toBe(true);
    await screen.write(paint(shownOf('😀😀| x', 40), shownOf('😀| x', 40), PLAIN_THEME));
    expect(screen.cursor).toEqual({ row: 0, column: 8 });
    expect(screen.rows()[0]).toMatch(/^kdbg> 😀 + x$/u);
  });

  it('erases and settles without a trace of what was around the line', async () => {
    const shown = shownOf('p|', 20, ['ps', 'pte', 'px']);
    for (const [bytes, rows, cursor] of [
      [erase(shown), ['above'], 1],
      [settle(shown, acceptedRows(stateOf('ps|'), 'kdbg> ', 20), 20, PLAIN_THEME), ['above', 'kdbg> ps'], 2],
      [
        settle(shown, acceptedRows(stateOf('12345678901234|'), 'kdbg> ', 20), 20, PLAIN_THEME),
        ['above', 'kdbg> 12345678901234'],
        2,
      ],
      [
        settle(shown, acceptedRows(stateOf('123456789012345\nb|'), 'kdbg> ', 20), 20, PLAIN_THEME),
        ['above', 'kdbg> 12345678901234', '5', '    > b'],
        4,
      ],
    ] as const) {
      const screen = openScreen(20, 10);
      await screen.write(`above\r\n${paint(undefined, shown, PLAIN_THEME)}${bytes}`);
      expect(screen.rows()).toEqual(rows);
      expect(screen.cursor).toEqual({ row: cursor, column: 0 });
    }
  });

  it('lets a long accepted line be one line for the terminal, that reflows', async () => {
    const screen = openScreen(20, 10);
    await screen.write(
      settle(undefined, acceptedRows(stateOf('abcdefghijklmnopqrstuvwxyz|'), 'kdbg> ', 20), 20, PLAIN_THEME),
    );
    expect(screen.rows()).toEqual(['kdbg> abcdefghijklmn', 'opqrstuvwxyz']);
    screen.resize(40, 10);
    expect(screen.rows()).toEqual(['kdbg> abcdefghijklmnopqrstuvwxyz']);
  });

  it('finds its place again after the terminal has wrapped the rows anew', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc
          .integer({ min: 16, max: 40 })
          .chain((from) => fc.tuple(fc.constant(from), fc.integer({ min: 12, max: 40 }), anyView(from))),
        async ([from, to, shown]) => {
          if (shown.rows.some((row) => row.spans.some((span) => /[^ -~]/.test(span.text)))) return;
          const screen = openScreen(from, 40);
          await screen.write(`above\r\n${paint(undefined, shown, PLAIN_THEME)}`);
          screen.resize(to, 40);
          await screen.write(`${erase(reflowed(shown, to, screen.cursor.column))}X`);
          // What stands below the cursor moves it in some terminals, this one too: then a stale row may stay, but
          // nothing that was there before the prompt is ever erased.
          if (shown.cursor.row === shown.rows.length - 1) expect(screen.rows()).toEqual(['above', 'X']);
          else expect(screen.rows()[0]).toBe('above');
        },
      ),
      { numRuns: 150 },
    );
  });
});
