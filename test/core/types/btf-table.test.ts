import { describe, expect, it } from 'vitest';
import { DataError } from '../../../src/core/errors.ts';
import { BTF_KIND } from '../../../src/core/formats/btf-kind.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import {
  type ArrayType,
  type CompoundType,
  type CType,
  type EnumType,
  isCompoundNamed,
  type PointerType,
  resolve,
  sizeOf,
} from '../../../src/core/types/type.ts';
import { typeName } from '../../../src/core/types/type-name.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';

const SOURCE = `
  typedef unsigned int u32;
  typedef u32 __u32;
  struct list_head { struct list_head *next, *prev; };
  struct opaque;
  struct task_struct {
    u32 state;
    u32 reset : 1, migrated : 3;
    unsigned long : 0;
    char comm[16];
    struct list_head tasks;
    union { int a; struct { short b, c; }; };
    const volatile char *name;
    int (*fn)(struct task_struct *task, int, ...);
    struct opaque *hidden;
    long tail[];
  };
  enum pid_type { PIDTYPE_PID, PIDTYPE_TGID, PIDTYPE_SID = 7 };
  enum { LOW = -3, HIGH = 5 };
  enum wide { WIDE = 0x8000000000000000, ONE = 1 };
  int wake_up_process(struct task_struct *p);
  struct task_struct *current_task;
`;
const vmlinux = btf(SOURCE);
const compound = (type: CType | undefined) => type as CompoundType;

describe('types of vmlinux', () => {
  const table = new BtfTable(vmlinux.bytes);
  const task = compound(table.find('struct', 'task_struct'));
  const member = (name: string) => task.members.find((own) => own.name === name)!;

  it('have the members, offsets and sizes of the record', () => {
    expect(task).toMatchObject({ kind: 'struct', name: 'task_struct', size: 72, module: undefined });
    expect(task.members.map(({ name, bitOffset, bitSize }) => [name, bitOffset, bitSize])).toEqual([
      ['state', 0, undefined],
      ['reset', 32, 1],
      ['migrated', 33, 3],
      ['comm', 64, undefined],
      ['tasks', 192, undefined],
      [undefined, 320, undefined],
      ['name', 384, undefined],
      ['fn', 448, undefined],
      ['hidden', 512, undefined],
      ['tail', 576, undefined],
    ]);
  });

  it('are one object for one id, around any cycle', () => {
    const head = compound(table.find('struct', 'list_head'));
    const next = head.members[0]!.type as PointerType;
    expect(next.target).toBe(head);
    expect(member('tasks').type).toBe(head);
    expect(table.find('struct', 'task_struct')).toBe(task);
  });

  it('keep typedefs and qualifiers', () => {
    expect(typeName(member('state').type)).toBe('u32');
    expect(resolve(table.find('typedef', '__u32')!)).toMatchObject({ kind: 'int', name: 'unsigned int', size: 4 });
    expect(typeName(member('name').type)).toBe('const volatile char *');
  });

  it('know arrays, flexible ones too', () => {
    expect(member('comm').type).toMatchObject({ kind: 'array', count: 16, size: 16 });
    expect(member('tail').type).toMatchObject({ kind: 'array', count: 0, size: 0 });
    expect(sizeOf((member('tail').type as ArrayType).element)).toBe(8);
  });

  it('know prototypes: parameter names, and "..."', () => {
    const fn = (member('fn').type as PointerType).target;
    expect(fn).toMatchObject({ kind: 'function', variadic: true });
    expect(fn.kind === 'function' && fn.parameters.map(({ name }) => name)).toEqual(['task', undefined]);
    expect(table.function('wake_up_process')?.parameters[0]?.name).toBe('p');
    expect(table.function('task_struct')).toBeUndefined();
  });

  it('know variables and enumeration constants', () => {
    expect(typeName(table.variable('current_task')!)).toBe('struct task_struct *');
    expect(table.enumerator('PIDTYPE_SID')).toMatchObject({ value: 7n, type: { name: 'pid_type', signed: false } });
    expect(table.enumerator('LOW')).toMatchObject({ value: -3n, type: { name: undefined, signed: true } });
    expect(table.enumerator('WIDE')).toMatchObject({ value: 1n << 63n, type: { size: 8, signed: false } });
    expect(table.enumerator('NONE')).toBeUndefined();
  });

  it('tell a declaration from a definition', () => {
    expect(table.find('struct', 'opaque')).toBeUndefined();
    expect(table.all('struct', 'opaque')).toMatchObject([{ type: { kind: 'forward', name: 'opaque', union: false } }]);
    expect(table.find('union', 'task_struct')).toBeUndefined();
    expect(isCompoundNamed(table.find('struct', 'task_struct')!, 'task_struct')).toBe(true);
  });

  it('are listed once by name, forward declarations and functions left out', () => {
    const names = [...table.names()].map(({ namespace, name }) => `${namespace} ${name}`);
    expect(names.filter((name) => name === 'struct list_head')).toHaveLength(1);
    expect(names).toContain('typedef u32');
    expect(names).toContain('base unsigned int');
    expect(names.join()).not.toMatch(/opaque|wake_up_process|current_task/);
  });
});

describe('old BTF', () => {
  it('has bitfields as narrow integers', () => {
    const source = 'struct flags { unsigned int a : 3, b : 30; unsigned char c : 1; unsigned int plain; };';
    const places = (old: boolean) =>
      compound(new BtfTable(btf(source, { old }).bytes).find('struct', 'flags')).members.map((own) => [
        own.name,
        own.bitOffset,
        own.bitSize,
      ]);
    expect(places(true)).toEqual(places(false));
    expect(places(true)).toEqual([
      ['a', 0, 3],
      ['b', 32, 30],
      ['c', 62, 1],
      ['plain', 64, undefined],
    ]);
  });

  it('has the full-width type under a name that bitfields share', () => {
    const writer = new BtfWriter();
    writer.int('unsigned int', 4, { bits: 3 });
    const full = writer.int('unsigned int', 4);
    const table = new BtfTable(writer.bytes());
    expect(table.btf.named('unsigned int')).toHaveLength(2);
    expect(table.find('base', 'unsigned int')).toMatchObject({ size: 4 });
    expect([...table.names()].map(({ name }) => name)).toEqual(['unsigned int']);
    expect(full).toBe(2);
  });

  it('has enums that do not say whether they are signed', () => {
    const source = 'enum a { MINUS = -1, ONE = 1 }; enum b { TOP = 0x80000000, ONES = 0xffff0000 };';
    const table = new BtfTable(btf(source, { old: true }).bytes);
    expect(table.enumerator('MINUS')?.value).toBe(-1n);
    expect(table.enumerator('TOP')?.value).toBe(0x80000000n);
    expect((table.find('enum', 'b') as EnumType).signed).toBe(false);
    expect(new BtfTable(btf(`${source} enum c { ALL = 0xffffffff };`).bytes).enumerator('ALL')?.value).toBe(
      0xffffffffn,
    );
  });
});

describe('every kind', () => {
  it('is read, and what is no C type is refused where one is wanted', () => {
    const writer = new BtfWriter();
    const double = writer.add({ kind: BTF_KIND.float, name: 'double', size: 8 });
    const tagged = writer.refer(BTF_KIND.typeTag, double, 'user');
    const pointer = writer.pointer(tagged);
    const restricted = writer.refer(BTF_KIND.restrict, pointer);
    writer.refer(BTF_KIND.typedef, restricted, 'user_double');
    const holder = writer.compound('struct', 'holder', 8, [['p', restricted, 0]]);
    writer.add({ kind: BTF_KIND.declTag, name: 'kfunc', size: holder, words: [0] });
    const section = writer.add({ kind: BTF_KIND.dataSection, name: '.data', vlen: 1, words: [holder, 0, 8] });
    writer.refer(BTF_KIND.typedef, section, 'not_a_type');
    const table = new BtfTable(writer.bytes());
    expect(table.warnings).toEqual([]);
    expect(typeName(resolve(table.find('typedef', 'user_double')!))).toBe('double __user *');
    const [member] = compound(table.find('struct', 'holder')).members;
    expect(typeName(member!.type)).toBe('double __user * restrict');
    expect(() => table.find('typedef', 'not_a_type')).toThrow(DataError);
    expect(() => table.find('typedef', 'not_a_type')).toThrow('wanted as a C type');
  });
});

describe('modules', () => {
  const nfs = btf('struct nfs_inode { struct list_head open; }; struct twin { int a; }; enum { NFS_ON = 3 };', {
    base: vmlinux,
  });
  const xfs = btf('struct twin { long a; long b; }; struct opaque { int seen; }; int xfs_sync(u32 x);', {
    base: vmlinux,
  });

  function tableWithModules() {
    const table = new BtfTable(vmlinux.bytes);
    const reads: string[][] = [];
    table.addModules(['nfs', 'xfs', 'dm_mod'], (names) => {
      reads.push([...names]);
      return names.map((name) => ({ nfs: nfs.bytes, xfs: xfs.bytes })[name]);
    });
    return { table, reads };
  }

  it('are not read while vmlinux has the type', () => {
    const { table, reads } = tableWithModules();
    expect(table.find('struct', 'list_head')).toBeDefined();
    expect(table.find('struct', 'nfs_inode', 'vmlinux')).toBeUndefined();
    expect(table.enumerator('NFS_ON', 'vmlinux')).toBeUndefined();
    expect(table.modules).toEqual(['nfs', 'xfs', 'dm_mod']);
    expect(table.source).toBe('/sys/kernel/btf/vmlinux, 3 modules');
    expect(reads).toEqual([]);
  });

  it('are read once, all together, when vmlinux lacks the type', () => {
    const { table, reads } = tableWithModules();
    expect(table.find('struct', 'nfs_inode')).toMatchObject({ module: 'nfs', size: 16 });
    expect(table.find('struct', 'no_such')).toBeUndefined();
    expect(table.function('xfs_sync')?.parameters).toHaveLength(1);
    expect(table.enumerator('NFS_ON')?.value).toBe(3n);
    expect(reads).toEqual([['nfs', 'xfs', 'dm_mod']]);
  });

  it('are read alone when named, and come before vmlinux then', () => {
    const { table, reads } = tableWithModules();
    expect(table.find('struct', 'twin', 'xfs')).toMatchObject({ module: 'xfs', size: 16 });
    expect(table.find('struct', 'list_head', 'xfs')).toMatchObject({ module: undefined });
    expect(table.find('struct', 'nfs_inode', 'xfs')).toBeUndefined();
    expect(table.find('struct', 'list_head', 'no_such_module')).toMatchObject({ module: undefined });
    expect(reads).toEqual([['xfs']]);
  });

  it('share the types of vmlinux', () => {
    const { table } = tableWithModules();
    const inode = compound(table.find('struct', 'nfs_inode'));
    expect(inode.members[0]!.type).toBe(table.find('struct', 'list_head'));
  });

  it('keep types of one name apart, and define what vmlinux only declares', () => {
    const { table } = tableWithModules();
    expect(table.all('struct', 'twin').map(({ module, type }) => [module, sizeOf(type)])).toEqual([
      ['nfs', 4],
      ['xfs', 16],
    ]);
    expect(table.find('struct', 'opaque')).toMatchObject({ kind: 'struct', module: 'xfs' });
  });

  it('may be named with dashes', () => {
    const { table } = tableWithModules();
    table.addModule('snd-pcm', () => btf('struct snd { int a; };', { base: vmlinux }).bytes);
    expect(table.find('struct', 'snd', 'snd_pcm')).toMatchObject({ module: 'snd-pcm' });
  });

  it('cost only their own types when their BTF is damaged', () => {
    const table = new BtfTable(vmlinux.bytes);
    table.addModule('bad', () => Uint8Array.of(1, 2, 3));
    table.addModule('good', () => xfs.bytes);
    expect(table.find('struct', 'twin')).toMatchObject({ module: 'good' });
    expect(table.warnings).toEqual(['BTF of bad is 3 bytes: too short for a BTF header']);
  });

  it('are read again after a read that was stopped', () => {
    const table = new BtfTable(vmlinux.bytes);
    let stopped = true;
    table.addModule('xfs', () => {
      if (stopped) throw new Error('stopped');
      return xfs.bytes;
    });
    expect(() => table.find('struct', 'twin')).toThrow('stopped');
    stopped = false;
    expect(table.find('struct', 'twin')).toMatchObject({ module: 'xfs' });
  });
});
