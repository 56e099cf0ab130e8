import { describe, expect, it } from 'vitest';
import { kernelConfig, parseConfig } from '../../../src/core/kernel/config.ts';
import { cpus, namedCpus } from '../../../src/core/kernel/cpu.ts';
import { checkGlobals } from '../../../src/core/kernel/global-check.ts';
import { loadAverages } from '../../../src/core/kernel/load.ts';
import { memorySize } from '../../../src/core/kernel/memory-size.ts';
import { isPerCpuSymbol, perCpuAddress, perCpuSymbol } from '../../../src/core/kernel/percpu.ts';
import { decodeTaints, formatTaints, taintMask } from '../../../src/core/kernel/taint.ts';
import { formatUptime, kernelTime } from '../../../src/core/kernel/time.ts';
import { kernelRelease, uts } from '../../../src/core/kernel/uts.ts';
import { banner, buildId } from '../../../src/core/kernel/version.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { note } from '../../support/elf-builder.ts';
import {
  arrayOf,
  CHAR,
  FakeKernel,
  fakeFiles,
  INT,
  LIST_HEAD,
  LONG,
  POINTER,
  struct,
  U32,
  U64,
} from '../../support/fake-kernel.ts';

const CPUMASK = struct('cpumask', { bits: arrayOf(U64, 4) });

describe('CPUs and per-CPU data', () => {
  function planted() {
    const fake = new FakeKernel();
    fake.types.add(CPUMASK);
    fake.globalInteger('nr_cpu_ids', U32, 130);
    fake.global('__cpu_possible_mask', CPUMASK, { 'bits[0]': 0b1011n, 'bits[2]': 0b111n });
    fake.global('__cpu_online_mask', CPUMASK, { 'bits[0]': 0b0011n });
    const offsets = fake.allocate(130 * 8);
    for (const [cpu, offset] of [
      [0, 0x1000n],
      [1, 0x2000n],
      [3, 0x4000n],
      [128, -0x8000n],
    ] as const) {
      fake.memory.u64(offsets + BigInt(8 * cpu), offset);
    }
    fake.symbols.add('__per_cpu_offset', offsets);
    return fake;
  }

  it('read the masks up to nr_cpu_ids', () => {
    const kernel = planted().kernel();
    expect(cpus(kernel, 'possible')).toEqual([0, 1, 3, 128, 129]);
    expect(cpus(kernel, 'online')).toEqual([0, 1]);
    expect(namedCpus(kernel, '1,3-128', 0)).toEqual([1, 3, 128]);
  });

  it('are as many as the mask has bits on a kernel for a fixed number of them', () => {
    const fake = new FakeKernel();
    fake.types.add(struct('cpumask', { bits: arrayOf(U64, 1) }));
    const mask = fake.allocate(16);
    fake.memory.u64(mask, 0b101n);
    // What lies behind the mask is not part of it.
    fake.memory.u64(mask + 8n, 0xffn);
    fake.symbols.add('__cpu_online_mask', mask);
    expect(cpus(fake.kernel(), 'online')).toEqual([0, 2]);
  });

  it('come from /sys where there is no memory', () => {
    const files = fakeFiles({ '/sys/devices/system/cpu/online': '0-2,5\n' });
    const kernel = new FakeKernel().kernel({ memory: false, files });
    expect(cpus(kernel, 'online')).toEqual([0, 1, 2, 5]);
    expect(() => cpus(kernel, 'present')).toThrow('does not tell which CPUs are present');
  });

  it('have a copy for each possible CPU', () => {
    const fake = planted();
    fake.symbols.add('runqueues', 0x32c80n);
    fake.symbols.add('__per_cpu_start', 0n);
    fake.symbols.add('__per_cpu_end', 0x40000n);
    const kernel = fake.kernel();
    expect(perCpuSymbol(kernel, 'runqueues', 1)).toBe(0x34c80n);
    expect(perCpuAddress(kernel, 0x10000n, 128)).toBe(0x8000n);
    expect(() => perCpuAddress(kernel, 0x10000n, 2)).toThrow('no cpu "2"');
    expect(isPerCpuSymbol(kernel, kernel.symbol('runqueues'))).toBe(true);
    expect(isPerCpuSymbol(kernel, kernel.symbol('nr_cpu_ids'))).toBe(false);
  });

  it('are one at the symbol itself on a kernel without SMP', () => {
    const kernel = new FakeKernel().kernel();
    expect(perCpuAddress(kernel, 0x1234n, 0)).toBe(0x1234n);
  });
});

describe('what the kernel says of itself', () => {
  const NEW_UTSNAME = struct('new_utsname', {
    sysname: arrayOf(CHAR, 65),
    nodename: arrayOf(CHAR, 65),
    release: arrayOf(CHAR, 65),
    version: arrayOf(CHAR, 65),
    machine: arrayOf(CHAR, 65),
    domainname: arrayOf(CHAR, 65),
  });

  it('has a name, from memory or from /proc', () => {
    const fake = new FakeKernel();
    const type = fake.types.add(struct('uts_namespace', { name: NEW_UTSNAME }));
    fake.global('init_uts_ns', type, { 'name.sysname': 'Linux', 'name.release': '6.1.0', 'name.machine': 'x86_64' });
    expect(uts(fake.kernel())).toMatchObject({ sysname: 'Linux', release: '6.1.0', machine: 'x86_64', nodename: '' });
    const files = fakeFiles({ '/proc/sys/kernel/osrelease': '6.18.44\n', '/proc/sys/kernel/hostname': 'web7\n' });
    const live = new FakeKernel().kernel({ memory: false, files });
    expect(uts(live)).toMatchObject({ sysname: 'Linux', release: '6.18.44', nodename: 'web7', machine: '' });
    expect(kernelRelease(new FakeKernel().kernel({ vmcoreinfo: 'OSRELEASE=5.10.0\n' }))).toBe('5.10.0');
    expect(() => uts(new FakeKernel().kernel({ memory: false }))).toThrow("does not tell the kernel's release");
  });

  it('has a banner and a build id', () => {
    const fake = new FakeKernel();
    const bytes = note('GNU', 3, Uint8Array.from([0xde, 0xad, 0xbe, 0xef]));
    const start = fake.allocate(bytes.length);
    fake.memory.write(start, bytes);
    fake.symbols.add('__start_notes', start);
    fake.symbols.add('__stop_notes', start + BigInt(bytes.length));
    fake.symbols.add('linux_banner', fake.string('Linux version 6.1.0 (gcc)\n'));
    expect(buildId(fake.kernel({ vmcoreinfo: 'BUILD-ID=0123456789abcdef\n' }))).toBe('deadbeef');
    expect(buildId(new FakeKernel().kernel({ vmcoreinfo: 'BUILD-ID=0123456789abcdef\n' }))).toBe('0123456789abcdef');
    expect(banner(fake.kernel())).toBe('Linux version 6.1.0 (gcc)');
    const files = fakeFiles({ '/proc/version': 'Linux version 6.18\n', '/sys/kernel/notes': bytes });
    const live = new FakeKernel().kernel({ memory: false, files });
    expect([banner(live), buildId(live)]).toEqual(['Linux version 6.18', 'deadbeef']);
  });

  it('has load averages as the kernel prints them', () => {
    const fake = new FakeKernel();
    const at = fake.allocate(24);
    fake.symbols.add('avenrun', at);
    for (const [i, value] of [125_337n, 0n, 2047n].entries()) fake.memory.u64(at + BigInt(8 * i), value);
    expect(loadAverages(fake.kernel())).toEqual([61.2, 0, 1]);
    const files = fakeFiles({ '/proc/loadavg': '0.10 2.20 33.33 1/90 223\n' });
    expect(loadAverages(new FakeKernel().kernel({ memory: false, files }))).toEqual([0.1, 2.2, 33.33]);
    expect(loadAverages(new FakeKernel().kernel({ memory: false }))).toBeUndefined();
  });

  it('has a time, whatever the timekeeper lies in', () => {
    const base = struct('tk_read_base', { shift: U32, xtime_nsec: U64 });
    const keeper = struct('timekeeper', { tkr_mono: base, xtime_sec: U64, offs_real: LONG, offs_boot: LONG });
    const values = {
      xtime_sec: 1_700_000_000n,
      'tkr_mono.shift': 8,
      'tkr_mono.xtime_nsec': 500_000_000n << 8n,
      offs_real: 1_699_999_000n * 1_000_000_000n,
      offs_boot: 60n * 1_000_000_000n,
    };
    const wanted = { wall: 1_700_000_000_500_000_000n, monotonic: 1_000_500_000_000n, boottime: 1_060_500_000_000n };
    const core = struct(undefined, { seq: U32, timekeeper: keeper });
    const of = (path: string) => Object.fromEntries(Object.entries(values).map(([key, value]) => [path + key, value]));
    const old = new FakeKernel();
    old.global('tk_core', core, of('timekeeper.'));
    expect(kernelTime(old.kernel())).toEqual(wanted);
    const recent = new FakeKernel();
    recent.global('timekeeper_data', arrayOf(core, 8), of('[0].timekeeper.'));
    expect(kernelTime(recent.kernel())).toEqual(wanted);
    const files = fakeFiles({ '/proc/uptime': '1060.50 900.00\n', '/proc/stat': 'cpu 1\nbtime 1699998940\n' });
    expect(kernelTime(new FakeKernel().kernel({ memory: false, files }))).toEqual({
      wall: 1_700_000_000_500_000_000n,
      monotonic: undefined,
      boottime: 1_060_500_000_000n,
    });
    expect(formatUptime(wanted.boottime)).toBe('00:17:40');
    expect(formatUptime(1_564_809n * 1_000_000_000n)).toBe('18 days, 02:40:09');
    expect(formatUptime(90_000n * 1_000_000_000n)).toBe('1 day, 01:00:00');
  });

  it('has so much memory', () => {
    const fake = new FakeKernel();
    fake.types.add(struct('pglist_data', { node_id: INT, node_present_pages: U64 }));
    fake.global('_totalram_pages', struct(undefined, { counter: LONG }), { counter: 1000 });
    fake.globalInteger('nr_node_ids', U32, 2);
    const table = fake.allocate(16);
    fake.symbols.add('node_data', table);
    for (const [i, pages] of [600, 500].entries()) {
      const node = fake.place(fake.type('pglist_data'), { node_present_pages: pages });
      fake.memory.u64(table + BigInt(8 * i), node);
    }
    expect(memorySize(fake.kernel())).toEqual({ managed: 4_096_000n, present: 4_505_600n });
    const files = fakeFiles({ '/proc/meminfo': 'MemTotal:       16000 kB\n' });
    expect(memorySize(new FakeKernel().kernel({ memory: false, files }))).toEqual({
      managed: 16_384_000n,
      present: undefined,
    });
  });

  it('is tainted', () => {
    const fake = new FakeKernel();
    fake.globalInteger('tainted_mask', U64, 0x3001n | (1n << 40n));
    expect(taintMask(fake.kernel())).toBe(0x100_0000_3001n);
    expect(formatTaints(0x3001n)).toBe('POE');
    expect(decodeTaints(1n << 40n)).toEqual([{ bit: 40, letter: '?', meaning: 'taint 40, unknown here' }]);
    const files = fakeFiles({ '/proc/sys/kernel/tainted': '512\n' });
    expect(taintMask(new FakeKernel().kernel({ memory: false, files }))).toBe(512n);
  });

  it('has a configuration, plain or packed', () => {
    const plain = '# CONFIG_FOO is not set\nCONFIG_SMP=y\nCONFIG_HZ=250\nCONFIG_CC_VERSION_TEXT="gcc 12"\nnonsense\n';
    expect([...parseConfig(encodeText(plain))]).toEqual([
      ['CONFIG_SMP', 'y'],
      ['CONFIG_HZ', '250'],
      ['CONFIG_CC_VERSION_TEXT', '"gcc 12"'],
    ]);
    const inflate = (packed: Uint8Array) => Uint8Array.from(packed, (byte) => byte ^ 0xff);
    const packed = inflate(encodeText(plain));
    const boot = fakeFiles({ '/proc/sys/kernel/osrelease': '6.1\n', '/boot/config-6.1': plain });
    const sources = [
      new FakeKernel().kernel({ memory: false, files: boot }),
      new FakeKernel().kernel({ memory: false, files: fakeFiles({ '/proc/config.gz': packed }) }),
    ].map((kernel) => kernelConfig(kernel, inflate));
    expect(sources.map(({ source, options }) => [source, options.get('CONFIG_HZ')])).toEqual([
      ['/boot/config-6.1', '250'],
      ['/proc/config.gz', '250'],
    ]);
    const fake = new FakeKernel();
    const at = fake.allocate(packed.length + 8);
    fake.memory.write(at, encodeText('IKCFG_ST'));
    fake.memory.write(at + 8n, packed);
    fake.symbols.add('kernel_config_data', at);
    fake.symbols.add('kernel_config_data_end', at + BigInt(packed.length + 8));
    expect(kernelConfig(fake.kernel(), inflate).options.get('CONFIG_SMP')).toBe('y');
    expect(() => kernelConfig(new FakeKernel().kernel(), inflate)).toThrow('the kernel configuration is not at hand');
  });
});

describe('checks of globals', () => {
  it('hold on a kernel that is what its types say, and tell what is wrong on another', () => {
    const fake = new FakeKernel();
    const task = fake.types.add(struct('task_struct', { pid: INT, real_parent: POINTER, comm: arrayOf(CHAR, 16) }));
    const init = fake.global('init_task', task, { comm: 'swapper/0' });
    fake.set(task, init, 'real_parent', init);
    fake.globalInteger('nr_cpu_ids', U32, 4);
    const head = fake.global('modules', LIST_HEAD);
    fake.linkList(head, [], LIST_HEAD, 'next');
    const checks = checkGlobals(fake.kernel());
    expect(checks.filter(({ check }) => check.symbol === 'init_task' && check.kind === 'text')).toMatchObject([
      { holds: true },
    ]);
    expect(
      checks.filter(({ check }) => ['modules', 'nr_cpu_ids'].includes(check.symbol)).every(({ holds }) => holds),
    ).toBe(true);

    fake.set(task, init, 'comm', 'bash');
    fake.memory.u64(head, fake.allocate(16));
    fake.globalInteger('prb', POINTER, 5);
    const failed = checkGlobals(fake.kernel()).filter(({ holds }) => !holds);
    expect(failed.map(({ check, found }) => [check.symbol, check.kind, found])).toEqual(
      expect.arrayContaining([
        ['init_task', 'text', '"bash"'],
        ['modules', 'list', expect.stringContaining('next->prev is 0000000000000000')],
        ['prb', 'pointer', '0000000000000005'],
      ]),
    );
  });

  it('tell of memory that cannot be read', () => {
    const fake = new FakeKernel();
    fake.symbols.add('modules', 0xffff_8880_7777_0000n);
    expect(checkGlobals(fake.kernel())).toMatchObject([
      { holds: false, found: expect.stringContaining('cannot read') },
    ]);
  });
});
