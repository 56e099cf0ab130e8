import { describe, expect, it } from 'vitest';
import { DataError, KdbgError } from '../../../src/core/errors.ts';
import { BTF_KIND } from '../../../src/core/formats/btf-kind.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { definitionLines, formatDefinition } from '../../../src/core/types/declaration.ts';
import { membersAt } from '../../../src/core/types/member-at.ts';
import { memberNames, walkMembers } from '../../../src/core/types/member-path.ts';
import { type CType, resolve, sizeOf } from '../../../src/core/types/type.ts';
import { declare } from '../../../src/core/types/type-name.ts';
import { searchTypes } from '../../../src/core/types/type-search.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const SOURCE = `
  typedef unsigned int u32;
  struct list_head { struct list_head *next, *prev; };
  enum pid_type { PIDTYPE_PID, PIDTYPE_SID = 7 };
  enum wide { WIDE = 0x8000000000000000 };
  struct task_struct {
    u32 state, reset : 1, migrated : 3;
    char comm[16];
    union { int a; struct { short b, c[2]; }; };
    struct { struct list_head node; } pids[3];
    const volatile char * const name;
    int (*fn)(struct task_struct *task, int, ...);
    struct hidden *hidden;
  };
  int wake_up_process(struct task_struct *p);
  struct task_struct *current_task;
`;
const vmlinux = btf(SOURCE);
const module = btf('struct inode_info { struct list_head open; u32 flags : 4; struct task_struct *owner; };', {
  base: vmlinux,
});

/** Does with a table what a session does. Every failure must be an error that a user can be shown. */
function exercise(table: BtfTable): void {
  const attempts: (() => unknown)[] = [
    () => table.enumerator('PIDTYPE_SID')?.type.enumerators,
    () => exerciseType(table.function('wake_up_process')),
    () => exerciseType(table.variable('current_task')),
    () => [...searchTypes(table, { memberType: 'list_head' })],
  ];
  for (const name of ['task_struct', 'list_head', 'inode_info', 'hidden']) {
    attempts.push(() => exerciseType(table.find('struct', name)));
  }
  attempts.push(() => {
    for (const named of table.names()) attempts.push(() => exerciseType(named.type));
  });
  for (const attempt of attempts) {
    try {
      attempt();
    } catch (error) {
      if (!(error instanceof KdbgError)) throw error;
    }
  }
}

function exerciseType(type: CType | undefined): void {
  if (type === undefined) return;
  expect(sizeOf(type)).toBeGreaterThanOrEqual(0);
  declare(type, 'x');
  formatDefinition(type, definitionLines(type), { radix: 16 });
  memberNames(type);
  membersAt(type, 20);
  let count = 0;
  for (const member of walkMembers(type, { deep: true })) {
    resolve(member.type);
    if (++count > 1000) break;
  }
}

describe('damaged BTF', () => {
  it('gives an error or a table, 10,000 times, in bounded time', () => {
    const random = seededRandom(20);
    let tables = 0;
    for (let i = 0; i < 10_000; i++) {
      const damaged = mutate(vmlinux.bytes, random);
      try {
        const table = new BtfTable(damaged);
        tables++;
        table.addModule('fs', () => mutate(module.bytes, random));
        exercise(table);
      } catch (error) {
        if (!(error instanceof KdbgError)) throw error;
      }
    }
    // Most damage is to one record and leaves the rest readable.
    expect(tables).toBeGreaterThan(4000);
  }, 60_000);

  it('gives an error when cut anywhere', () => {
    for (let length = 0; length < vmlinux.bytes.length; length++) {
      expect(() => new BtfTable(vmlinux.bytes.subarray(0, length))).toThrow(DataError);
    }
  });

  it('cannot make a typedef of itself, an array of itself, or one without end', () => {
    const writer = new BtfWriter();
    const self = writer.reserve();
    writer.fill(self, { kind: BTF_KIND.typedef, name: 'self', size: self });
    const a = writer.reserve();
    const b = writer.refer(BTF_KIND.const, a);
    writer.fill(a, { kind: BTF_KIND.typedef, name: 'ring', size: b });
    const array = writer.reserve();
    writer.fill(array, { kind: BTF_KIND.array, words: [array, array, 2] });
    writer.refer(BTF_KIND.typedef, array, 'of_itself');
    let deep = writer.int('int', 4);
    for (let i = 0; i < 20; i++) deep = writer.array(deep, 0xffff_ffff);
    writer.refer(BTF_KIND.typedef, deep, 'large');
    const table = new BtfTable(writer.bytes());
    expect(() => table.find('typedef', 'self')).toThrow('is defined by itself');
    expect(() => table.find('typedef', 'ring')).toThrow('is defined by itself');
    expect(() => table.find('typedef', 'of_itself')).toThrow(DataError);
    expect(() => table.find('typedef', 'large')).toThrow('is impossibly large');
  });

  it('may have many records of one name, and names without end', () => {
    const writer = new BtfWriter();
    for (let i = 0; i < 50_000; i++) writer.int('same', 4);
    const table = new BtfTable(writer.bytes());
    const start = performance.now();
    expect(table.all('base', 'same')).toHaveLength(50_000);
    expect(table.find('base', 'sane')).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(2000);

    const unended = new BtfWriter();
    for (let i = 0; i < 20_000; i++) unended.int('n'.repeat(3) + (i % 10), 4);
    const bytes = unended.bytes();
    const strings = 24 + 20_000 * 16;
    const stretched = new Uint8Array(bytes.length + 1_000_000).fill(0x61);
    stretched.set(bytes.subarray(0, strings + 1));
    new DataView(stretched.buffer).setUint32(20, stretched.length - strings, true);
    const again = new BtfTable(stretched);
    expect(again.find('base', 'a'.repeat(50))).toBeUndefined();
    expect(performance.now() - start).toBeLessThan(4000);
  });
});
