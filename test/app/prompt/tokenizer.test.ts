import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chordOf, type InputEvent } from '../../../src/app/prompt/keys.ts';
import { PASTE_MAX } from '../../../src/app/prompt/paste-text.ts';
import { SEQUENCE_MAX, Tokenizer } from '../../../src/app/prompt/tokenizer.ts';

const ESC = '\x1b';

/** Events in short: chords, text in quotes, `paste:...`, `?raw` for unknown. */
function brief(event: InputEvent): string {
  if (event.kind === 'paste') return `paste:${event.text}`;
  if (event.kind === 'unknown') return `?${event.raw}`;
  if (event.kind === 'mouse')
    return `${event.action} ${event.button} ${event.x},${event.y}${event.ctrl ? ' ctrl' : ''}`;
  return event.text === '' || event.text === ' ' ? chordOf(event) : `'${event.text}'`;
}

function tokens(input: string): string[] {
  const tokenizer = new Tokenizer();
  return [...tokenizer.feed(Buffer.from(input)), ...tokenizer.flush()].map(brief);
}

describe('tokenizer', () => {
  it.each<[string, string, readonly string[]]>([
    ['several keys in one chunk', 'bt\r', ["'b'", "'t'", 'enter']],
    [
      'control characters',
      '\x01\x08\t\n\x1a\x1c\x1d\x1e\x1f\0\x7f',
      'ctrl-a ctrl-h tab ctrl-j ctrl-z ctrl-\\ ctrl-] ctrl-^ ctrl-_ ctrl-space backspace'.split(' '),
    ],
    ['UTF-8', 'é漢😀 ', ["'é'", "'漢'", "'😀'", 'space']],
    ['arrows', `${ESC}[A${ESC}[B${ESC}[C${ESC}[D${ESC}OA${ESC}OD`, ['up', 'down', 'right', 'left', 'up', 'left']],
    [
      'home and end in all dialects',
      `${ESC}[H${ESC}OH${ESC}[1~${ESC}[7~${ESC}[F${ESC}OF${ESC}[4~${ESC}[8~`,
      [...Array(4).fill('home'), ...Array(4).fill('end')],
    ],
    ['editing keys', `${ESC}[2~${ESC}[3~${ESC}[5~${ESC}[6~`, ['insert', 'delete', 'page-up', 'page-down']],
    [
      'function keys',
      `${ESC}OP${ESC}[11~${ESC}[[A${ESC}[15~${ESC}[24~${ESC}[1;5S${ESC}[34~`,
      ['f1', 'f1', 'f1', 'f5', 'f12', 'ctrl-f4', 'f20'],
    ],
    [
      'xterm modifiers',
      `${ESC}[1;5C${ESC}[1;2D${ESC}[1;3A${ESC}[1;8B${ESC}[3;5~`,
      ['ctrl-right', 'shift-left', 'alt-up', 'ctrl-alt-shift-down', 'ctrl-delete'],
    ],
    [
      'rxvt modifiers',
      `${ESC}[a${ESC}Od${ESC}[3^${ESC}[3@`,
      ['shift-up', 'ctrl-left', 'ctrl-delete', 'ctrl-shift-delete'],
    ],
    ['SS3 with a modifier', `${ESC}O5C`, ['ctrl-right']],
    ['shift-tab', `${ESC}[Z`, ['shift-tab']],
    ['the keypad', `${ESC}OM${ESC}Oj${ESC}Oy${ESC}OX`, ['enter', "'*'", "'9'", "'='"]],
    [
      'alt with a character',
      `${ESC}b${ESC}.${ESC}\x7f${ESC}\r${ESC}B${ESC}é`,
      ['alt-b', 'alt-.', 'alt-backspace', 'alt-enter', 'alt-B', 'alt-é'],
    ],
    ['alt with a sequence', `${ESC}${ESC}[A${ESC}${ESC}OC`, ['alt-up', 'alt-right']],
    ['escape keys', `${ESC}${ESC}${ESC}`, ['escape', 'escape', 'escape']],
    ['escape and a key', `${ESC}${ESC}b`, ['escape', 'alt-b']],
    ['a lone alt-[', `${ESC}[`, ['alt-[']],
    ['a lone alt-O', `${ESC}O`, ['alt-O']],
    ['a lone alt-P and alt-]', `${ESC}Px${ESC}]`, ['alt-P', "'x'", 'alt-]']],
    [
      'fixterms',
      `${ESC}[97;5u${ESC}[13;2u${ESC}[27;5;9~${ESC}[98;3u${ESC}[127;5u${ESC}[122;2u`,
      ['ctrl-a', 'shift-enter', 'ctrl-tab', 'alt-b', 'ctrl-backspace', "'Z'"],
    ],
    ['a key released', `${ESC}[97;1:3u`, [`?${ESC}[97;1:3u`]],
    [
      'mouse',
      `${ESC}[<0;10;20M${ESC}[<0;10;20m${ESC}[<64;1;1M${ESC}[<65;1;1M${ESC}[<35;2;3M${ESC}[<18;1;1M`,
      ['press 0 9,19', 'release 0 9,19', 'wheel-up 3 0,0', 'wheel-down 3 0,0', 'move 3 1,2', 'press 2 0,0 ctrl'],
    ],
    ['X10 mouse', `${ESC}[M !!a`, [`?${ESC}[M !!`, "'a'"]],
    ['a cursor report is no f3', `${ESC}[24;80R${ESC}[1;2R`, [`?${ESC}[24;80R`, 'shift-f3']],
    [
      'replies of the terminal',
      `${ESC}[?62;c${ESC}]11;rgb:0/0/0${ESC}\\${ESC}]52;c;x\x07${ESC}P1+r${ESC}\\a`,
      [`?${ESC}[?62;c`, `?${ESC}]11;rgb:0/0/0`, `?${ESC}]52;c;x`, `?${ESC}P1+r`, "'a'"],
    ],
    ['a sequence cut short by Ctrl-C', `${ESC}[12\x03a`, [`?${ESC}[12`, 'ctrl-c', "'a'"]],
    ['a sequence cut short by ESC', `${ESC}[12${ESC}[A`, [`?${ESC}[12`, 'up']],
    ['a reply cut short by Ctrl-C', `${ESC}]11;\x03`, [`?${ESC}]11;`, 'ctrl-c']],
    ['a paste', `a${ESC}[200~bt 1\r\nps\rx\ny${ESC}[201~b`, ["'a'", 'paste:bt 1\nps\nx\ny', "'b'"]],
    [
      'a paste with sequences inside',
      `${ESC}[200~${ESC}[A\x03${ESC}[20${ESC}[201~\r`,
      [`paste:${ESC}[A\x03${ESC}[20`, 'enter'],
    ],
    ['an empty paste', `${ESC}[200~${ESC}[201~a`, ["'a'"]],
    ['the end of a paste that never began', `${ESC}[201~a`, [`?${ESC}[201~`, "'a'"]],
    ['C1 controls type nothing', '\u009b1A', ['?\u009b', "'1'", "'A'"]],
  ])('%s', (_, input, expected) => {
    expect(tokens(input)).toEqual(expected);
  });

  it('replaces bytes that are no UTF-8', () => {
    const tokenizer = new Tokenizer();
    expect(tokenizer.feed(Uint8Array.of(0xff, 0x61, 0xc3, 0x0d)).map(brief)).toEqual([
      "'\ufffd'",
      "'a'",
      "'\ufffd'",
      'enter',
    ]);
  });

  it('says what it waits for', () => {
    const pendingAfter = (text: string) => {
      const tokenizer = new Tokenizer();
      tokenizer.feed(text);
      return tokenizer.pending;
    };
    expect(['a', ESC, `${ESC}[1`, `${ESC}]1`, `${ESC}[200~x`].map(pendingAfter)).toEqual([
      'nothing',
      'escape',
      'sequence',
      'sequence',
      'paste',
    ]);
  });

  it('hands out a paste that stalls, keeps it open, and lets Ctrl-C end it', () => {
    const tokenizer = new Tokenizer();
    expect(tokenizer.feed(`${ESC}[200~rm\r`)).toEqual([]);
    expect(tokenizer.flush().map(brief)).toEqual(['paste:rm\n']);
    expect(tokenizer.feed('still text\r').map(brief)).toEqual([]);
    expect(tokenizer.flush().map(brief)).toEqual(['paste:still text\n']);
    expect(tokenizer.feed('\x03a').map(brief)).toEqual(['ctrl-c', "'a'"]);
  });

  it('does not grow on sequences and pastes without end', () => {
    const tokenizer = new Tokenizer();
    for (let i = 0; i < 100; i++) expect(tokenizer.feed(`${i === 0 ? `${ESC}[` : ''}${'1;'.repeat(1000)}`)).toEqual([]);
    const [unknown, key] = tokenizer.feed('mA');
    expect(unknown?.kind === 'unknown' && unknown.raw.length <= SEQUENCE_MAX + 1).toBe(true);
    expect(key && brief(key)).toBe("'A'");

    tokenizer.feed(`${ESC}]0;`);
    for (let i = 0; i < 100; i++) tokenizer.feed('x'.repeat(1000));
    const [reply] = tokenizer.feed('\x07');
    expect(reply?.kind === 'unknown' && reply.raw.length <= SEQUENCE_MAX).toBe(true);

    const pasted = tokenizer.feed(`${ESC}[200~${'é'.repeat(3 * PASTE_MAX)}${ESC}[201~`);
    expect(pasted.map((event) => event.kind === 'paste' && event.text.length)).toEqual([
      PASTE_MAX,
      PASTE_MAX,
      PASTE_MAX,
    ]);
  });

  const pieces = fc.array(
    fc.oneof(
      fc.constantFrom(
        ESC,
        '[',
        'O',
        ']',
        'P',
        `${ESC}[200~`,
        `${ESC}[201~`,
        `${ESC}[<`,
        `${ESC}[`,
        ';',
        '5',
        '~',
        'M',
        'u',
        'A',
        '\r',
        '\n',
        '\x03',
        '\x07',
        '\\',
      ),
      fc.string({ unit: 'grapheme', maxLength: 4 }),
    ),
    { maxLength: 40 },
  );

  it('gives the same events however the input is cut', () => {
    fc.assert(
      fc.property(pieces, fc.array(fc.nat()), fc.boolean(), (parts, cuts, asText) => {
        const text = parts.join('');
        const input = asText ? text : Buffer.from(text);
        const whole = new Tokenizer();
        const expected = [...whole.feed(input), ...whole.flush()];
        const points = [0, ...cuts.map((cut) => cut % (input.length + 1)).sort((a, b) => a - b), input.length];
        const cut = new Tokenizer();
        const got: InputEvent[] = [];
        for (let i = 1; i < points.length; i++) got.push(...cut.feed(input.slice(points[i - 1], points[i])));
        got.push(...cut.flush());
        expect(got).toEqual(expected);
      }),
      { numRuns: 3000 },
    );
  });

  it('survives random bytes: no exception, every event well formed and bounded', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const tokenizer = new Tokenizer();
        for (const event of [...tokenizer.feed(bytes), ...tokenizer.flush()]) {
          if (event.kind === 'key') expect(event.name.length > 0 && [...event.text].length <= 1).toBe(true);
          if (event.kind === 'unknown') expect(event.raw.length).toBeLessThanOrEqual(SEQUENCE_MAX + 3);
          if (event.kind === 'mouse') expect(event.x >= 0 && event.y >= 0).toBe(true);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('takes a paste of 1 MB and 10,000 keys in well under a second', () => {
    const tokenizer = new Tokenizer();
    const start = performance.now();
    tokenizer.feed(Buffer.from(`${ESC}[200~${'x'.repeat(1_000_000)}${ESC}[201~${`ab${ESC}[A`.repeat(3333)}`));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});
