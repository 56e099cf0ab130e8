import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { Fault } from '../../../src/core/memory/fault.ts';
import {
  addressColumn,
  decimalColumn,
  headerLine,
  hexColumn,
  tableLine,
  textColumn,
} from '../../../src/core/output/columns.ts';
import { escapeControls } from '../../../src/core/output/escape.ts';
import { asciiOf, hexdumpLines } from '../../../src/core/output/hexdump.ts';
import { type Item, notice, PAUSE, row, text } from '../../../src/core/output/item.ts';
import { toJson } from '../../../src/core/output/json.ts';
import { spansOf, textOf } from '../../../src/core/output/line.ts';
import { TextView } from '../../../src/core/output/render.ts';

const FAULT = new Fault({ space: 'virtual', address: 0x10n, length: 8, what: 'task_struct.pid' }, 'unmapped');

describe('a table', () => {
  const columns = {
    pid: decimalColumn('PID', 'a PID'),
    task: addressColumn('TASK', 'an address'),
    offset: hexColumn('OFFSET', 'an offset'),
    comm: textColumn('COMM', 'a name'),
  };

  it('has its titles over its cells', () => {
    expect(textOf(headerLine(columns))).toBe('    PID        TASK          OFFSET  COMM');
    const line = tableLine(columns, { pid: 7, task: 0xffff888000000040n, offset: 8, comm: 'bash' });
    expect(textOf(line)).toBe('      7  ffff888000000040       0x8  bash');
  });

  it('shows what is not there and what could not be read, and cuts nothing', () => {
    const line = tableLine(columns, { pid: FAULT, task: null, offset: 0x123456789abcn, comm: 'x' });
    expect(textOf(line)).toBe('<fault>         -          0x123456789abc  x');
  });

  it('keeps what a cell refers to', () => {
    const spans = spansOf(tableLine(columns, { pid: 1, task: 0x1000n, offset: 0, comm: '' }));
    expect(spans.filter((part) => typeof part === 'object' && part.ref !== undefined)).toEqual([
      { text: '0000000000001000', ref: { kind: 'address', address: 0x1000n } },
    ]);
  });
});

describe('the text of a stream', () => {
  const columns = { pid: decimalColumn('PID', 'a PID', { width: 3 }) };
  const other = { comm: textColumn('COMM', 'a name') };
  const shown = (...items: readonly Item[]) => {
    const view = new TextView(columns);
    return items.flatMap((item) => [...view.lines(item)].map(textOf));
  };

  it('has a header where a table begins, and again after anything else', () => {
    const items = [
      row({ pid: 1 }),
      row({ pid: 2 }),
      text('', 'TASKS'),
      row({ pid: 3 }),
      row({ comm: 'x' }, other),
      row({ pid: 4 }),
    ];
    expect(shown(...items)).toEqual(['PID', '  1', '  2', '', 'TASKS', 'PID', '  3', 'COMM', 'x', 'PID', '  4']);
  });

  it('keeps the table over notices and pauses', () => {
    expect(shown(row({ pid: 1 }), notice('moved'), PAUSE, row({ pid: 2 }))).toEqual(['PID', '  1', '(moved)', '  2']);
  });

  it('lets a row show itself, and shows any other row by name', () => {
    expect(shown(row({ pid: 1 }, () => ['one', 'two']))).toEqual(['one', 'two']);
    const view = new TextView(undefined);
    expect([...view.lines(row({ a: 1n, b: 'x', c: { d: [1] }, e: null }))]).toEqual([
      'a: 0x1  b: x  c: {"d":[1]}  e: null',
    ]);
  });
});

describe('JSON', () => {
  test.each<[unknown, unknown]>([
    [0xffffffff81000000n, '0xffffffff81000000'],
    [-1n, '0xffffffffffffffff'],
    [7, 7],
    ['x', 'x'],
    [undefined, null],
    [null, null],
    [true, true],
    [() => 1, null],
    [FAULT, { fault: FAULT.message }],
    [
      [1n, { a: undefined, b: 2n }],
      ['0x1', { b: '0x2' }],
    ],
    [{ toJSON: () => 5n }, '0x5'],
  ])('%#', (value, expected) => {
    expect(toJson(value)).toEqual(expected);
  });

  it('ends with a value that holds itself', () => {
    const loop: Record<string, unknown> = {};
    loop['self'] = loop;
    expect(() => JSON.stringify(toJson(loop))).not.toThrow();
  });
});

describe('a hexdump', () => {
  const bytes = Uint8Array.from({ length: 20 }, (_, i) => 0x41 + i);
  const dump = (options: Partial<Parameters<typeof hexdumpLines>[0]>) =>
    hexdumpLines({ bytes, address: 0xffff888000001000n, unit: 8, ...options }).map((line) => textOf(line).trimEnd());

  test.each<[Partial<Parameters<typeof hexdumpLines>[0]>, string[]]>([
    [
      {},
      [
        'ffff888000001000:  4847464544434241 504f4e4d4c4b4a49   ABCDEFGHIJKLMNOP',
        'ffff888000001010:  0000000054535251                    QRST',
      ],
    ],
    [
      { unit: 4 },
      [
        'ffff888000001000:  44434241 48474645 4c4b4a49 504f4e4d   ABCDEFGHIJKLMNOP',
        'ffff888000001010:  54535251                              QRST',
      ],
    ],
    [{ unit: 1, bytes: bytes.subarray(0, 2) }, [`ffff888000001000:  41 42 ${'   '.repeat(14)}  AB`]],
    [{ unit: 2, ascii: false, bytes: bytes.subarray(0, 4) }, ['ffff888000001000:  4241 4443']],
    [{ unit: 4, base: 'unsigned', bytes: Uint8Array.of(255, 255, 255, 255) }, ['ffff888000001000:   4294967295']],
    [{ unit: 4, base: 'signed', bytes: Uint8Array.of(255, 255, 255, 255) }, ['ffff888000001000:           -1']],
    [{ unit: 4, swap: true, ascii: false, bytes: bytes.subarray(0, 4) }, ['ffff888000001000:  41424344']],
    [{ bytes: new Uint8Array() }, []],
  ])('%#', (options, expected) => {
    expect(dump(options)).toEqual(expected);
  });

  it('puts a name in the place of a word', () => {
    const name = (word: bigint) => (word === 0x4847464544434241n ? { text: 'schedule+5' } : undefined);
    expect(dump({ name, ascii: false })[0]).toBe('ffff888000001000:  schedule+5       504f4e4d4c4b4a49');
  });

  it('shows printable ASCII only', () => {
    expect(asciiOf(Uint8Array.of(0x1f, 0x20, 0x7e, 0x7f, 0xff))).toBe('. ~..');
  });
});

describe('text for a terminal', () => {
  test.each([
    ['plain', 'plain'],
    ['\x1b[2J', '\\x1b[2J'],
    ['a\nb\tc\x7f', 'a\\x0ab\\x09c\\x7f'],
    ['\u009b31m', '\\x9b31m'],
    ['\u202eabc\u2066', '\\u202eabc\\u2066'],
    ['\ud800x', '\\ud800x'],
    ['\u{1f600} é', '\u{1f600} é'],
  ])('%j', (raw, expected) => {
    expect(escapeControls(raw)).toBe(expected);
  });

  it('moves no cursor, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (raw) => {
        expect(escapeControls(raw)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      }),
      { numRuns: 2_000 },
    );
  });
});
