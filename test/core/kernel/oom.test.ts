import { describe, expect, it } from 'vitest';
import { oomLines, oomRow } from '../../../src/core/command/oom-view.ts';
import { type OomReport, parseOom } from '../../../src/core/kernel/oom-report.ts';
import { oomScores } from '../../../src/core/kernel/oom-score.ts';
import { findReports, reportLines } from '../../../src/core/kernel/report.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { dmesg, dmesgFixture } from '../../support/dmesg.ts';

function oomsOf(name: string): readonly OomReport[] {
  return findReports(dmesgFixture(name))
    .filter(({ kind }) => kind === 'oom')
    .map(({ records }) => parseOom(reportLines(records)) as OomReport);
}

describe('OOM reports of real kernels', () => {
  it.each([
    ['5.10', 122, 1_400_200],
    ['6.1-oom', 129, 1_363_768],
    ['6.12', 184, 1_371_904],
    ['6.18-oom', 174, 1_361_536],
    ['7.2', 148, 1_343_996],
  ])('%s: the machine was out of memory', (name, pid, anonRss) => {
    const [machine] = oomsOf(name);
    expect(machine).toMatchObject({
      comm: 'h',
      order: 0,
      constraint: 'NONE',
      cgroup: undefined,
      swapTotal: 0,
      victims: [{ pid, comm: 'h', anonRss, reaped: undefined }],
    });
    expect(machine?.tasks.map(({ comm }) => comm).sort()).toEqual(['cat', 'cat', 'cat', 'h']);
    expect(machine?.zones.map(({ zone }) => zone)).toEqual(['DMA', 'DMA32']);
    expect(machine?.pages.get('active_anon') ?? machine?.pages.get('inactive_anon')).toBeGreaterThan(0);
  });

  it.each(['5.10', '6.1-oom', '6.12', '6.18-oom', '7.2'])('%s: a cgroup was at its limit', (name) => {
    const group = oomsOf(name)[1];
    expect(group).toMatchObject({ constraint: 'MEMCG', cgroup: { path: '/web', usage: 30_720, limit: 30_720 } });
    expect(group?.cgroup?.stats.get('anon')).toBeGreaterThan(30_000_000);
    expect(oomLines(group as OomReport).map(textOf)).toContain('      swap  the cgroup has nothing there');
  });

  it('explain themselves', () => {
    const lines = oomLines(oomsOf('6.12')[0] as OomReport).map(textOf);
    expect(lines).toEqual([
      '     asked  h, for a page with GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO',
      '            for user memory: the page could be placed and moved freely',
      '    out of  the machine: 1433.2 MiB of memory and swap',
      '  spent on   1340.1 MiB   94 %  anonymous memory',
      '               41.6 MiB    3 %  free',
      '               7952 KiB    1 %  slab that cannot be reclaimed',
      '               6244 KiB    0 %  shared memory and tmpfs',
      '               2880 KiB    0 %  page tables',
      '                836 KiB    0 %  reclaimable slab',
      '            node 0 DMA32 has 35.7 MiB free, less than its reserve of 43.5 MiB',
      '      swap  there is none',
      '    killed  PID 184 (h): 1339.8 MiB anonymous, 0 KiB of files, 520 KiB shared',
      '            it was the largest of 4 tasks (score 937)',
      '',
      '      PID    UID       RSS kB      SWAP kB   ADJ  SCORE  COMM',
      '      184      0      1372424            0     0    937  h  <- killed',
      '      151      0         1324            0     0      1  cat',
      '      152      0         1324            0     0      1  cat',
      '      149      0         1324            0     0      1  cat',
    ]);
  });
});

/** As 5.4 wrote it: the columns of today, the kill and its reason in one line each, on a machine with two nodes and swap. */
const OF_5_4 = `
[  812.100000] mysqld invoked oom-killer: gfp_mask=0x100cca(GFP_HIGHUSER_MOVABLE), order=0, oom_score_adj=0
[  812.100001] CPU: 3 PID: 2210 Comm: mysqld Not tainted 5.4.0-150-generic #167-Ubuntu
[  812.100002] Call Trace:
[  812.100003]  dump_stack+0x6d/0x8b
[  812.100004]  dump_header+0x4f/0x1eb
[  812.100005]  oom_kill_process.cold+0xb/0x10
[  812.100006] Mem-Info:
[  812.100007] active_anon:1800000 inactive_anon:120000 isolated_anon:0
                active_file:300 inactive_file:400 isolated_file:0
                unevictable:4000 dirty:0 writeback:2 unstable:0
                slab_reclaimable:9000 slab_unreclaimable:22000
                mapped:1200 shmem:60000 pagetables:9000 bounce:0
                free:25000 free_pcp:60 free_cma:0
[  812.100008] Node 0 active_anon:3600000kB inactive_anon:240000kB active_file:600kB all_unreclaimable? no
[  812.100009] Node 0 Normal free:40000kB min:44000kB low:55000kB high:66000kB managed:4000000kB mlocked:0kB local_pcp:0kB
[  812.100010] lowmem_reserve[]: 0 0 0 0 0
[  812.100011] Node 1 Normal free:60000kB min:44000kB low:55000kB high:66000kB managed:4100000kB mlocked:0kB local_pcp:0kB
[  812.100012] Node 0 Normal: 100*4kB (UME) 20*8kB (UM) = 560kB
[  812.100013] Node 0 hugepages_total=0 hugepages_free=0 hugepages_surp=0 hugepages_size=2048kB
[  812.100014] 61000 total pagecache pages
[  812.100015] 300 pages in swap cache
[  812.100016] Swap cache stats: add 9000, delete 8700, find 100/200
[  812.100017] Free swap  = 0kB
[  812.100018] Total swap = 2097148kB
[  812.100019] 2096000 pages RAM
[  812.100020] 0 pages HighMem/MovableOnly
[  812.100021] 51000 pages reserved
[  812.100022] 0 pages cma reserved
[  812.100023] 0 pages hwpoisoned
[  812.100024] Unreclaimable slab info:
[  812.100025] Name                      Used          Total
[  812.100026] kmalloc-8k               7424KB       7424KB
[  812.100027] Tasks state (memory values in pages):
[  812.100028] [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[  812.100029] [    441]     0   441    18000      900   163840        0         -1000 systemd-udevd
[  812.100030] [   2210]   110  2210  1900000  1500000 13000000   300000             0 mysqld
[  812.100031] [   2400]  1000  2400   700000   330000  3200000   150000           800 Web Content
[  812.100032] oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0-1,global_oom,task_memcg=/user.slice,task=Web Content,pid=2400,uid=1000
[  812.100033] Out of memory: Killed process 2400 (Web Content) total-vm:2800000kB, anon-rss:1310000kB, file-rss:2000kB, shmem-rss:8000kB, UID:1000 pgtables:3200kB oom_score_adj:800
[  812.300000] oom_reaper: reaped process 2400 (Web Content), now anon-rss:0kB, file-rss:0kB, shmem-rss:8000kB
`;

it('an OOM report of the form of 5.4 is told whole', () => {
  const lines = OF_5_4.trim()
    .replace(/\n {16}/g, '\\n')
    .split('\n');
  const records = dmesg(lines.join('\n')).map((record) => ({ ...record, text: record.text.replaceAll('\\n', '\n ') }));
  const [found, ...more] = findReports(records);
  expect(more).toEqual([]);
  expect(found?.records).toHaveLength(records.length);
  const report = parseOom(reportLines(found?.records ?? [])) as OomReport;
  expect(report).toMatchObject({ constraint: 'NONE', cgroup: undefined, swapTotal: 2_097_148, swapFree: 0 });
  expect(report.pages.get('shmem')).toBe(60_000);
  expect(report.zones.map(({ node, zone }) => `${node} ${zone}`)).toEqual(['0 Normal', '1 Normal']);
  expect(report.tasks.map(({ pid, swap, scoreAdj, comm }) => [pid, swap, scoreAdj, comm])).toEqual([
    [441, 0, -1000, 'systemd-udevd'],
    [2210, 300_000, 0, 'mysqld'],
    [2400, 150_000, 800, 'Web Content'],
  ]);
  expect(report.victims).toMatchObject([{ pid: 2400, comm: 'Web Content', shmemRss: 8000, reaped: true }]);
  const told = oomLines(report).map(textOf).join('\n');
  expect(told).toContain('node 0 Normal has 39.1 MiB free, less than its reserve of 43.0 MiB');
  expect(told).toContain('without being the largest: its oom_score_adj is 800');
  expect(told).toContain('all 2048.0 MiB are used');
});

describe('an OOM report', () => {
  /** As 3.10 wrote it: other columns, two lines for the kill. */
  const OLD = [
    'java invoked oom-killer: gfp_mask=0x201da, order=2, oom_score_adj=0',
    'Mem-Info:',
    ' free:1000 slab_unreclaimable:20',
    'Node 0 Normal free:400kB min:200kB low:250kB high:300kB managed:800000kB',
    'Total swap = 4096kB',
    'Free swap  = 0kB',
    '200000 pages RAM',
    '[ pid ]   uid  tgid total_vm      rss nr_ptes swapents oom_score_adj name',
    '[  612]     0   612    20000    90000     100        0          -900 big daemon',
    '[  700]  1000   700    30000    50000      50      500             0 java',
    '[  701]     0   701    30000    60000      50        0         -1000 sshd',
    'Out of memory: Kill process 700 (java) score 266 or sacrifice child',
    'Killed process 700 (java) total-vm:120000kB, anon-rss:190000kB, file-rss:10000kB',
    'oom_reaper: reaped process 700 (java), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB',
  ];
  const old = parseOom(OLD) as OomReport;

  it('of an older kernel is read by the names of its columns', () => {
    expect(old.tasks[0]).toEqual({
      pid: 612,
      uid: 0,
      tgid: 612,
      comm: 'big daemon',
      totalVm: 20_000,
      rss: 90_000,
      swap: 0,
      pageTables: 100 * 4096,
      scoreAdj: -900,
    });
    expect(old.victims).toEqual([
      { pid: 700, comm: 'java', anonRss: 190_000, fileRss: 10_000, shmemRss: 0, reaped: true },
    ]);
  });

  it('ranks tasks as the kernel does: oom_score_adj shifts, -1000 exempts', () => {
    expect(oomScores(old).map(({ task, score }) => [task.pid, score])).toEqual([
      [700, 251],
      [612, -452],
      [701, undefined],
    ]);
  });

  it('says why it was not the largest, and that memory lay in pieces', () => {
    const lines = oomLines(old).map(textOf).join('\n');
    expect(lines).toContain('without being the largest: PID 612 (big daemon) is larger, but its oom_score_adj is -900');
    expect(lines).toContain('memory is free, but not in a row that is long enough');
    expect(lines).toContain('4 pages in a row (order 2)');
    expect(lines).toContain('all 4096 KiB are used');
    expect(lines).toContain('its memory was freed at once');
    expect(oomRow(old)).toMatchObject({ order: 2, cgroup: null, victims: [{ pid: 700, score: 251 }] });
  });

  it('that is none is none; one that is cut short tells what is left of it', () => {
    expect(parseOom(['nothing'])).toBeUndefined();
    for (let length = 1; length <= OLD.length; length++) {
      expect(oomLines(parseOom(OLD.slice(0, length)) as OomReport).length).toBeGreaterThan(3);
    }
  });
});
