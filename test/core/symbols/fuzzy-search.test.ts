import fuzzysort from 'fuzzysort';
import { describe, expect, it } from 'vitest';
import { prepareCandidates } from '../../../src/core/symbols/fuzzy-candidates.ts';
import { createFuzzySearch, fuzzyNames } from '../../../src/core/symbols/fuzzy-search.ts';
import { symbolTableOf, type TestSymbol } from '../../support/kallsyms-builder.ts';
import { seededRandom } from '../../support/mutations.ts';

/** Names of real kernels: what is meant, and what resembles it. */
const TEXT = `
  mutex_lock __mutex_lock_slowpath __ww_mutex_lock_slowpath __mutex_lock_killable_slowpath mutex_lock_io mutex_unlock
  rt_mutex_lock __mutex_unlock_slowpath.constprop.0 mutex_lock_killable mutex_trylock __pfx_mutex_lock
  vfs_unlink eventfs_remount_unlock __fsnotify_vfsmount_delete vfs_read vfs_readv vfs_read.cold
  xfs_ilock xfs_iunlock xfs_ilock_nowait xfrm_hash_rebuild rcu_exp_jiffies_till_stall_check
  do_sys_open do_sys_openat2 __do_sys_openat2 __do_sys_perf_event_open __x64_sys_open
  tcp_v4_rcv tcp_v4_do_rcv tcp_v4_syn_recv_sock tcp_recvmsg tcp_sendmsg tcp_sendmsg_locked
  schedule __schedule io_schedule schedule_timeout schedule_idle preempt_schedule
  do_mlock mlock_folio can_do_mlock _printk copy_process klp_copy_process
`
  .split(/\s+/)
  .filter((name) => name !== '');
const DATA = `
  init_task __ksymtab_init_task jiffies jiffies_64 runqueues init_mm slab_caches pcpu_hot
  __ksymtab_mutex_lock __kstrtab_mutex_lock __func__.12 __tracepoint_sched_switch mutex_lock_key
`
  .split(/\s+/)
  .filter((name) => name !== '');
const SYMBOLS: readonly TestSymbol[] = [
  ...TEXT.map((name, i) => ({ name, type: 'T', address: 0xffffffff81000000n + BigInt(64 * i) })),
  ...DATA.map((name, i) => ({ name, type: 'D', address: 0xffffffff82000000n + BigInt(64 * i) })),
];
const search = createFuzzySearch(fuzzysort, fuzzyNames(symbolTableOf(SYMBOLS)));

describe('fuzzy search', () => {
  it.each([
    ['mutlockslow', '__mutex_lock_slowpath'],
    ['vfsunl', 'vfs_unlink'],
    ['xfs_il', 'xfs_ilock'],
    ['do_sys_open', 'do_sys_open'],
    ['tcpv4rcv', 'tcp_v4_rcv'],
    ['schedule', 'schedule'],
    ['mutex_lock', 'mutex_lock'],
    ['mutexlock', 'mutex_lock'],
    ['mlock', 'mlock_folio'],
    ['vfs_read', 'vfs_read'],
    ['initmm', 'init_mm'],
    ['init task', 'init_task'],
    ['slabcaches', 'slab_caches'],
    ['runq', 'runqueues'],
    ['printk', '_printk'],
    ['copyproc', 'copy_process'],
    ['x64sysopen', '__x64_sys_open'],
    ['MUTLOCKSLOW', '__mutex_lock_slowpath'],
  ])('%s is %s', (query, first) => {
    expect(search.find(query, 5)[0]?.name).toBe(first);
  });

  it('puts text before data and whole functions before pieces', () => {
    const names = search.find('mutex_lock', 50).map((match) => match.name);
    expect(names.indexOf('mutex_lock_io')).toBeLessThan(names.indexOf('mutex_lock_key'));
    const reads = search.find('vfs_rea', 50).map((match) => match.name);
    expect(reads.indexOf('vfs_readv')).toBeLessThan(reads.indexOf('vfs_read.cold'));
  });

  it('leaves out twins and the tables of exports', () => {
    const names = search.find('mutex_lock', 50).map((match) => match.name);
    expect(names.filter((name) => /^__(?:pfx|ksymtab|kstrtab)_/.test(name))).toEqual([]);
    expect(search.count).toBe(SYMBOLS.length - 4);
  });

  it('tells which letters matched', () => {
    expect(search.find('vfsunl', 1)[0]?.positions).toEqual([0, 1, 2, 4, 5, 6]);
  });

  it('finds nothing for nothing, and nothing that is not there', () => {
    for (const query of ['', '   ', 'zzzz', 'q'.repeat(500), '\u{1f600}']) expect(search.find(query, 5)).toEqual([]);
    expect(search.find('schedule', 2)).toHaveLength(2);
  });

  it('finds the same typed letter by letter and at once', () => {
    for (const query of ['mutlockslow', 'schedule_t', 'tcpv4rcv', 'jiff']) {
      const fresh = createFuzzySearch(fuzzysort, fuzzyNames(symbolTableOf(SYMBOLS)));
      for (let length = 1; length < query.length; length++) search.find(query.slice(0, length), 10);
      expect(search.find(query, 10)).toEqual(fresh.find(query, 10));
    }
  });
});

describe('fuzzy candidates', () => {
  it('keep exactly the names that hold the letters in order, while there is room', () => {
    const random = seededRandom(7);
    const letters = 'ab_c0';
    const word = (length: number) =>
      Array.from({ length }, () => letters[Math.floor(random() * letters.length)]).join('');
    const names = Array.from({ length: 400 }, () => word(1 + Math.floor(random() * 8)));
    const candidates = prepareCandidates(names);
    for (let i = 0; i < 500; i++) {
      const query = word(1 + Math.floor(random() * 4));
      const holds = new RegExp([...query].join('.*'));
      const expected = names.flatMap((name, k) => (holds.test(name) ? [k] : []));
      expect([...candidates.find(query, names.length)].sort((a, b) => a - b)).toEqual(expected);
      expect(candidates.find(query, 5).length).toBe(Math.min(5, expected.length));
    }
  });

  it('keep the likeliest when there is not', () => {
    const names = [...Array.from({ length: 100 }, (_, i) => `a${i}schedx_ule`), 'io_schedule', 'schedule'];
    expect([...prepareCandidates(names).find('schedule', 2)]).toEqual([100, 101]);
  });
});
