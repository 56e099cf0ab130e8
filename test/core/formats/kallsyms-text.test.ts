import { describe, expect, it } from 'vitest';
import { columnName, concatColumns, symbolColumns } from '../../../src/core/formats/kallsyms-columns.ts';
import { type KallsymsText, parseKallsyms } from '../../../src/core/formats/kallsyms-text.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { kallsymsText } from '../../support/kallsyms-builder.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const TEXT = `\
0000000000000000 A fixed_percpu_data
ffffffff81000000 T _stext
ffffffff810f6390 T schedule
ffffffffc0201000 t nfs_wait_bit_killable	[nfs]
ffffffffc0201100 T nfs_file_read	[nfs]
ffffffffc0300000 t bpf_prog_6deef7357e7b4530_sd_fw_egress	[bpf]
`;

function symbolsOf({ columns }: KallsymsText): string[] {
  return Array.from({ length: columns.count }, (_, i) => {
    const module = columns.modules[i] as number;
    const owner = module === 0 ? '' : ` [${columns.moduleNames[module - 1]}]`;
    const type = String.fromCharCode(columns.types[i] as number);
    return `${(columns.addresses[i] as bigint).toString(16)} ${type} ${columnName(columns, i)}${owner}`;
  });
}

describe('parseKallsyms', () => {
  it('reads addresses, letters, names and modules', () => {
    expect(symbolsOf(parseKallsyms(encodeText(TEXT)))).toEqual([
      '0 A fixed_percpu_data',
      'ffffffff81000000 T _stext',
      'ffffffff810f6390 T schedule',
      'ffffffffc0201000 t nfs_wait_bit_killable [nfs]',
      'ffffffffc0201100 T nfs_file_read [nfs]',
      'ffffffffc0300000 t bpf_prog_6deef7357e7b4530_sd_fw_egress [bpf]',
    ]);
  });

  it.each([
    ['no address', 'T schedule\n'],
    ['an address of 15 digits', 'fffffff810f6390 T schedule\n'],
    ['a digit that is none', 'fffffffg810f6390 T schedule\n'],
    ['no name', 'ffffffff810f6390 T \n'],
    ['a letter that is none', 'ffffffff810f6390 - schedule\n'],
    ['a control sequence in the name', 'ffffffff810f6390 T a\u001b[2Jb\n'],
    ['a second word', 'ffffffff810f6390 T two words\n'],
    ['a module without a bracket', 'ffffffff810f6390 T f\t[nfs\n'],
    ['a module without a name', 'ffffffff810f6390 T f\t[]\n'],
    ['a name of 1,025 bytes', `ffffffff810f6390 T ${'n'.repeat(1025)}\n`],
    ['an empty line', '\n'],
  ])('skips and counts %s, and keeps the lines around it', (_, line) => {
    const good = 'ffffffff81000000 T _stext\n';
    const { columns } = parseKallsyms(encodeText(good + line + good));
    expect(columns.count).toBe(2);
    expect(columns.skipped).toBe(1);
  });

  it('skips a last line that was cut, since its name may be', () => {
    const { columns } = parseKallsyms(encodeText('ffffffff81000000 T _stext\nffffffff81000010 T sched'));
    expect([columns.count, columns.skipped]).toEqual([1, 1]);
  });

  it('tells hidden addresses from a first address of zero', () => {
    const hidden = TEXT.replace(/^[0-9a-f]{16}/gm, '0'.repeat(16));
    expect(parseKallsyms(encodeText(hidden)).hidden).toBe(true);
    expect(parseKallsyms(encodeText(TEXT)).hidden).toBe(false);
    expect(parseKallsyms(new Uint8Array(0)).hidden).toBe(false);
  });

  it('survives 10,000 damaged texts with what is left of them', () => {
    const bytes = encodeText(TEXT);
    const random = seededRandom(1);
    for (let i = 0; i < 10_000; i++) {
      const { columns } = parseKallsyms(mutate(bytes, random));
      expect(columns.count + columns.skipped).toBeLessThanOrEqual(bytes.length);
      for (let k = 0; k < columns.count; k++) {
        expect(columnName(columns, k)).toMatch(/^[!-~]+$/);
        expect(columns.modules[k]).toBeLessThanOrEqual(columns.moduleNames.length);
      }
    }
  });
});

describe('concatColumns', () => {
  it('joins parts and their modules', () => {
    const vmlinux = parseKallsyms(encodeText(TEXT)).columns;
    const modules = symbolColumns([
      { address: 0xffffffffc0400000n, type: 't', name: 'probe', module: 'kdbg_lab' },
      { address: 0xffffffffc0201200n, type: 'd', name: 'nfs_data', module: 'nfs' },
    ]);
    const whole = concatColumns([vmlinux, modules]);
    expect(symbolsOf({ columns: whole, hidden: false }).slice(3)).toEqual([
      'ffffffffc0201000 t nfs_wait_bit_killable [nfs]',
      'ffffffffc0201100 T nfs_file_read [nfs]',
      'ffffffffc0300000 t bpf_prog_6deef7357e7b4530_sd_fw_egress [bpf]',
      'ffffffffc0400000 t probe [kdbg_lab]',
      'ffffffffc0201200 d nfs_data [nfs]',
    ]);
  });

  it('gives the same as the text of the same symbols', () => {
    const symbols = [
      { address: 0xffffffff81000000n, type: 'T', name: '_stext' },
      { address: 0xffffffffc0000000n, type: 't', name: 'init', module: 'ext4' },
    ];
    const columns = symbolColumns(symbols);
    expect(symbolsOf({ columns, hidden: false })).toEqual(symbolsOf(parseKallsyms(kallsymsText(symbols))));
  });
});
