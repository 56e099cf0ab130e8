/** The names that the engine hands to the search. */
import { describe, expect, it } from 'vitest';
import { CancelledError, UnsupportedError } from '../../src/core/errors.ts';
import type { Kernel } from '../../src/core/kernel/kernel.ts';
import { unpackNames } from '../../src/core/symbols/packed-names.ts';
import { NAMESPACES, targetNames } from '../../src/engine/target-names.ts';
import { symbolTableOf } from '../support/kallsyms-builder.ts';

const TABLE = symbolTableOf([
  { name: 'vfs_read', type: 'T', address: 0xffffffff81000000n },
  { name: '__pfx_vfs_read', type: 'T', address: 0xffffffff80fffff0n },
  { name: 'jiffies', type: 'D', address: 0xffffffff82000000n },
]);
const TYPES = {
  *names() {
    yield { namespace: 'struct', name: 'mutex', module: undefined };
    yield { namespace: 'base', name: 'int', module: undefined };
    yield { namespace: 'typedef', name: 'pid_t', module: undefined };
    yield { namespace: 'struct', name: 'xfs_inode', module: 'xfs' };
  },
};

function kernel(parts: { symbols?: () => unknown; types?: () => unknown }): Kernel {
  return {
    get symbols() {
      return (parts.symbols ?? (() => TABLE))();
    },
    get types() {
      return (parts.types ?? (() => TYPES))();
    },
  } as unknown as Kernel;
}

describe('the names of a target', () => {
  it('are symbols without twins, and the tags of vmlinux', () => {
    const { symbols, types } = targetNames(kernel({}), 0);
    expect(symbols && unpackNames(symbols.names)).toEqual(['vfs_read', 'jiffies']);
    expect(symbols && [...symbols.addresses]).toEqual([0xffffffff81000000n, 0xffffffff82000000n]);
    expect(symbols && String.fromCharCode(...symbols.types)).toBe('TD');
    expect(types && unpackNames(types.names)).toEqual(['mutex', 'pid_t']);
    expect(types && [...types.namespaces].map((i) => NAMESPACES[i])).toEqual(['struct', 'typedef']);
  });

  it('are sent once for a table', () => {
    const { generation } = targetNames(kernel({}), 0);
    expect(targetNames(kernel({}), generation)).toEqual({ generation, symbols: undefined, types: undefined });
  });

  it('are fewer on a target that lacks something, and asked for again when the reading was stopped', () => {
    const lacking = (error: Error) => (): never => {
      throw error;
    };
    const without = targetNames(kernel({ symbols: lacking(new UnsupportedError('no kallsyms')) }), 0);
    expect(without.symbols).toBeUndefined();
    expect(without.types).toBeDefined();
    const stopped = targetNames(kernel({ types: lacking(new CancelledError()) }), 0);
    expect(stopped).toEqual({ generation: 0, symbols: undefined, types: undefined });
    expect(() => targetNames(kernel({ symbols: lacking(new TypeError('a bug')) }), 0)).toThrow(TypeError);
  });
});
