import { describe, expect, it } from 'vitest';
import { KdbgError, NotFoundError, UsageError } from '../../../src/core/errors.ts';
import { BTF_KIND } from '../../../src/core/formats/btf-kind.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { resolve } from '../../../src/core/types/type.ts';
import { declare, parseTypeName, typeName } from '../../../src/core/types/type-name.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const vmlinux = btf(`
  typedef unsigned long long u64;
  typedef _Bool bool;
  typedef unsigned long size_t;
  struct list_head { struct list_head *next, *prev; };
  struct file; struct task_struct { int pid; struct file *file; };
  union thread_union { long stack[2048]; };
  enum pid_type { PIDTYPE_PID, PIDTYPE_MAX = 4 };
  typedef struct { int counter; } atomic_t;
  int used(char a, signed char b, unsigned char c, short d, unsigned short e, long f, unsigned long g, long long h);
`);
const table = new BtfTable(vmlinux.bytes);

describe('type names', () => {
  it.each([
    ['struct list_head'],
    ['struct list_head **'],
    ['union thread_union'],
    ['enum pid_type'],
    ['u64'],
    ['atomic_t *'],
    ['unsigned long'],
    ['unsigned long long'],
    ['long long'],
    ['signed char'],
    ['void *'],
    ['void'],
    ['char [16]'],
    ['int [2][3]'],
    ['char *[4]'],
    ['int (*)[3]'],
    ['int (*)(void *)'],
    ['int (*)(const char *, ...)'],
    ['void (*)(void)'],
    ['int (*(*)(int))(char)'],
    ['void (*(int, void (*)(int)))(int)'],
    ['void (*[4])(int)'],
    ['const struct task_struct *'],
    ['const volatile int'],
    ['char * const'],
    ['struct list_head * const volatile'],
    ['int (* const)(int)'],
    ['struct file *'],
    ['__int128'],
    ['double'],
    ['_Bool'],
  ])('%s is read and written alike', (name) => {
    expect(typeName(parseTypeName(name, table))).toBe(name);
  });

  it.each([
    ['task_struct', 'struct task_struct'],
    ['thread_union', 'union thread_union'],
    ['pid_type', 'enum pid_type'],
    ['task_struct *', 'struct task_struct *'],
    ['  struct   list_head*', 'struct list_head *'],
    ['long unsigned int', 'unsigned long'],
    ['long int long unsigned', 'unsigned long long'],
    ['unsigned', 'unsigned int'],
    ['short', 'short'],
    ['int short unsigned', 'unsigned short'],
    ['struct task_struct const *', 'const struct task_struct *'],
    ['int const volatile', 'const volatile int'],
    ['char [PIDTYPE_MAX]', 'char [4]'],
    ['char[0x10]', 'char [16]'],
    ['struct file __user *', 'struct file *'],
    ['int (void)', 'int (void)'],
    ['int()', 'int (void)'],
    ['char []', 'char []'],
    ['int (*)(struct task_struct *p, size_t n)', 'int (*)(struct task_struct *p, size_t n)'],
  ])('%s means %s', (text, name) => {
    expect(typeName(parseTypeName(text, table))).toBe(name);
  });

  it('are the types of the table', () => {
    expect(parseTypeName('struct list_head', table)).toBe(table.find('struct', 'list_head'));
    expect(parseTypeName('unsigned long', table)).toBe(table.find('base', 'long unsigned int'));
    expect(resolve(parseTypeName('u64', table))).toMatchObject({ size: 8, signed: false });
    expect(parseTypeName('__int128', table)).toMatchObject({ kind: 'int', size: 16 });
  });

  it('of a clang-built kernel are found under its spelling', () => {
    const writer = new BtfWriter();
    writer.int('unsigned long', 8);
    const clang = new BtfTable(writer.bytes());
    expect(parseTypeName('long unsigned int', clang)).toBe(clang.find('base', 'unsigned long'));
  });

  it('take a typedef only, where a bare word may be something else', () => {
    expect(() => parseTypeName('task_struct', table, { bareTags: false })).toThrow(NotFoundError);
    expect(typeName(parseTypeName('size_t', table, { bareTags: false }))).toBe('size_t');
  });
});

describe('errors', () => {
  it.each([
    ['', 0, 'a type name is wanted, not the end'],
    ['struct', 6, '"struct" needs a tag, not the end'],
    ['struct list_head *x', 18, '"x" is not part of a type name'],
    ['unsigned float', 0, '"unsigned float" is not a C type'],
    ['long long long', 0, '"long long long" is not a C type'],
    ['int [', 5, 'a number is wanted, not the end'],
    ['int [3', 6, '"]" is wanted, not the end'],
    ['int (*', 6, '")" is wanted, not the end'],
    ['int (*)(char', 12, '"," or ")" is wanted, not the end'],
    ['char [NOBODY]', 6, '"NOBODY" is not a number or an enumeration constant'],
    ['char [99999999999]', 6, 'an array cannot have so many elements, not "99999999999"'],
    ['char [4294967295][4294967295]', 5, 'the array is impossibly large'],
    ['int [12ab]', 7, '"12" is followed by a letter'],
    [`int ${'('.repeat(100)}`, 44, 'the declaration nests too deeply, not "("'],
  ])('%j points at column %i', (text, column, message) => {
    let error: unknown;
    try {
      parseTypeName(text, table);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(UsageError);
    expect(error).toMatchObject({ message, column });
  });

  it('name what is near', () => {
    expect(() => parseTypeName('struct task_strct', table)).toThrow(
      'no type "struct task_strct"; did you mean task_struct?',
    );
    expect(() => parseTypeName('lst_head *', table)).toThrow('did you mean list_head?');
    expect(() => parseTypeName('int (*)(struct nothing_like_it)', table)).toThrow(
      'no type "struct nothing_like_it" (column 9)',
    );
  });

  it('come from any text, and from no type that does not end', () => {
    const random = seededRandom(3);
    const good = new TextEncoder().encode(
      'int (*(*)(struct list_head *, char [4]))(const volatile unsigned long * const)',
    );
    for (let i = 0; i < 10_000; i++) {
      const text = String.fromCharCode(...mutate(good, random));
      try {
        typeName(parseTypeName(text, table, { suggest: false }));
      } catch (error) {
        expect(error).toBeInstanceOf(KdbgError);
      }
    }
  });
});

describe('declarations', () => {
  it.each([
    ['struct list_head', 'tasks', 'struct list_head tasks'],
    ['char [16]', 'comm', 'char comm[16]'],
    ['int (*)(struct file *, int)', 'fn', 'int (*fn)(struct file *, int)'],
    ['void (*[4])(int)', 'handlers', 'void (*handlers[4])(int)'],
    ['char * const', 'h', 'char * const h'],
    ['const char *', 'name', 'const char *name'],
    ['long (long)', 'schedule_timeout', 'long schedule_timeout(long)'],
    ['void *(*)(int)', 'alloc', 'void *(*alloc)(int)'],
  ])('%s of %s', (type, name, declaration) => {
    expect(declare(parseTypeName(type, table), name)).toBe(declaration);
  });

  it('have parameter names where they are known', () => {
    expect(declare(table.function('used')!, 'used')).toBe(
      'int used(char a, signed char b, unsigned char c, short d, unsigned short e, long f, unsigned long g, long long h)',
    );
  });

  it('show tags where the source has them', () => {
    const writer = new BtfWriter();
    const file = writer.compound('struct', 'file', 8, []);
    const rcu = writer.refer(BTF_KIND.typeTag, writer.refer(BTF_KIND.const, file), 'rcu');
    writer.refer(BTF_KIND.typedef, writer.pointer(rcu), 'file_rcu');
    const type = new BtfTable(writer.bytes()).find('typedef', 'file_rcu')!;
    expect(declare(resolve(type), 'f')).toBe('const struct file __rcu *f');
  });

  it('of a type without end do end', () => {
    const writer = new BtfWriter();
    const pointer = writer.reserve();
    const proto = writer.prototype(
      pointer,
      Array.from({ length: 50 }, () => ['p', pointer] as const).map(([, id]) => ['', id]),
    );
    writer.fill(pointer, { kind: BTF_KIND.pointer, size: proto });
    writer.refer(BTF_KIND.typedef, pointer, 'endless');
    const name = typeName(resolve(new BtfTable(writer.bytes()).find('typedef', 'endless')!));
    expect(name).toContain('...');
    expect(name.length).toBeLessThan(200_000);
  });
});
