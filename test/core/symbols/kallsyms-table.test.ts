import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NotFoundError, UnsupportedError } from '../../../src/core/errors.ts';
import { symbolColumns } from '../../../src/core/formats/kallsyms-columns.ts';
import { parseKallsyms } from '../../../src/core/formats/kallsyms-text.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { createSymbolTable } from '../../../src/core/symbols/kallsyms-table.ts';
import { formatSymbol } from '../../../src/core/symbols/symbol-table.ts';
import { symbolTableOf, type TestSymbol } from '../../support/kallsyms-builder.ts';

const TEXT = 0xffffffff81000000n;
const MODULE = 0xffffffffc0200000n;

/** vmlinux in order, then two modules whose symbols are not, as /proc/kallsyms has them. */
const SYMBOLS: readonly TestSymbol[] = [
  { address: 0n, type: 'A', name: 'fixed_percpu_data' },
  { address: 0x1f380n, type: 'A', name: 'runqueues' },
  { address: 0x30000n, type: 'A', name: '__per_cpu_end' },
  { address: TEXT, type: 'T', name: 'srso_alias_untrain_ret' },
  { address: TEXT, type: 'T', name: '_stext' },
  { address: TEXT, type: 'T', name: '_text' },
  { address: TEXT + 0x100n, type: 't', name: '__pfx_run_init_process' },
  { address: TEXT + 0x100n, type: 'T', name: '__split_text_end' },
  { address: TEXT + 0x110n, type: 't', name: 'run_init_process' },
  { address: TEXT + 0x200n, type: 't', name: 'cleanup' },
  { address: TEXT + 0x300n, type: 'T', name: 'schedule' },
  { address: TEXT + 0x400n, type: 't', name: '__do_sys_fork' },
  { address: TEXT + 0x400n, type: 'T', name: '__x64_sys_fork' },
  { address: TEXT + 0x500n, type: 't', name: 'cleanup' },
  { address: TEXT + 0x600n, type: 'W', name: 'arch_hook' },
  { address: TEXT + 0x700n, type: 'T', name: '_etext' },
  { address: TEXT + 0x200000n, type: 'D', name: '__start_rodata' },
  { address: TEXT + 0x300000n, type: 'D', name: 'init_task' },
  { address: TEXT + 0x400000n, type: 'T', name: '_sinittext' },
  { address: TEXT + 0x401000n, type: 'T', name: '_einittext' },
  { address: TEXT + 0x500000n, type: 'B', name: '_end' },
  { address: MODULE + 0x80n, type: 't', name: 'probe', module: 'kdbg_lab' },
  { address: MODULE, type: 'T', name: 'cleanup', module: 'kdbg_lab' },
  { address: MODULE + 0x100n, type: 't', name: 'last', module: 'kdbg_lab' },
  { address: MODULE + 0x2000000n, type: 'd', name: 'counter', module: 'kdbg_lab' },
  { address: MODULE + 0x4000n, type: 't', name: 'nfs_open', module: 'nfs' },
  { address: 0xffffffffc0700000n, type: 't', name: 'bpf_prog_1234_trace', module: 'bpf' },
];
const table = symbolTableOf(SYMBOLS);

function nearestText(address: bigint): string | undefined {
  const found = table.nearest(address);
  return found === undefined ? undefined : formatSymbol(found.symbol, found.offset);
}

describe('a symbol table: by name', () => {
  it('gives address, letter, module and size', () => {
    expect(table.find('schedule')).toEqual({
      name: 'schedule',
      address: TEXT + 0x300n,
      type: 'T',
      module: undefined,
      size: 0x100,
    });
    expect(table.find('nfs_open')).toMatchObject({ module: 'nfs', size: undefined });
    expect(table.find('_etext')?.size).toBeUndefined();
  });

  it('keeps duplicates, prefers the global one, else the first', () => {
    expect(table.all('cleanup').map((symbol) => [symbol.address - TEXT, symbol.module])).toEqual([
      [0x200n, undefined],
      [0x500n, undefined],
      [MODULE - TEXT, 'kdbg_lab'],
    ]);
    expect(table.find('cleanup')?.module).toBe('kdbg_lab');
    expect(table.find('cleanup', 'nfs')).toBeUndefined();
    const statics = symbolTableOf(SYMBOLS.filter((symbol) => symbol.module === undefined));
    expect(statics.find('cleanup')?.address).toBe(TEXT + 0x200n);
  });

  it('has nothing for a name that is a part or an extension of one', () => {
    for (const name of ['sched', 'schedule_', '', 'SCHEDULE', 'schedul\u0065\u0301'])
      expect(table.find(name)).toBeUndefined();
    expect(table.all('sched')).toEqual([]);
  });

  it('suggests when a name is wrong', () => {
    expect(() => table.get('shcedule')).toThrow(new NotFoundError('symbol', 'shcedule', ['schedule']).message);
    expect(table.get('schedule').address).toBe(TEXT + 0x300n);
  });

  it('lists distinct names by address', () => {
    const names = table.names();
    expect(names.length).toBe(new Set(SYMBOLS.map((symbol) => symbol.name)).size);
    expect(names[0]).toBe('fixed_percpu_data');
    expect(names.at(-1)).toBe('counter');
  });
});

describe('a symbol table: by address', () => {
  it.each([
    [TEXT + 0x310n, 'schedule+0x10'],
    [TEXT + 0x3ffn, 'schedule+0xff'],
    [TEXT + 0x400n, '__do_sys_fork'],
    [TEXT, 'srso_alias_untrain_ret'],
    [TEXT + 0x108n, '__split_text_end+0x8'],
    [0x1f388n, 'runqueues+0x8'],
    [MODULE + 0x7fn, 'cleanup+0x7f'],
    [MODULE + 0x90n, 'probe+0x10'],
    [MODULE + 0x2000010n, 'counter+0x10'],
  ])('%i is in %s', (address, text) => {
    expect(nearestText(address)).toBe(text);
  });

  it.each([
    ['past the end of the text', TEXT + 0x701n],
    ['past the end of the image', TEXT + 0x500001n],
    ['past the per-CPU symbols', 0x30001n],
    ['between the image and the modules', 0xffffffffa0000000n],
    ['past the last symbol of a module by more than a bound', MODULE + 0x4000n + 0x10000n],
    ['in a hole of a module', MODULE + 0x1000000n],
    ['user memory', 0x7fff12345678n],
    ['a direct map address', 0xffff888012345678n],
    ['the end of the address space', 0xffffffffffffffffn],
  ])('an address %s is in no symbol', (_, address) => {
    expect(table.nearest(address)).toBeUndefined();
  });

  it('ends a module where the next begins', () => {
    expect(nearestText(MODULE + 0x3fffn)).toBe('last+0x3eff');
    expect(nearestText(MODULE + 0x4000n)).toBe('nfs_open');
  });

  it('gives all aliases, the preferred first', () => {
    const names = (address: bigint) => table.at(address).map((symbol) => symbol.name);
    expect(names(TEXT)).toEqual(['srso_alias_untrain_ret', '_stext', '_text']);
    expect(names(TEXT + 0x100n)).toEqual(['__split_text_end', '__pfx_run_init_process']);
    expect(names(TEXT + 0x101n)).toEqual([]);
  });

  it('steps through all symbols in both directions', () => {
    const forward = [];
    for (let symbol = table.at(0n)[0]; symbol !== undefined; symbol = table.next(symbol)) forward.push(symbol.name);
    const backward = [];
    for (let symbol = table.find('counter'); symbol !== undefined; symbol = table.previous(symbol)) {
      backward.push(symbol.name);
    }
    expect(forward).toHaveLength(SYMBOLS.length);
    expect(backward).toEqual(forward.reverse());
    expect([...table.symbols()]).toHaveLength(SYMBOLS.length);
    expect([...table.symbols('nfs')].map((symbol) => symbol.name)).toEqual(['nfs_open']);
  });

  it('knows text from data', () => {
    expect(table.isText(TEXT)).toBe(true);
    expect(table.isText(TEXT + 0x6ffn)).toBe(true);
    expect(table.isText(TEXT + 0x700n)).toBe(false);
    expect(table.isText(TEXT + 0x300000n)).toBe(false);
    expect(table.isText(TEXT + 0x400800n)).toBe(true);
    expect(table.isText(MODULE + 0x90n)).toBe(true);
    expect(table.isText(MODULE + 0x2000010n)).toBe(false);
    expect(table.isText(0xffffffffc0700010n)).toBe(true);
    expect(table.isText(0xffff888012345678n)).toBe(false);
  });
});

describe('a symbol table made to be slow', () => {
  it('answers about 100,000 symbols of one address and one name', () => {
    const bytes = encodeText('ffffffff81000000 t same\n'.repeat(100_000));
    const built = createSymbolTable(parseKallsyms(bytes).columns, { source: 'test' });
    expect(built.names()).toEqual(['same']);
    expect(built.all('same')).toHaveLength(100_000);
    expect([...built.symbols()]).toHaveLength(100_000);
    for (let i = 0n; i < 1000n; i++) built.nearest(TEXT + i);
    expect(built.near('sane', 5)).toEqual(['same']);
  }, 5000);
});

describe('a symbol table whose addresses are hidden', () => {
  const columns = symbolColumns(SYMBOLS.map((symbol) => ({ ...symbol, address: 0n })));
  const hidden = createSymbolTable(columns, { source: '/proc/kallsyms', hidden: true });

  it('has names, and says why it has no addresses', () => {
    expect(hidden.addressesHidden).toBe(true);
    expect(hidden.names()).toContain('schedule');
    expect(hidden.near('shcedule', 1)).toEqual(['schedule']);
    expect(hidden.all('cleanup')).toHaveLength(3);
    expect(hidden.find('schedule')).toBeUndefined();
    expect(hidden.nearest(TEXT)).toBeUndefined();
    expect(hidden.at(0n)).toEqual([]);
    expect(hidden.isText(0n)).toBe(false);
    expect(() => hidden.get('schedule')).toThrow(UnsupportedError);
    expect(() => hidden.get('nonesuch')).toThrow(NotFoundError);
  });
});

describe('a symbol table of any symbols', () => {
  const anySymbol = fc.record({
    address: fc.oneof(fc.bigInt(0n, 40n), fc.bigInt(TEXT, TEXT + 40n), fc.bigInt(0n, (1n << 64n) - 1n)),
    type: fc.constantFrom('T', 't', 'D', 'W', 'A', 'b'),
    name: fc.stringMatching(/^[a-c_]{1,3}$/),
    module: fc.constantFrom(undefined, undefined, 'x', 'y'),
  });
  const anySymbols = fc.array(anySymbol, { maxLength: 60 });

  it('agrees with a plain search', () => {
    fc.assert(
      fc.property(anySymbols, (symbols) => {
        const built = symbolTableOf(symbols);
        const sorted = symbols.map((symbol, i) => ({ ...symbol, i }));
        sorted.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : a.i - b.i));
        expect([...built.symbols()].map((symbol) => [symbol.name, symbol.address])).toEqual(
          sorted.map((symbol) => [symbol.name, symbol.address]),
        );
        for (const { name, address } of symbols) {
          expect(built.all(name).map((symbol) => symbol.address)).toEqual(
            sorted.filter((symbol) => symbol.name === name).map((symbol) => symbol.address),
          );
          expect(built.at(address)).toHaveLength(symbols.filter((symbol) => symbol.address === address).length);
          const found = built.nearest(address);
          expect(found === undefined || found.symbol.address + BigInt(found.offset) === address).toBe(true);
        }
        expect(new Set(built.names())).toEqual(new Set(symbols.map((symbol) => symbol.name)));
      }),
      { numRuns: 300 },
    );
  });
});
