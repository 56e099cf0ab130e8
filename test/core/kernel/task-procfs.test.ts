import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../src/core/kernel/kernel.ts';
import { parseStat, procTaskRows } from '../../../src/core/kernel/task-procfs.ts';
import { taskRows } from '../../../src/core/kernel/task-row.ts';
import { FakeKernel, fakeFiles } from '../../support/fake-kernel.ts';
import { seededRandom } from '../../support/mutations.ts';

function stat(
  pid: number,
  comm: string,
  state: string,
  ppid: number,
  of: { flags?: number; threads?: number; cpu?: number } = {},
) {
  const rest = `${ppid} 1 1 0 -1 ${of.flags ?? 4194304} 10 0 0 0 150 250 0 0 20 0 ${of.threads ?? 1} 0 777 4096000 300 18446744073709551615`;
  return `${pid} (${comm}) ${state} ${rest} 1 1 0 0 0 0 0 0 0 0 0 0 17 ${of.cpu ?? 0} 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;
}

const FILES = {
  '/proc/meminfo': 'MemTotal:      120000 kB\nMemFree: 1 kB\n',
  '/proc/1/stat': stat(1, 'init', 'S', 0),
  '/proc/2/stat': stat(2, 'kthreadd', 'S', 0, { flags: 2129984 }),
  '/proc/100/stat': stat(100, 'web', 'S', 1, { threads: 2, cpu: 3 }),
  '/proc/100/task/100/stat': stat(100, 'web', 'S', 1, { threads: 2, cpu: 3 }),
  '/proc/100/task/104/stat': stat(104, 'web-worker', 'D', 1, { threads: 2 }),
  '/proc/102/stat': stat(102, ') R 1 (a b\n', 'Z', 100),
  '/proc/self/stat': 'not a process of its own',
};

describe('tasks from /proc', () => {
  it('give the rows that memory would', () => {
    const kernel = new FakeKernel().kernel({ memory: false, files: fakeFiles(FILES) });
    const rows = [...taskRows(kernel)];
    expect(
      rows.map(({ pid, tgid, ppid, cpu, state, kernelThread, comm }) => [
        pid,
        tgid,
        ppid,
        cpu,
        state,
        kernelThread,
        comm,
      ]),
    ).toEqual([
      [1, 1, 0, 0, 'IN', false, 'init'],
      [2, 2, 0, 0, 'IN', true, 'kthreadd'],
      [100, 100, 1, 3, 'IN', false, 'web'],
      [102, 102, 100, 0, 'ZO', false, ') R 1 (a b\n'],
      [104, 100, 1, 0, 'UN', false, 'web-worker'],
    ]);
    expect(rows[0]).toMatchObject({ task: undefined, vsz: 4000, rss: 1200, mem: 1, active: false });
    expect(rows[0]?.times).toEqual({ user: 1_500_000_000n, system: 2_500_000_000n, start: 7_770_000_000n });
  });

  it('serve a target whose memory cannot be understood: no symbols, no types', () => {
    const kernel = new Kernel(new FakeKernel().backend({ files: fakeFiles(FILES) }));
    expect(kernel.hasMemory).toBe(true);
    expect([...taskRows(kernel)].map((row) => row.pid)).toEqual([1, 2, 100, 102, 104]);
  });

  it('do without a process that ended between the listing and the reading', () => {
    const files = fakeFiles({ '/proc/1/stat': FILES['/proc/1/stat'], '/proc/9/status': '' });
    expect([...procTaskRows(new FakeKernel().kernel({ memory: false, files }))].map((row) => row.pid)).toEqual([1]);
  });

  it('are refused where /proc cannot be listed', () => {
    const kernel = new FakeKernel().kernel({ memory: false, files: fakeFiles({}) });
    expect(() => [...procTaskRows(kernel)]).toThrow('fake does not list /proc');
  });

  it('survive any damage of a line', () => {
    const random = seededRandom(11);
    const line = FILES['/proc/102/stat'];
    for (let round = 0; round < 10_000; round++) {
      const at = Math.floor(random() * line.length);
      const cut =
        line.slice(0, at) + String.fromCharCode(Math.floor(random() * 128)) + line.slice(at + Math.floor(random() * 5));
      const parsed = parseStat(cut);
      if (parsed !== undefined) expect(Number.isInteger(parsed.pid) && Number.isInteger(parsed.ppid)).toBe(true);
    }
    for (const text of ['', '1', '1 (', '1 (x', '1 (x)', ')(', '(x) S 1']) expect(parseStat(text)).toBeUndefined();
  });
});
