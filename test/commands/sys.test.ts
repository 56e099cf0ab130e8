import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FakeKernel, fakeFiles, LONG, U64 } from '../support/fake-kernel.ts';
import { FakePrintk } from '../support/fake-printk.ts';
import { fakeSession } from '../support/fake-session.ts';

const FILES = {
  '/proc/sys/kernel/osrelease': '6.12.9\n',
  '/proc/sys/kernel/version': '#1 SMP\n',
  '/proc/sys/kernel/hostname': 'web7\n',
  '/proc/sys/kernel/tainted': '12289\n',
  '/sys/devices/system/cpu/present': '0-31\n',
  '/sys/devices/system/cpu/online': '0-29\n',
  '/proc/uptime': '1564809.25 100.00\n',
  '/proc/stat': 'btime 1770946278\n',
  '/proc/loadavg': '61.20 58.77 40.02 3/1433 9999\n',
  '/proc/meminfo': 'MemTotal:       65842176 kB\n',
  '/proc/cpuinfo': 'model name\t: A CPU\ncpu MHz\t\t: 2400.0\n',
  '/sys/class/dmi/id/sys_vendor': 'QEMU\n',
  '/sys/class/dmi/id/product_name': 'Standard PC\n',
};

const overFiles = (files: Readonly<Record<string, string | Uint8Array>>) => {
  return fakeSession(new FakeKernel(), { memory: false, liveness: 'live', files: fakeFiles(files) });
};

describe('sys', () => {
  it('tells what the files tell', () => {
    expect(overFiles(FILES).lines('sys')).toEqual([
      '      KERNEL: 6.12.9  [TAINTED]',
      '      TARGET: fake  [LIVE]',
      '        CPUS: 32 [OFFLINE: 2]',
      '        DATE: Tue Mar  3 04:11:27 UTC 2026',
      '      UPTIME: 18 days, 02:40:09',
      'LOAD AVERAGE: 61.20, 58.77, 40.02',
      '       TASKS: 1433',
      '    NODENAME: web7',
      '     RELEASE: 6.12.9',
      '     VERSION: #1 SMP',
      '     MACHINE: x86_64  (2400 MHz)',
      '   PROCESSOR: A CPU',
      '      MEMORY: 62.8 GB',
      '     TAINTED: POE',
    ]);
  });

  it('has rows with values to reckon with', () => {
    const values = new Map(
      overFiles(FILES)
        .json('sys')
        .rows.map(({ key, value }) => [key, value]),
    );
    expect(values.get('CPUS')).toBe(32);
    expect(values.get('DATE')).toBe('2026-03-03T04:11:27.250Z');
    expect(values.get('UPTIME')).toBe(1564809);
    expect(values.get('LOAD AVERAGE')).toEqual([61.2, 58.77, 40.02]);
    expect(values.get('TASKS')).toBe(1433);
    expect(values.get('MEMORY')).toBe(65842176 * 1024);
  });

  it('leaves out what is not told, and says what cannot be read', () => {
    expect(overFiles({}).lines('sys')).toEqual(['      TARGET: fake  [LIVE]']);
    const fake = new FakeKernel();
    fake.globalInteger('tainted_mask', U64, 0n);
    const load = fake.allocate(24, { page: true });
    fake.symbols.add('avenrun', load);
    fake.types.globals.set('avenrun', LONG);
    fake.memory.fault(load);
    const lines = fakeSession(fake).lines('sys');
    expect(lines[0]).toBe('      TARGET: fake  [DUMP]');
    expect(lines.find((line) => line.startsWith('LOAD'))).toContain('(cannot read avenrun');
  });

  it('tells in one line what a recording has not', () => {
    const fake = new FakeKernel();
    for (const name of ['tainted_mask', 'avenrun']) {
      const page = fake.allocate(24, { page: true });
      fake.symbols.add(name, page);
      fake.memory.fault(page, 'not-recorded');
    }
    expect(fakeSession(fake).lines('sys')).toEqual([
      '      TARGET: fake  [DUMP]',
      '(the recording has no LOAD AVERAGE, PANIC, TAINTED)',
    ]);
  });

  it('shows why a dead kernel died', () => {
    const fake = new FakeKernel();
    const printk = new FakePrintk(fake);
    printk.add({ text: 'BUG: kernel NULL pointer dereference, address: 0' });
    printk.add({ text: 'Kernel panic - not syncing: hung_task: blocked tasks' });
    expect(fakeSession(fake).lines('sys')).toContain(
      '       PANIC: "Kernel panic - not syncing: hung_task: blocked tasks"',
    );
    expect(fakeSession(fake, { liveness: 'live' }).lines('sys').join()).not.toContain('PANIC');
  });
});

describe('sys with options', () => {
  it('-t explains taints and names the modules', () => {
    const files = { ...FILES, '/proc/modules': 'lab 4096 0 - Live 0xffffffffc0000000 (OE)\n' };
    expect(overFiles(files).lines('sys -t')).toEqual([
      'TAINTED_MASK: 3001  POE',
      '  P  bit 0   proprietary module was loaded',
      '  O  bit 12  externally built module was loaded (lab)',
      '  E  bit 13  unsigned module was loaded (lab)',
    ]);
    expect(overFiles({ '/proc/sys/kernel/tainted': '0\n' }).lines('sys -t')).toEqual([
      'TAINTED_MASK: 0',
      '(the kernel is not tainted)',
    ]);
    expect(overFiles({}).json('sys -t').status).toBe(1);
  });

  it('-i shows the firmware', () => {
    expect(overFiles(FILES).lines('sys -i')).toEqual(['  SYS_VENDOR: QEMU', 'PRODUCT_NAME: Standard PC']);
    expect(overFiles({}).json('sys -i').error).toContain('no DMI data');
  });

  it('-c shows system calls', () => {
    const fake = new FakeKernel();
    fake.symbols.add('__x64_sys_openat', 0xffff_ffff_8100_0000n, 'T');
    fake.symbols.add('__x64_sys_openat2', 0xffff_ffff_8100_0010n, 'T');
    const session = fakeSession(fake, { memory: false });
    expect(session.json('sys -c openat').rows).toEqual([
      {
        number: null,
        name: 'openat',
        address: '0xffffffff81000000',
        symbol: '__x64_sys_openat',
        module: null,
        state: 'here',
      },
    ]);
    fake.symbols.add('__x64_sys_lookup_dcookie', 0xffff_ffff_8100_0020n, 'W');
    expect(session.lines('sys -c -n').at(-1)).toMatch(
      / - {2}ffffffff81000020 {2}lookup_dcookie +ENOSYS: not built into/,
    );
    expect(session.json('sys -c open').rows.length).toBe(2);
    expect(session.json('sys -n').error).toMatch(/-n and -32 go with -c/);
    expect(session.json('sys -c nothing').status).toBe(1);
    expect(session.json('sys -c').notices).toEqual(['without memory the numbers of system calls are not known']);
  });

  it('config shows options, plain or compressed', () => {
    const text = '# a comment\nCONFIG_KALLSYMS=y\n# CONFIG_X is not set\nCONFIG_HZ=250\nCONFIG_NAME="a b"\n';
    const plain = overFiles({ ...FILES, '/boot/config-6.12.9': text });
    expect(plain.lines('sys config')).toEqual([
      '(from /boot/config-6.12.9)',
      'CONFIG_KALLSYMS=y',
      'CONFIG_HZ=250',
      'CONFIG_NAME="a b"',
    ]);
    const packed = overFiles({ '/proc/config.gz': new Uint8Array(gzipSync(text)) });
    expect(packed.lines('sys config hz kall')).toEqual([
      '(from /proc/config.gz)',
      'CONFIG_KALLSYMS=y',
      'CONFIG_HZ=250',
    ]);
    expect(packed.json('sys config zzz').notices.at(-1)).toContain('no option');
    expect(overFiles({}).json('sys config').error).toContain('not at hand');
    const broken = overFiles({ '/proc/config.gz': new Uint8Array(gzipSync(text)).subarray(0, 30) });
    expect(broken.json('sys config')).toMatchObject({ status: 1, error: expect.stringContaining('inflated') });
  });

  it.each(['sys -t -i', 'sys nonsense', 'sys -p'])('%s is refused', (line) => {
    expect(overFiles(FILES).json(line).status).toBe(2);
  });
});
