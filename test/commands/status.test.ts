import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles, U64 } from '../support/fake-kernel.ts';
import { FakePrintk } from '../support/fake-printk.ts';
import { fakeSession } from '../support/fake-session.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const byName = (rows: readonly Readonly<Record<string, unknown>>[]) => new Map(rows.map((row) => [row['name'], row]));

describe('status', () => {
  it('says what is there', () => {
    const { fake } = new FakeTasks([{ pid: 1 }]);
    new FakePrintk(fake).add({ text: 'hello' });
    fake.globalInteger('page_offset_base', U64, 0xffff_8880_0000_0000n);
    const banner = fake.string('Linux version 6.12.9 (host)');
    fake.symbols.add('linux_banner', banner);
    const rows = byName(fakeSession(fake).json('status').rows);
    for (const name of ['target', 'memory', 'symbols', 'types', 'direct map', 'per-CPU', 'log']) {
      expect(rows.get(name)).toMatchObject({ available: true, help: null });
    }
    expect(rows.get('log')).toMatchObject({ detail: '1 record from printk ring buffer' });
    expect(rows.get('per-CPU')).toMatchObject({ detail: '2 CPUs online, 2 possible' });
    expect(rows.get('direct map')).toMatchObject({ detail: 'at ffff888000000000, page tables of 4 levels' });
    expect(rows.get('recording')).toMatchObject({ available: false });
  });

  it('says what is missing, and what would help', () => {
    const files = fakeFiles({ '/dev/kmsg': '6,0,0,-;hello\n', '/proc/sys/kernel/osrelease': '6.12.9\n' });
    const session = fakeSession(new FakeKernel(), { memory: false, files, liveness: 'live' });
    const rows = byName(session.json('status').rows);
    expect(rows.get('target')).toMatchObject({ detail: 'fake, live, Linux 6.12.9' });
    expect(rows.get('memory')).toMatchObject({ available: false });
    expect(rows.get('files')).toMatchObject({ available: true });
    expect(rows.get('log')).toMatchObject({ available: true, detail: '1 record from /dev/kmsg' });
    expect(rows.get('modules')).toMatchObject({ available: false });
    expect(rows.get('self-checks')).toMatchObject({ available: false, detail: 'it takes kernel memory' });
    const lines = session.lines('status');
    expect(lines.find((line) => line.startsWith('log'))).toBe('log          yes  1 record from /dev/kmsg');
    expect(lines.at(-2)).toBe('                  -> "record start FILE" starts it');
  });

  it('shows a kernel that is not what it is taken for', () => {
    const { fake } = new FakeTasks([{ pid: 1 }]);
    fake.symbols.add('linux_banner', fake.string('something else'));
    fake.types.globals.set('tainted_mask', U64);
    fake.globalInteger('tainted_mask', U64, -1n);
    const session = fakeSession(fake);
    const rows = byName(session.json('status').rows);
    expect(rows.get('memory')).toMatchObject({ available: false, help: expect.stringContaining('another kernel') });
    expect(rows.get('self-checks')).toMatchObject({ available: false });
    expect(JSON.stringify(rows.get('self-checks'))).toContain('tainted_mask: ');
    expect(session.lines('status').some((line) => /^ {18}tainted_mask: /.test(line))).toBe(true);
  });

  it('counts memory that is not there as missing, not as wrong', () => {
    const fake = new FakeKernel();
    const mask = fake.allocate(8, { page: true });
    fake.symbols.add('tainted_mask', mask);
    fake.types.globals.set('tainted_mask', U64);
    fake.memory.fault(mask, 'not-recorded');
    const rows = byName(fakeSession(fake).json('status').rows);
    expect(rows.get('self-checks')).toMatchObject({
      available: true,
      detail: '0 of 1 well-known variables are as they should be; the memory for 1 is not there',
    });
  });
});
