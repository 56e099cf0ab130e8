import { describe, expect, test } from 'vitest';
import { parseEventFormat } from '../../../src/core/formats/event-format.ts';
import type { EventValue } from '../../../src/core/formats/event-value.ts';
import { evaluatePrint } from '../../../src/core/formats/print-evaluate.ts';
import { parsePrintFormat } from '../../../src/core/formats/print-syntax.ts';
import { printText } from '../../../src/core/formats/print-text.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const FIELDS: Readonly<Record<string, EventValue>> = {
  n: 42n,
  minus: -5n,
  flags: 0x13n,
  state: 2n,
  dev: 0x0080_0003n,
  ip: 0xffff_ffff_8100_0010n,
  comm: 'cat',
  mac: Uint8Array.of(2, 0, 0, 0x1f, 0xff, 1),
  words: [1n, 2n, 3n],
};

function shown(print: string): string | undefined {
  const format = parsePrintFormat(print);
  if (format === undefined) return undefined;
  const record = {
    isLittle: true,
    value: (name: string) => FIELDS[name],
    bytes: (name: string) => (FIELDS[name] instanceof Uint8Array ? FIELDS[name] : undefined),
  };
  return printText(
    format.format,
    format.args.map((arg) => evaluatePrint(arg, record)),
    { symbol: (address) => (address === FIELDS['ip'] ? 'vfs_read' : undefined), text: () => undefined },
  );
}

describe('print fmt', () => {
  test.each<readonly [string, string | undefined]>([
    ['"n=%d minus=%d u=%u", REC->n, REC->minus, REC->minus', 'n=42 minus=-5 u=4294967291'],
    ['"%5d|%-5d|%05d|%#x|%llx", REC->n, REC->n, REC->n, REC->n, REC->minus', '   42|42   |00042|0x2a|fffffffffffffffb'],
    ['"%s %.2s %c", REC->comm, REC->comm, \'a\'', 'cat ca a'],
    ['"%pS+%p", (void *)REC->ip, (void *)REC->n', 'vfs_read+0x2a'],
    ['"%d%% " "done", REC->n', '42% done'],
    ['"%*d", 6, REC->n', '    42'],
    ['"%d,%d", ((unsigned int) ((REC->dev) >> 20)), ((unsigned int) ((REC->dev) & ((1U << 20) - 1)))', '8,3'],
    ['"%s", REC->n == 42 && !0 ? "yes" : "no"', 'yes'],
    ['"%s", __print_flags(REC->flags, "|", { 0x1, "A" }, { 0x2, "B" }, { 0x4, "C" })', 'A|B|0x10'],
    ['"%s", __print_flags(0, "|", { 0x1, "A" })', ''],
    ['"%s", REC->flags ? __print_flags(REC->flags, "", { 0x13, "ALL" }) : "none"', 'ALL'],
    ['"%s %s", __print_symbolic(REC->state, { 1, "R" }, { 2, "S" }), __print_symbolic(9, { 1, "R" })', 'S 0x9'],
    ['"%pM", REC->mac', '02:00:00:1f:ff:01'],
    ['"%s", __print_hex(REC->mac, 3)', '02 00 00'],
    ['"%s", __print_array(REC->words, 3, 4)', '{0x1,0x2,0x3}'],
    ['"%d", REC->words[1]', '2'],
    ['"%*pbl %*pb", 32, __get_bitmask(mac), 8, __get_bitmask(mac)', '1,24-28 2'],
    ['"%d", (int)(u8)300', '44'],
    ['"%d %d", REC->nosuch, REC->n', '? 42'],
    ['"%d %d", REC->n', undefined],
    ['"%s", ({ int i = 0; i; })', undefined],
    ['"%d", 1 / 0', '?'],
    ['no text', undefined],
    ['', undefined],
  ])('%s', (print, text) => {
    expect(shown(print)).toBe(text);
  });

  test('nested without end, or changed at random, ends', () => {
    expect(parsePrintFormat(`"%d", ${'('.repeat(50_000)}`)).toBeUndefined();
    expect(parsePrintFormat(`"%d", ${'-'.repeat(50_000)}1`)).toBeUndefined();
    expect(parsePrintFormat(`"%d", ${'1+'.repeat(8000)}1`)).toBeUndefined();
    expect(parsePrintFormat(`"%d", REC->words${'[0]'.repeat(5000)}`)).toBeUndefined();
    expect(shown(`"%d", ${'1+'.repeat(1900)}1`)).toBe('1901');
    const random = seededRandom(3);
    const source =
      '"%s %-5d %pS", __print_flags(REC->flags & 3, "|", { 0x1, "A" }), REC->n ? (u8)REC->n : -1, (void *)REC->ip';
    for (let i = 0; i < 10_000; i++) {
      shown(Buffer.from(mutate(new Uint8Array(Buffer.from(source)), random)).toString('latin1'));
    }
  });
});

describe('format', () => {
  const text = `name: made_up
ID: 77
format:
\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;
\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;

\tfield:char comm[TASK_COMM_LEN];\toffset:8;\tsize:16;\tsigned:0;
\tfield:__data_loc char[] name;\toffset:24;\tsize:4;\tsigned:0;
\tfield:__rel_loc u8[] data;\toffset:28;\tsize:4;\tsigned:0;
\tfield:const struct file * file;\toffset:32;\tsize:8;\tsigned:0;
\tfield:unsigned long args[6];\toffset:40;\tsize:48;\tsigned:0;
\tfield:unsigned long rest[];\toffset:88;\tsize:0;\tsigned:0;

print fmt: "%s", REC->comm
`;

  test('fields with their types and places', () => {
    const format = parseEventFormat('made', text);
    expect(format).toMatchObject({ name: 'made_up', id: 77, system: 'made', print: '"%s", REC->comm' });
    expect(format?.fields.map(({ name, type, count, location }) => [name, type, count, location])).toEqual([
      ['comm', 'char[TASK_COMM_LEN]', 16, 'here'],
      ['name', '__data_loc char[]', 0, 'data'],
      ['data', '__rel_loc u8[]', 0, 'relative'],
      ['file', 'const struct file *', undefined, 'here'],
      ['args', 'unsigned long[6]', 6, 'here'],
      ['rest', 'unsigned long[]', 0, 'here'],
    ]);
  });

  test('what is none is none', () => {
    for (const other of ['', 'name: x', 'ID: 5', 'name: x\nID: 99999999999']) {
      expect(parseEventFormat('made', other)).toBeUndefined();
    }
  });
});
