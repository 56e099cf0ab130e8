/** The search thread of the built program: what is found, how fast, and what happens to queries that are overtaken. */

import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packNames, shared } from '../../src/core/symbols/packed-names.ts';
import { type Found, Search } from '../../src/engine/search.ts';
import type { TargetNames } from '../../src/engine/target-names.ts';
import { buildProgram, type Program } from '../support/program.ts';

let program: Program;
let search: Search;
let generation = 2;

beforeAll(() => {
  program = buildProgram();
  search = new Search(pathToFileURL(join(program.folder, 'dist/search.js')), async (known) => namesFor(known));
});
afterAll(() => {
  search.close();
  program.remove();
});

const MEANT = ['__mutex_lock_slowpath', 'vfs_unlink', 'xfs_ilock', 'do_sys_open', 'tcp_v4_rcv', 'schedule', 'jiffies'];

function namesFor(known: number): TargetNames {
  if (known === generation) return { generation, symbols: undefined, types: undefined };
  const names = [...MEANT, 'ext4_lookup', 'mutex_lock', 'tcp_v4_do_rcv'];
  return {
    generation,
    symbols: {
      names: packNames(names),
      types: shared(Uint8Array.from(names, (name) => (name === 'jiffies' ? 'D' : 'T').charCodeAt(0))),
      addresses: shared(BigUint64Array.from(names.map((_, i) => 0xffffffff81000000n + BigInt(i)))),
      modules: shared(Uint16Array.from(names, (name) => (name.startsWith('xfs') ? 1 : 0))),
      moduleNames: ['xfs'],
    },
    types: { names: packNames(['task_struct', 'mutex']), namespaces: shared(Uint8Array.of(0, 0)) },
  };
}

const symbols = (found: readonly Found[] | undefined): readonly string[] =>
  (found ?? []).filter(({ kind }) => kind === 'symbol').map(({ name }) => name);

describe('the search thread', () => {
  it('finds nothing before names are there, then symbols with what is known of them', async () => {
    expect(await search.find('vfsunl', 5)).toEqual([]);
    await search.prepare();
    const [best] = (await search.find('xfs_il', 5)) ?? [];
    expect(best).toMatchObject({
      kind: 'symbol',
      name: 'xfs_ilock',
      address: 0xffffffff81000002n,
      type: 'T',
      module: 'xfs',
    });
    expect(best?.positions).toEqual([0, 1, 2, 3, 4, 5]);
  });

  it.each([
    ['mutlockslow', '__mutex_lock_slowpath'],
    ['vfsunl', 'vfs_unlink'],
    ['xfs_il', 'xfs_ilock'],
    ['do_sys_open', 'do_sys_open'],
    ['tcpv4rcv', 'tcp_v4_rcv'],
  ])('%s is %s', async (query, first) => {
    expect(symbols(await search.find(query, 5))[0]).toBe(first);
  });

  it('searches types and the lists it is given beside the symbols', async () => {
    search.setList('tasks', ['kworker/0:1', 'mutual', 'h\u00e9llo']);
    const found = (await search.find('mut', 5)) ?? [];
    expect(found.map(({ kind, name }) => `${kind} ${name}`)).toEqual(
      expect.arrayContaining(['symbol mutex_lock', 'type mutex', 'other mutual']),
    );
    expect((await search.find('llo', 5))?.find(({ kind }) => kind === 'other')).toMatchObject({
      name: 'h\u00e9llo',
      index: 2,
    });
  });

  it('answers the first of many queries and the last, and tells the others so', async () => {
    const typed = ['m', 'mu', 'mut', 'mutl', 'mutlock'].map((query) => search.find(query, 5));
    const answers = await Promise.all(typed);
    expect(answers.map((answer) => answer !== undefined)).toEqual([true, false, false, false, true]);
    expect(symbols(answers.at(-1))).toContain('mutex_lock');
  });

  it('takes other names when the target has others', async () => {
    generation = 3;
    await search.prepare();
    expect(search.symbolCount).toBe(10);
  });
});
