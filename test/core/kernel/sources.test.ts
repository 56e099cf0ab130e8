import { describe, expect, it } from 'vitest';
import { Kernel } from '../../../src/core/kernel/kernel.ts';
import { vmcoreinfo } from '../../../src/core/kernel/vmcoreinfo.ts';
import type { Backend } from '../../../src/core/memory/backend.ts';
import { encodeText } from '../../../src/core/memory/text.ts';
import { btf } from '../../support/btf-builder.ts';
import { elfSymbol, joined, note } from '../../support/elf-builder.ts';
import { FakeKernel, fakeFiles } from '../../support/fake-kernel.ts';
import { kallsymsImage, kallsymsText, type TestSymbol } from '../../support/kallsyms-builder.ts';

const TEXT = 0xffff_ffff_8100_0000n;
const BTF_AT = 0xffff_ffff_8300_0000n;

const KERNEL_TYPES = btf(`
  typedef struct { unsigned int st_name; unsigned char st_info, st_other; unsigned short st_shndx;
    unsigned long st_value, st_size; } Elf64_Sym;
  struct list_head { struct list_head *next, *prev; };
  struct mod_kallsyms { Elf64_Sym *symtab; unsigned int num_symtab; char *strtab; char *typetab; };
  struct module_memory { void *base; unsigned int size; };
  struct module { unsigned int state; struct list_head list; char name[56]; struct module_memory mem[7];
    unsigned long taints; void *init; struct mod_kallsyms *kallsyms; };
  struct btf { void *data; unsigned int data_size; char name[56]; };
  struct btf_module { struct list_head list; struct module *module; struct btf *btf; };
  struct task_struct { int pid; };
`);
const MODULE_TYPES = btf('struct fuse_conn { int connected; struct task_struct *task; };', { base: KERNEL_TYPES });

/** A dump's memory: the kallsyms tables, BTF, one module with its own symbols and types; no files at all. */
function dump(options: { readonly withoutBtf?: boolean } = {}) {
  const fake = new FakeKernel();
  const modules = fake.allocate(16);
  const btfModules = fake.allocate(16);
  const symbols: TestSymbol[] = [
    { name: '_stext', type: 'T', address: TEXT },
    { name: 'schedule', type: 'T', address: TEXT + 0x1000n },
    ...(options.withoutBtf === true
      ? []
      : [
          { name: '__start_BTF', type: 'R', address: BTF_AT },
          { name: '__stop_BTF', type: 'R', address: BTF_AT + BigInt(KERNEL_TYPES.bytes.length) },
        ]),
    { name: 'modules', type: 'd', address: modules },
    { name: 'btf_modules', type: 'd', address: btfModules },
  ];
  const image = kallsymsImage(
    symbols.sort((a, b) => (a.address < b.address ? -1 : 1)),
    { encoding: 'absolute' },
  );
  fake.memory.write(image.base, image.bytes);
  fake.memory.write(BTF_AT, KERNEL_TYPES.bytes);
  fake.c(`
    typedef struct { unsigned long a, b, c; } Elf64_Sym;
    struct list_head { struct list_head *next, *prev; };
    struct mod_kallsyms { Elf64_Sym *symtab; unsigned int num_symtab; char *strtab; char *typetab; };
    struct module_memory { void *base; unsigned int size; };
    struct module { unsigned int state; struct list_head list; char name[56]; struct module_memory mem[7];
      unsigned long taints; void *init; struct mod_kallsyms *kallsyms; };
    struct btf { void *data; unsigned int data_size; char name[56]; };
    struct btf_module { struct list_head list; struct module *module; struct btf *btf; };
  `);
  const strings = encodeText('\0fuse_open\0fuse_state\0');
  const symtab = fake.allocate(72);
  fake.memory.write(
    symtab,
    joined(
      elfSymbol({ name: 0, info: 0, section: 0, value: 0n }),
      elfSymbol({ name: 1, info: 0x12, section: 1, value: 0xffff_ffff_c000_1000n }),
      elfSymbol({ name: 11, info: 0x11, section: 2, value: 0xffff_ffff_c000_9000n }),
    ),
  );
  const strtab = fake.allocate(strings.length + 3);
  fake.memory.write(strtab, joined(strings, encodeText('?td')));
  const kallsyms = fake.place(fake.type('mod_kallsyms'), {
    symtab,
    num_symtab: 3,
    strtab,
    typetab: strtab + BigInt(strings.length),
  });
  const module = fake.place(fake.type('module'), { name: 'fuse', kallsyms });
  fake.linkList(modules, [module], fake.type('module'), 'list');
  const data = fake.allocate(MODULE_TYPES.bytes.length);
  fake.memory.write(data, MODULE_TYPES.bytes);
  const types = fake.place(fake.type('btf'), { data, data_size: MODULE_TYPES.bytes.length, name: 'fuse' });
  const entry = fake.place(fake.type('btf_module'), { module, btf: types });
  fake.linkList(btfModules, [entry], fake.type('btf_module'), 'list');
  return { fake, vmcoreinfo: image.vmcoreinfo, kallsyms };
}

/** A kernel that finds its types and symbols itself. */
function kernelOf(backend: Backend, notices: string[] = []): Kernel {
  return new Kernel(backend, { notice: (text) => notices.push(text) });
}

describe('a target with memory alone', () => {
  it('has the symbols of vmlinux and of modules, and the types of both', () => {
    const { fake, vmcoreinfo: info } = dump();
    const notices: string[] = [];
    const kernel = kernelOf(fake.backend({ vmcoreinfo: info }), notices);
    expect(kernel.symbol('schedule').address).toBe(TEXT + 0x1000n);
    expect(kernel.symbols.find('fuse_open')).toMatchObject({
      address: 0xffff_ffff_c000_1000n,
      type: 't',
      module: 'fuse',
    });
    expect(kernel.symbols.find('fuse_state')).toMatchObject({ type: 'd', module: 'fuse' });
    expect(kernel.types.find('struct', 'task_struct')).toMatchObject({ size: 4 });
    expect(kernel.types.find('struct', 'fuse_conn')).toMatchObject({ size: 16, module: 'fuse' });
    expect(kernel.symbols.source).toBe('kallsyms in kernel memory, 1 module');
    expect(kernel.types.source).toBe('BTF in kernel memory, 1 module');
    expect(notices).toEqual([]);
  });

  it('has vmlinux alone where there are no types, and says so', () => {
    const { fake, vmcoreinfo: info } = dump({ withoutBtf: true });
    const notices: string[] = [];
    const kernel = kernelOf(fake.backend({ vmcoreinfo: info }), notices);
    expect(kernel.symbols.find('fuse_open')).toBeUndefined();
    expect(kernel.symbol('schedule').type).toBe('T');
    expect(notices).toEqual([expect.stringContaining('symbols of modules are missing')]);
    expect(() => kernel.types).toThrow('gives no type information');
  });

  it('leaves the symbols of a module out whose tables cannot be read', () => {
    const { fake, vmcoreinfo: info, kallsyms } = dump();
    fake.set(fake.type('mod_kallsyms'), kallsyms, 'symtab', 0xffff_8880_7777_0000n);
    const notices: string[] = [];
    const kernel = kernelOf(fake.backend({ vmcoreinfo: info }), notices);
    expect(kernel.symbol('schedule').type).toBe('T');
    expect(notices).toEqual([expect.stringContaining('the symbols of module fuse are left out')]);
  });

  it('has no symbols where nothing says where they are', () => {
    const kernel = kernelOf(dump().fake.backend());
    expect(() => kernel.symbols).toThrow('fake gives no symbols');
  });
});

describe('a target with files', () => {
  const files = fakeFiles({
    '/proc/kallsyms': kallsymsText([{ name: 'schedule', type: 'T', address: TEXT }]),
    '/sys/kernel/btf/vmlinux': KERNEL_TYPES.bytes,
    '/sys/kernel/btf/fuse': MODULE_TYPES.bytes,
  });

  it('has both from them, without memory', () => {
    const kernel = kernelOf(new FakeKernel().backend({ memory: false, files }));
    expect(kernel.symbols.source).toBe('/proc/kallsyms');
    expect(kernel.symbol('schedule').address).toBe(TEXT);
    expect(kernel.types.find('struct', 'fuse_conn')).toMatchObject({ module: 'fuse' });
    expect(kernel.types.source).toBe('/sys/kernel/btf/vmlinux, 1 module');
  });

  it('takes the addresses from memory where the file hides them', () => {
    const { fake, vmcoreinfo: info } = dump();
    const hidden = fakeFiles({ '/proc/kallsyms': kallsymsText([{ name: 'schedule', type: 'T', address: 0n }]) });
    const kernel = kernelOf(fake.backend({ vmcoreinfo: info, files: hidden }));
    expect(kernel.symbol('schedule').address).toBe(TEXT + 0x1000n);
    const without = kernelOf(new FakeKernel().backend({ memory: false, files: hidden }));
    expect(without.symbols.addressesHidden).toBe(true);
  });

  it('reads VMCOREINFO where /sys says that it is', () => {
    const fake = new FakeKernel();
    fake.memory.write(0x11e_2000n, new Uint8Array(0x1024));
    fake.memory.write(0x11e_2000n, note('VMCOREINFO', 0, encodeText('OSRELEASE=6.1.0\nPAGESIZE=4096\n')));
    const at = fakeFiles({ '/sys/kernel/vmcoreinfo': '0x00000000011e2000 1024\n' });
    expect(vmcoreinfo(fake.kernel({ files: at }))?.release).toBe('6.1.0');
    expect(vmcoreinfo(new FakeKernel().kernel({ files: at }))).toBeUndefined();
    expect(vmcoreinfo(fake.kernel())).toBeUndefined();
  });
});
