import { describe, expect, it } from 'vitest';
import { findModule, type Module, moduleAt, modules } from '../../../src/core/kernel/module.ts';
import { parseProcModules } from '../../../src/core/kernel/module-procfs.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { FakeKernel, fakeFiles } from '../../support/fake-kernel.ts';

const COMMON = `
  struct list_head { struct list_head *next, *prev; };
  struct module_use { struct list_head source_list, target_list; struct module *source, *target; };
`;
const REST = `
  unsigned long taints;
  struct list_head source_list, target_list;
  void *init, *exit;
  struct { int counter; } refcnt;
  void *percpu;
  unsigned int percpu_size;
`;
/** Since v6.4, and before. */
const LAYOUTS = {
  regions: `${COMMON}
    struct module_memory { void *base; unsigned int size; };
    enum mod_mem_type { MOD_TEXT, MOD_DATA, MOD_RODATA, MOD_RO_AFTER_INIT, MOD_INIT_TEXT, MOD_INIT_DATA, MOD_INIT_RODATA };
    struct module { unsigned int state; struct list_head list; char name[56]; struct module_memory mem[7]; ${REST} };`,
  layouts: `${COMMON}
    struct module_layout { void *base; unsigned int size, text_size; };
    struct module { unsigned int state; struct list_head list; char name[56];
      struct module_layout core_layout, init_layout; ${REST} };`,
};
const BASE = 0xffff_ffff_c000_0000n;

function planted(layout: keyof typeof LAYOUTS) {
  const fake = new FakeKernel();
  fake.c(LAYOUTS[layout]);
  const type = fake.type('module');
  const head = fake.global('modules', fake.type('list_head'));
  const module = (name: string, at: bigint, values: Record<string, bigint | number> = {}) => {
    const memory =
      layout === 'regions'
        ? { 'mem[0].base': at, 'mem[0].size': 8192, 'mem[1].base': at + 0x10000n, 'mem[1].size': 4096 }
        : { 'core_layout.base': at, 'core_layout.size': 12288 };
    const address = fake.place(type, { name, 'refcnt.counter': 1, ...memory, ...values });
    const users = address + BigInt(offsetOf(fake, 'source_list'));
    fake.memory.u64(users, users);
    fake.memory.u64(users + 8n, users);
    return address;
  };
  return { fake, head, module, type };
}

function offsetOf(fake: FakeKernel, member: string): number {
  const type = fake.type('module');
  const found = type.kind === 'struct' ? type.members.find(({ name }) => name === member) : undefined;
  return (found?.bitOffset ?? 0) / 8;
}

describe.each(['regions', 'layouts'] as const)('modules with %s', (layout) => {
  const { fake, head, module, type } = planted(layout);
  const fuse = module('fuse', BASE, { 'refcnt.counter': 3 });
  const nf = module('nf_tables', BASE + 0x10_0000n, { taints: 0x3000, init: 1n });
  const loading = module('loading', BASE + 0x20_0000n, { state: 1 });
  const unformed = module('unformed', BASE + 0x30_0000n, { state: 3 });
  fake.linkList(head, [fuse, nf, loading, unformed], type, 'list');
  const use = fake.place(fake.type('module_use'), { source: nf });
  fake.linkList(fuse + BigInt(offsetOf(fake, 'source_list')), [use], fake.type('module_use'), 'source_list');
  const kernel = fake.kernel();

  it('are listed with what lsmod shows', () => {
    const shown = ({ name, state, base, size, references, usedBy, permanent, taints }: Module) => {
      return [name, state, base, size, references, usedBy.join(), permanent, taints];
    };
    expect(modules(kernel).map(shown)).toEqual([
      ['fuse', 'live', BASE, 12288, 2, 'nf_tables', false, ''],
      ['nf_tables', 'live', BASE + 0x10_0000n, 12288, 0, '', true, 'OE'],
      ['loading', 'loading', BASE + 0x20_0000n, 12288, 0, '', false, ''],
    ]);
  });

  it('are found by name, in either spelling, and by address', () => {
    expect(findModule(kernel, 'nf-tables').address).toBe(nf);
    expect(() => findModule(kernel, 'nf_table')).toThrow('no module "nf_table"; did you mean nf_tables?');
    expect(moduleAt(kernel, BASE + 0x10_1000n)?.name).toBe('nf_tables');
    expect(moduleAt(kernel, BASE + 0x8_0000n)).toBeUndefined();
  });
});

describe('modules', () => {
  it('say which kind of memory each region is', () => {
    const { fake, head, module, type } = planted('regions');
    fake.linkList(head, [module('fuse', BASE)], type, 'list');
    expect(findModule(fake.kernel(), 'fuse').regions).toEqual([
      { kind: 'text', base: BASE, size: 8192 },
      { kind: 'data', base: BASE + 0x10000n, size: 4096 },
    ]);
  });

  it('end where the list is broken, with a notice', () => {
    const { fake, head, module, type } = planted('regions');
    const first = module('first', BASE);
    fake.linkList(head, [first, module('second', BASE)], type, 'list');
    fake.set(type, first, 'list.next', 0xdead_0000_0000_0100n);
    const notices: string[] = [];
    expect(modules(fake.kernel({ notice: (text) => notices.push(text) })).map(({ name }) => name)).toEqual(['first']);
    expect(notices).toEqual([expect.stringContaining('LIST_POISON1')]);
  });

  it('come from /proc/modules where there is no memory', () => {
    const text = [
      'kdbg_lab 32768 1 [permanent], Live 0xffffffffc05f0000 (OE)',
      'virtio 20480 2 virtio_net,virtio_pci, Live 0x0000000000000000',
      'going 4096 - - Unloading 0xffffffffc0100000 (O-)',
      'a line of another form',
      '',
    ].join('\n');
    const kernel = new FakeKernel().kernel({ memory: false, files: fakeFiles({ '/proc/modules': text }) });
    expect(modules(kernel)).toEqual(parseProcModules(encodeText(text)));
    expect(modules(kernel)).toMatchObject([
      { name: 'kdbg_lab', base: 0xffffffffc05f0000n, references: 1, usedBy: [], permanent: true, taints: 'OE' },
      { name: 'virtio', base: undefined, usedBy: ['virtio_net', 'virtio_pci'], permanent: false, taints: '' },
      { name: 'going', state: 'unloading', references: undefined, taints: 'O' },
    ]);
    expect(() => modules(new FakeKernel().kernel({ memory: false }))).toThrow('does not tell of modules');
  });
});

describe('a kernel without modules', () => {
  it('has none, and that is known where its symbols are', () => {
    const fake = new FakeKernel();
    fake.symbols.add('schedule', 0xffff_ffff_8100_0000n, 'T');
    expect(modules(fake.kernel({ memory: false }))).toEqual([]);
    fake.symbols.add('__request_module', 0xffff_ffff_8100_1000n, 'T');
    expect(() => modules(fake.kernel({ memory: false }))).toThrow('does not tell of modules');
  });
});
