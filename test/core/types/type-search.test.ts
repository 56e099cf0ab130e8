import { describe, expect, it } from 'vitest';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { searchTypes, type TypeQuery } from '../../../src/core/types/type-search.ts';
import { btf } from '../../support/btf-builder.ts';

const vmlinux = btf(`
  struct mm_struct { long pgd; };
  typedef struct mm_struct mm_t;
  struct task_struct { struct mm_struct *mm; int pid; };
  struct outer { int x; struct task_struct inner[2]; };
  struct through_typedef { mm_t *mm_ref; };
  struct callbacks { int (*fn)(struct mm_struct *); };
  typedef struct { struct mm_struct **where; } nameless_t;
  union either { int pid; long wide; };
  struct node { struct node *next; };
`);
const table = new BtfTable(vmlinux.bytes);
table.addModule('kvm', () => btf('struct kvm { struct mm_struct *mm; long rest[3]; };', { base: vmlinux }).bytes);
const search = (query: TypeQuery) => [...searchTypes(table, query)].map(({ name }) => name);

describe('searching types', () => {
  it('finds who has a member of a type, or a pointer to it, at any depth', () => {
    expect(search({ memberType: 'mm_struct' })).toEqual([
      ...['task_struct', 'outer', 'through_typedef', 'nameless_t', 'kvm'],
    ]);
    expect(search({ memberType: 'mm_t' })).toEqual(['through_typedef']);
    expect(search({ memberType: 'task_st' })).toEqual(['outer']);
  });

  it('finds who has a member of a name', () => {
    expect(search({ memberName: 'pid' })).toEqual(['task_struct', 'outer', 'either']);
    expect(search({ memberName: 'pi' })).toEqual([]);
    expect(search({ memberName: 'mm', memberType: 'mm_struct' })).toEqual(['task_struct', 'outer', 'kvm']);
  });

  it('finds types of a size', () => {
    expect(search({ size: { low: 32, high: 64 } })).toEqual(['outer', 'kvm']);
    expect(search({ size: { low: 8, high: 8 }, memberName: 'next' })).toEqual(['node']);
    expect([...searchTypes(table, { size: { low: 32, high: 32 } })]).toMatchObject([
      { namespace: 'struct', name: 'kvm', size: 32, module: 'kvm', type: { kind: 'struct' } },
    ]);
  });
});
