/** What the machine and its firmware say, system calls, sections of modules, messages put aside. */
import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { auditBacklog } from '../../../src/core/kernel/audit.ts';
import { cpuModel } from '../../../src/core/kernel/cpu-model.ts';
import { dmiFields } from '../../../src/core/kernel/dmi.ts';
import { findModule } from '../../../src/core/kernel/module.ts';
import { moduleSections } from '../../../src/core/kernel/module-sections.ts';
import { printkSafeBuffers } from '../../../src/core/kernel/printk-safe.ts';
import { syscalls, tableServesTracing } from '../../../src/core/kernel/syscall.ts';
import { taskCount } from '../../../src/core/kernel/task-count.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { arrayOf, CHAR, enumeration, FakeKernel, fakeFiles, struct, U32, U64 } from '../../support/fake-kernel.ts';
import { SWITCH_START, switchCode } from '../../support/syscall-switch.ts';

describe('audit messages that wait', () => {
  const TYPES = `struct sk_buff { struct sk_buff *next, *prev; int pad; unsigned int len; unsigned char *data; };
    struct list_head { struct list_head *next, *prev; };`;

  function planted(texts: readonly string[]) {
    const fake = new FakeKernel();
    fake.c(TYPES);
    const head = fake.global('audit_queue', fake.type('list_head'));
    const other = fake.global('audit_hold_queue', fake.type('list_head'));
    const buffers = texts.map((text, i) => {
      const body = encodeText(`${text}\0`);
      const data = fake.allocate(16 + body.length);
      fake.memory.writeInteger(data + 4n, 2, BigInt(1300 + i));
      fake.memory.write(data + 16n, body);
      return fake.place(fake.type('sk_buff'), { len: 16 + body.length, data });
    });
    const node = struct('node', { next: U64, prev: U64 });
    fake.linkList(head, buffers, node, 'next');
    fake.linkList(other, [], node, 'next');
    return { fake, buffers };
  }

  it('are read from their queues', () => {
    const { fake } = planted(['audit(1.2:3): arch=c000003e', 'audit(1.2:4): item=0']);
    expect(auditBacklog(fake.kernel())).toEqual([
      { queue: 'audit_queue', type: 1300, text: 'audit(1.2:3): arch=c000003e' },
      { queue: 'audit_queue', type: 1301, text: 'audit(1.2:4): item=0' },
    ]);
  });

  it('are left out with a notice where they make no sense', () => {
    const { fake, buffers } = planted(['one', 'two', 'three']);
    const notices: string[] = [];
    fake.set(fake.type('sk_buff'), buffers[0] as bigint, 'len', 0xffff_ffffn);
    fake.set(fake.type('sk_buff'), buffers[1] as bigint, 'data', 0x10n);
    const kernel = fake.kernel({ notice: (text) => notices.push(text) });
    expect(auditBacklog(kernel)?.map(({ text }) => text)).toEqual(['three']);
    expect(notices.length).toBe(2);
  });

  it('are none on a kernel without audit', () => {
    expect(auditBacklog(new FakeKernel().kernel())).toBe(undefined);
  });
});

describe('messages that printk put aside', () => {
  function planted() {
    const fake = new FakeKernel();
    fake.c(`struct cpumask { unsigned long bits[1]; };
      struct printk_safe_seq_buf { struct { int counter; } len, message_lost; void *work; unsigned char buffer[64]; };`);
    fake.globalInteger('nr_cpu_ids', U32, 2);
    fake.global('__cpu_possible_mask', fake.type('cpumask'), { 'bits[0]': 3 });
    const offsets = fake.allocate(16);
    fake.symbols.add('__per_cpu_offset', offsets);
    fake.memory.u64(offsets + 8n, 0x1_0000n);
    const at = fake.allocate(256);
    fake.symbols.add('nmi_print_seq', at);
    return { fake, at, type: fake.type('printk_safe_seq_buf') };
  }

  it('are shown line by line, with what was lost', () => {
    const { fake, at, type } = planted();
    const text = encodeText('\x014from an NMI\n\x016second\n');
    fake.place(type, { 'len.counter': text.length, 'message_lost.counter': 2, buffer: text }, at + 0x1_0000n);
    expect(printkSafeBuffers(fake.kernel())).toEqual([
      { cpu: 1, buffer: 'printk_nmi', lost: 2, lines: ['from an NMI', 'second'] },
    ]);
  });

  it('are read no further than the buffer goes', () => {
    const { fake, at, type } = planted();
    fake.place(type, {}, at + 0x1_0000n);
    fake.place(type, { 'len.counter': 0x7fff_ffff, buffer: new Uint8Array(64).fill(0x61) }, at);
    expect(printkSafeBuffers(fake.kernel())?.[0]?.lines).toEqual(['a'.repeat(64)]);
    expect(printkSafeBuffers(new FakeKernel().kernel())).toBe(undefined);
  });
});

describe('system calls', () => {
  const TEXT = 0xffff_ffff_8100_0000n;

  function planted() {
    const fake = new FakeKernel();
    for (const [i, name] of ['__x64_sys_read', '__x64_sys_write', '__x64_sys_ni_syscall'].entries()) {
      fake.symbols.add(name, TEXT + BigInt(i * 16), 'T');
    }
    fake.symbols.add('hook', 0xffff_ffff_c000_0000n, 't', 'rootkit');
    const table = fake.allocate(48);
    fake.symbols.add('sys_call_table', table);
    fake.symbols.add('__x64_sys_lookup_dcookie', TEXT + 0x40n, 'W');
    fake.symbols.add('__ia32_sys_read', TEXT + 0x50n, 'T');
    fake.symbols.add('__ia32_sys_ioctl', TEXT + 0x60n, 'T');
    fake.symbols.add('__ia32_compat_sys_ioctl', TEXT + 0x70n, 'T');
    const entries = [TEXT, 0xffff_ffff_c000_0000n, TEXT + 32n, TEXT + 8n, TEXT + 0x40n];
    for (const [i, entry] of entries.entries()) fake.memory.u64(table + BigInt(8 * i), entry);
    return fake;
  }

  it('come from the table, by number, up to its end', () => {
    const kernel = planted().kernel();
    const table = kernel.symbol('sys_call_table');
    Object.assign(table, { size: 48 });
    expect(syscalls(kernel).map(({ number, name, state }) => [number, name, state])).toEqual([
      [0, 'read', 'here'],
      [1, 'hook', 'diverted'],
      [2, 'ni_syscall', 'unused'],
      [3, '-', 'diverted'],
      [4, 'lookup_dcookie', 'stub'],
      [undefined, 'write', 'unlisted'],
    ]);
    expect(tableServesTracing(kernel)).toBe(false);
  });

  it('are known by their names where there is no memory', () => {
    const kernel = planted().kernel({ memory: false });
    expect(syscalls(kernel).map(({ number, name, state }) => [number, name, state])).toEqual([
      [undefined, 'lookup_dcookie', 'stub'],
      [undefined, 'read', 'here'],
      [undefined, 'write', 'here'],
    ]);
  });

  it('of 32-bit processes are their own functions where there are such', () => {
    const fake = planted();
    fake.symbols.add('__ia32_sys_setsockopt', TEXT + 0x80n, 'T');
    fake.symbols.add('__ia32_compat_sys_setsockopt', TEXT + 0x90n, 'W');
    expect(syscalls(fake.kernel(), '32').map(({ symbol }) => symbol?.name)).toEqual([
      '__ia32_compat_sys_ioctl',
      '__ia32_sys_read',
      '__ia32_sys_setsockopt',
    ]);
  });

  it('have their numbers from the switch where there is no table', () => {
    const at = (offset: bigint) => SWITCH_START + offset;
    const targets = { none: at(0x100n), first: at(0x200n), third: at(0x300n), last: at(0x400n) };
    const code = switchCode(targets);
    const withSwitch = (bytes: Uint8Array) => {
      const fake = new FakeKernel();
      fake.memory.write(SWITCH_START, bytes);
      fake.symbols.add('ia32_sys_call', SWITCH_START, 'T', undefined, code.length);
      fake.symbols.add('__ia32_sys_unused', SWITCH_START + BigInt(code.length), 'T');
      fake.symbols.add('__ia32_sys_ni_syscall', targets.none, 'T');
      fake.symbols.add('__ia32_sys_restart_syscall', targets.first, 'T');
      fake.symbols.add('__ia32_compat_sys_read', targets.third, 'T');
      fake.symbols.add('__ia32_sys_vm86', targets.last, 'W');
      return fake.kernel();
    };
    const calls = syscalls(withSwitch(code), '32');
    expect(calls.length).toBe(0x101 + 1);
    expect(
      calls.filter(({ state }) => state !== 'unused').map(({ number, name, state }) => [number, name, state]),
    ).toEqual([
      [0, 'restart_syscall', 'here'],
      [3, 'read', 'here'],
      [0x100, 'vm86', 'stub'],
      [undefined, 'unused', 'unlisted'],
    ]);
    expect(tableServesTracing(withSwitch(code), '32')).toBe(false);
    code.fill(0xcc, 9, 12);
    expect(syscalls(withSwitch(code), '32').map(({ number }) => number)).toEqual(Array(4).fill(undefined));
  });
});

describe('the machine', () => {
  it('has firmware strings, in memory or in files', () => {
    const fake = new FakeKernel();
    fake.types.add(enumeration('dmi_field', { DMI_NONE: 0, DMI_BIOS_VENDOR: 1, DMI_SYS_VENDOR: 2, DMI_BOARD_NAME: 3 }));
    const table = fake.allocate(8 * 24);
    fake.symbols.add('dmi_ident', table);
    fake.memory.u64(table + 8n, fake.string('SeaBIOS'));
    fake.memory.u64(table + 16n, 0xdead_0000n);
    expect(dmiFields(fake.kernel())).toEqual([{ name: 'BIOS_VENDOR', text: 'SeaBIOS' }]);
    const files = fakeFiles({ '/sys/class/dmi/id/sys_vendor': 'QEMU\n', '/sys/class/dmi/id/bios_date': '\n' });
    expect(dmiFields(new FakeKernel().kernel({ memory: false, files }))).toEqual([
      { name: 'SYS_VENDOR', text: 'QEMU' },
    ]);
    expect(dmiFields(new FakeKernel().kernel())).toEqual([]);
  });

  it('has processors of a model', () => {
    const fake = new FakeKernel();
    fake.types.add(struct('cpuinfo_x86', { x86: U32, x86_model_id: arrayOf(CHAR, 64) }));
    fake.global('boot_cpu_data', fake.types.find('struct', 'cpuinfo_x86') ?? U32, { x86_model_id: ' A CPU  ' });
    fake.globalInteger('cpu_khz', U32, 2_599_998);
    expect(cpuModel(fake.kernel())).toEqual({ name: 'A CPU', megahertz: 2600 });
    const files = fakeFiles({ '/proc/cpuinfo': 'processor\t: 0\nmodel name\t: B\ncpu MHz\t\t: 3000.4\n' });
    expect(cpuModel(new FakeKernel().kernel({ memory: false, files }))).toEqual({ name: 'B', megahertz: 3000 });
    expect(cpuModel(new FakeKernel().kernel({ memory: false }))).toBe(undefined);
  });

  it('has so many tasks', () => {
    const files = fakeFiles({ '/proc/loadavg': '0.10 0.20 0.30 2/345 6789\n' });
    expect(taskCount(new FakeKernel().kernel({ memory: false, files }))).toBe(345);
    expect(taskCount(new FakeKernel().kernel({ memory: false }))).toBe(undefined);
  });
});

describe('sections of modules', () => {
  const COMMON = `
    struct list_head { struct list_head *next, *prev; };
    struct attribute { const char *name; unsigned short mode; };
    struct module { unsigned int state; struct list_head list; char name[56]; unsigned long taints; void *init;
      struct module_sect_attrs *sect_attrs; };`;
  /** Newest first: since v6.14, since v5.8, before. */
  const LAYOUTS = {
    pointers: `${COMMON}
      struct bin_attribute { struct attribute attr; unsigned long size; void *private; };
      struct attribute_group { const char *name; struct bin_attribute **bin_attrs; };
      struct module_sect_attrs { struct attribute_group grp; struct bin_attribute attrs[2]; };`,
    attributes: `${COMMON}
      struct bin_attribute { struct attribute attr; unsigned long size; void *private; };
      struct attribute_group { const char *name; struct bin_attribute **bin_attrs; };
      struct module_sect_attr { struct bin_attribute battr; unsigned long address; };
      struct module_sect_attrs { struct attribute_group grp; unsigned int nsections; struct module_sect_attr attrs[2]; };`,
    names: `${COMMON}
      struct attribute_group { const char *name; struct attribute **attrs; };
      struct module_attribute { struct attribute attr; void *show; };
      struct module_sect_attr { struct module_attribute mattr; char *name; unsigned long address; };
      struct module_sect_attrs { struct attribute_group grp; unsigned int nsections; struct module_sect_attr attrs[2]; };`,
  };
  const SECTIONS = [
    ['.text', 0xffff_ffff_c000_1000n],
    ['.data', 0xffff_ffff_c000_0000n],
  ] as const;

  function planted(layout: keyof typeof LAYOUTS) {
    const fake = new FakeKernel();
    fake.c(LAYOUTS[layout]);
    const attributes = fake.type('module_sect_attrs');
    const values: Record<string, bigint> = layout === 'pointers' ? {} : { nsections: 2n };
    for (const [i, [name, start]] of SECTIONS.entries()) {
      const text = fake.string(name);
      if (layout === 'pointers')
        Object.assign(values, { [`attrs[${i}].attr.name`]: text, [`attrs[${i}].private`]: start });
      else {
        const path = layout === 'names' ? 'name' : 'battr.attr.name';
        Object.assign(values, { [`attrs[${i}].${path}`]: text, [`attrs[${i}].address`]: start });
      }
    }
    const at = fake.place(attributes, values);
    if (layout === 'pointers') {
      const list = fake.allocate(24);
      for (const i of [0n, 1n]) fake.memory.u64(list + 8n * i, at + 16n + 32n * i);
      fake.set(attributes, at, 'grp.bin_attrs', list);
    }
    const head = fake.global('modules', fake.type('list_head'));
    const module = fake.place(fake.type('module'), { name: 'fuse', sect_attrs: at });
    fake.linkList(head, [module], fake.type('module'), 'list');
    return { fake, at, attributes };
  }

  it.each(['pointers', 'attributes', 'names'] as const)('are told by %s', (layout) => {
    const kernel = planted(layout).fake.kernel();
    expect(moduleSections(kernel, findModule(kernel, 'fuse'))).toEqual([
      { name: '.data', start: 0xffff_ffff_c000_0000n },
      { name: '.text', start: 0xffff_ffff_c000_1000n },
    ]);
  });

  it('of an impossible number are refused', () => {
    const { fake, at, attributes } = planted('attributes');
    fake.set(attributes, at, 'nsections', 0x7fff_ffff);
    const kernel = fake.kernel();
    expect(() => moduleSections(kernel, findModule(kernel, 'fuse'))).toThrow(DataError);
  });

  it('come from /sys where there is no memory', () => {
    const files = fakeFiles({
      '/proc/modules': 'fuse 4096 0 - Live 0xffffffffc0001000\n',
      '/sys/module/fuse/sections/.text': '0xffffffffc0001000\n',
      '/sys/module/fuse/sections/.data..once': '0xffffffffc0000000\n',
      '/sys/module/fuse/sections/.bad': 'no address\n',
    });
    const kernel = new FakeKernel().kernel({ memory: false, files });
    expect(moduleSections(kernel, findModule(kernel, 'fuse'))).toEqual([
      { name: '.data..once', start: 0xffff_ffff_c000_0000n },
      { name: '.text', start: 0xffff_ffff_c000_1000n },
    ]);
  });
});
