import { describe, expect, it } from 'vitest';
import { NotFoundError, UsageError } from '../../../src/core/errors.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { parseDeclarations } from '../../../src/core/types/c-declaration.ts';
import { GLOBAL_CHECKS } from '../../../src/core/types/global-checks.ts';
import { createGlobals } from '../../../src/core/types/globals.ts';
import { getMember } from '../../../src/core/types/member-path.ts';
import { type CompoundType, sizeOf } from '../../../src/core/types/type.ts';
import { declare, typeName } from '../../../src/core/types/type-name.ts';
import { btf } from '../../support/btf-builder.ts';

const LIST = 'struct list_head { struct list_head *next, *prev; };';
const vmlinux = btf(`${LIST}
  struct task_struct { int pid; char comm[16]; };
  struct maple_tree { void *root; };
  typedef struct { int counter; } atomic_t;
  struct rq { int nr_running; } ;
  struct rq runqueues;
  enum { NR_SOFTIRQS = 10 };
  struct softirq_action { void (*action)(void); };
`);

describe('the types of globals', () => {
  const table = new BtfTable(vmlinux.bytes);
  const globals = createGlobals(table);
  const named = (name: string) => {
    const type = globals.typeOf(name);
    return type && declare(type, name);
  };

  it.each([
    ['init_task', 'struct task_struct init_task'],
    ['modules', 'struct list_head modules'],
    ['btf_modules', 'struct list_head btf_modules'],
    ['__per_cpu_offset', 'unsigned long __per_cpu_offset[]'],
    ['panic_cpu', 'atomic_t panic_cpu'],
    ['softirq_vec', 'struct softirq_action softirq_vec[10]'],
    ['linux_banner', 'const char linux_banner[]'],
  ])('%s is known from the seeds', (name, declaration) => {
    expect(named(name)).toBe(declaration);
    expect(globals.find(name)?.from).toBe('seed');
  });

  it('come from BTF where it has them', () => {
    expect(globals.find('runqueues')).toMatchObject({ from: 'btf', type: { name: 'rq' } });
  });

  it('are those whose types this kernel has', () => {
    expect(named('sparse_irqs')).toBe('struct maple_tree sparse_irqs');
    expect(named('irq_desc_tree')).toBeUndefined();
    expect(named('prb')).toBeUndefined();
    const tree = createGlobals(new BtfTable(btf('struct xarray { void *head; };').bytes));
    expect(typeName(tree.typeOf('irq_desc_tree')!)).toBe('struct xarray');
    expect(tree.typeOf('sparse_irqs')).toBeUndefined();
    const latched = btf('typedef unsigned long long u64; struct latched_seq { unsigned int latch; u64 val[2]; };');
    expect(typeName(createGlobals(new BtfTable(latched.bytes)).typeOf('clear_seq')!)).toBe('struct latched_seq');
    expect(
      typeName(createGlobals(new BtfTable(btf('typedef unsigned long long u64;').bytes)).typeOf('clear_seq')!),
    ).toBe('u64');
  });

  it('may be structs without a name, laid out here', () => {
    const source = 'typedef struct { unsigned int sequence; } seqcount_t; struct timekeeper { long xtime_sec; };';
    const old = createGlobals(new BtfTable(btf(source).bytes)).typeOf('tk_core')!;
    expect(getMember(old, 'timekeeper.xtime_sec').offset).toBe(8);
    const named = createGlobals(new BtfTable(btf(`${source} struct tk_data { seqcount_t seq; };`).bytes));
    expect(typeName(named.typeOf('tk_core')!)).toBe('struct tk_data');
  });

  it('do not read the BTF of modules unless a module is meant', () => {
    const own = new BtfTable(vmlinux.bytes);
    let reads = 0;
    own.addModule('loop', () => {
      reads++;
      return btf('struct idr { int next; };', { base: vmlinux }).bytes;
    });
    const globalsOf = createGlobals(own);
    expect(globalsOf.typeOf('loop_index_idr')).toBeUndefined();
    expect(reads).toBe(0);
    expect(typeName(globalsOf.typeOf('loop_index_idr', 'loop')!)).toBe('struct idr');
    expect(reads).toBe(1);
  });

  it('have checks that fit their types', () => {
    for (const check of GLOBAL_CHECKS) expect(globals.names()).toContain(check.symbol);
  });
});

describe('declarations of the user', () => {
  it('come before all else, and the last one counts', () => {
    const globals = createGlobals(new BtfTable(vmlinux.bytes));
    expect(globals.declare('struct list_head my_list, init_task; int runqueues;')).toEqual([
      'my_list',
      'init_task',
      'runqueues',
    ]);
    expect(globals.find('init_task')).toMatchObject({ from: 'user', type: { name: 'list_head' } });
    expect(typeName(globals.typeOf('runqueues')!)).toBe('int');
    globals.declare('long runqueues');
    expect(typeName(globals.typeOf('runqueues')!)).toBe('long');
    expect(globals.names()).toContain('my_list');
  });

  it('may define types, which the table has from then on', () => {
    const table = new BtfTable(vmlinux.bytes);
    const globals = createGlobals(table);
    globals.declare(`
      enum mode { OFF, SLOW = 4, FAST };
      typedef unsigned int u32;
      struct foo {            // as in foo.h
        struct foo *next; u32 len:4, kind:28; enum mode mode;
        union { char bytes[FAST]; struct list_head list; };
      } __attribute__((aligned(8)));
      static struct foo *foo_head __read_mostly, foo_table[2];`);
    const foo = table.find('struct', 'foo') as CompoundType;
    expect(foo.members.map(({ name, bitOffset, bitSize }) => [name, bitOffset, bitSize])).toEqual([
      ['next', 0, undefined],
      ['len', 64, 4],
      ['kind', 68, 28],
      ['mode', 96, undefined],
      [undefined, 128, undefined],
    ]);
    expect(sizeOf(foo)).toBe(32);
    expect(declare(globals.typeOf('foo_table')!, 'foo_table')).toBe('struct foo foo_table[2]');
    expect(getMember(foo, 'bytes[4]').offset).toBe(20);
  });

  it.each([
    ['struct list_head', 16, 'a declaration needs a name'],
    ['int a = 3;', 6, '"," or ";" is wanted, not "="'],
    ['int a int b;', 6, '"," or ";" is wanted, not "int"'],
    ['struct foo { int a; struct foo b; } x;', 0, 'struct foo contains itself'],
    ['struct foo { int a : 65; };', 19, 'a bitfield has at most 64 bits, not ":"'],
    ['struct foo { int a;', 19, 'a type name is wanted, not the end'],
  ])('%j is refused at column %i', (text, column, message) => {
    const globals = createGlobals(new BtfTable(vmlinux.bytes));
    try {
      globals.declare(text);
      expect.unreachable();
    } catch (error) {
      expect(error).toBeInstanceOf(UsageError);
      expect(error).toMatchObject({ message, column });
    }
    expect(globals.typeOf('a')).toBeUndefined();
  });

  it('of unknown types are refused with near misses', () => {
    const globals = createGlobals(new BtfTable(vmlinux.bytes));
    expect(() => globals.declare('struct list_haed x;')).toThrow(NotFoundError);
    expect(() => globals.declare('struct list_haed x;')).toThrow('did you mean list_head?');
  });
});

describe('the layout of declared structs', () => {
  const table = new BtfTable(vmlinux.bytes);
  // What gcc 12 gives on x86-64 (-Wpadded, offsetof).
  it.each([
    ['char a; long b;', 16, [0, 64]],
    ['char a; short b; char c; int d;', 12, [0, 16, 32, 64]],
    ['char a:3; int b:30;', 8, [0, 32]],
    ['int a:7; int :0; char b:2;', 8, [0, 32]],
    ['char a; int b:4; char c;', 4, [0, 8, 16]],
    ['long a:40; int b:20; int c:5;', 16, [0, 40, 64]],
    ['char a[3]; union { long u; char v; }; char b;', 24, [0, 64, 128]],
    ['__int128 a; char b;', 32, [0, 128]],
  ])('{ %s }', (body, size, offsets) => {
    const { types } = parseDeclarations(`struct t { ${body} };`, table);
    const type = types[0]!.type as CompoundType;
    expect(type.members.map(({ bitOffset }) => bitOffset)).toEqual(offsets);
    expect(sizeOf(type)).toBe(size);
  });
});
