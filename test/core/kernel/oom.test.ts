import { describe, expect, it } from 'vitest';
import { oomLines, oomRow } from '../../../src/core/command/oom-view.ts';
import { type OomReport, parseOom } from '../../../src/core/kernel/oom-report.ts';
import { oomScores } from '../../../src/core/kernel/oom-score.ts';
import { findReports, reportLines } from '../../../src/core/kernel/report.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { dmesgFixture } from '../../support/dmesg.ts';

function oomsOf(name: string): readonly OomReport[] {
  return findReports(dmesgFixture(name))
    .filter(({ kind }) => kind === 'oom')
    .map(({ records }) => parseOom(reportLines(records)) as OomReport);
}

describe('OOM reports of real kernels', () => {
  it.each([
    ['5.10', 122, 1_400_200],
    ['6.12', 184, 1_371_904],
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

  it.each(['5.10', '6.12', '7.2'])('%s: a cgroup was at its limit', (name) => {
    const group = oomsOf(name)[1];
    expect(group).toMatchObject({ constraint: 'MEMCG', cgroup: { path: '/web', usage: 30_720, limit: 30_720 } });
    expect(group?.cgroup?.stats.get('anon')).toBeGreaterThan(30_000_000);
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
