import { describe, expect, it } from 'vitest';
import { UsageError } from '../../../src/core/errors.ts';
import { completeSymbol, parseNamePattern, searchSymbols } from '../../../src/core/symbols/search.ts';
import { symbolTableOf, type TestSymbol } from '../../support/kallsyms-builder.ts';

const NAMES = ['vfs_read', 'vfs_readv', '__pfx_vfs_read', 'vfs_read.cold', 'ksys_read', 'VFS_X', 'a.b', 'axb', 'a+b'];
const SYMBOLS: readonly TestSymbol[] = [
  ...NAMES.map((name, i) => ({ name, type: 't', address: 0xffffffff81000000n + BigInt(64 * i) })),
  { name: 'vfs_read', type: 't', address: 0xffffffffc0000000n, module: 'shadow' },
];
const table = symbolTableOf(SYMBOLS);
const found = (pattern: string, module?: string) =>
  searchSymbols(table, parseNamePattern(pattern), module).map(
    (symbol) => `${symbol.name}${symbol.module === undefined ? '' : ` [${symbol.module}]`}`,
  );

describe('searching symbols', () => {
  it('by a part of the name, by address, duplicates and twins kept', () => {
    expect(found('vfs_read')).toEqual([
      'vfs_read',
      'vfs_readv',
      '__pfx_vfs_read',
      'vfs_read.cold',
      'vfs_read [shadow]',
    ]);
    expect(found('a.b')).toEqual(['a.b']);
    expect(found('vfs_read', 'shadow')).toEqual(['vfs_read [shadow]']);
    expect(found('nonesuch')).toEqual([]);
  });

  it('by a glob, whole', () => {
    expect(found('*s_read')).toEqual(['vfs_read', '__pfx_vfs_read', 'ksys_read', 'vfs_read [shadow]']);
    expect(found('vfs_read?')).toEqual(['vfs_readv']);
    expect(found('a+?')).toEqual(['a+b']);
    const long = symbolTableOf([{ name: 'a'.repeat(1000), type: 't', address: 1n }]);
    expect(searchSymbols(long, parseNamePattern(`${'*a'.repeat(50)}b*`))).toEqual([]);
    expect(searchSymbols(long, parseNamePattern('*a*'))).toHaveLength(1);
  });

  it('by a regular expression', () => {
    expect(found('/^vfs_(read|write)v?$/')).toEqual(['vfs_read', 'vfs_readv', 'vfs_read [shadow]']);
    expect(found('/^vfs_x/i')).toEqual(['VFS_X']);
  });

  it('refuses a malformed regular expression with the reason', () => {
    expect(() => parseNamePattern('/(/')).toThrow(UsageError);
    expect(() => parseNamePattern('/(/')).toThrow(/regular expression \/\(\/: unterminated group/);
  });
});

describe('completing a symbol', () => {
  it('gives names that begin so, what the compiler made last', () => {
    expect(completeSymbol(table, 'vfs_', 10)).toEqual(['vfs_read', 'vfs_readv', 'vfs_read.cold']);
    expect(completeSymbol(table, '', 2)).toEqual(['VFS_X', 'a+b']);
    expect(completeSymbol(table, 'zz', 2)).toEqual([]);
  });
});
