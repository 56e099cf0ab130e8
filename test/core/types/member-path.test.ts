import { describe, expect, it } from 'vitest';
import { DataError, NotFoundError, UsageError } from '../../../src/core/errors.ts';
import { BtfTable } from '../../../src/core/types/btf-table.ts';
import { membersAt } from '../../../src/core/types/member-at.ts';
import { findMember, getMember, memberNamed, memberNames, walkMembers } from '../../../src/core/types/member-path.ts';
import type { CompoundType } from '../../../src/core/types/type.ts';
import { typeName } from '../../../src/core/types/type-name.ts';
import { btf } from '../../support/btf-builder.ts';
import { BtfWriter } from '../../support/btf-writer.ts';

const table = new BtfTable(
  btf(`
    struct list_head { struct list_head *next, *prev; };
    struct thread_struct { long pad[2]; unsigned long sp; unsigned int io : 5, iopl : 2; };
    struct task_struct {
      int state;
      union { int a; struct { short b; short c; }; };
      struct list_head tasks;
      struct { int nr; struct list_head node; } pids[3];
      struct thread_struct thread;
      struct task_struct *parent;
      char comm[16];
      char gap;
      long last;
      int tail[];
    };
  `).bytes,
);
const task = table.find('struct', 'task_struct') as CompoundType;

describe('a member path', () => {
  it.each([
    ['state', 0, 'int'],
    ['a', 4, 'int'],
    ['c', 6, 'short'],
    ['tasks', 8, 'struct list_head'],
    ['tasks.prev', 16, 'struct list_head *'],
    ['pids', 24, 'struct {...} [3]'],
    ['pids[2].node.next', 24 + 2 * 24 + 8, 'struct list_head *'],
    ['pids[0x1].nr', 48, 'int'],
    ['thread.sp', 112, 'unsigned long'],
    ['thread.pad[1]', 104, 'long'],
    ['parent', 128, 'struct task_struct *'],
    ['comm[3]', 139, 'char'],
    ['tail[2]', 176, 'int'],
  ])('%s is at %i', (path, offset, type) => {
    const location = getMember(task, path);
    expect([location.offset, typeName(location.type), location.bitSize]).toEqual([offset, type, undefined]);
    expect(location.path).toBe(path);
  });

  it('leads to bitfields', () => {
    expect(getMember(task, 'thread.iopl')).toMatchObject({ offset: 120, bitOffset: 5, bitSize: 2 });
    expect(getMember(task, 'thread.io')).toMatchObject({ offset: 120, bitOffset: 0, bitSize: 5 });
  });

  it.each([
    ['stat', 'no member "stat" in struct task_struct; did you mean state?'],
    ['thread.so', 'no member "so" in struct thread_struct; did you mean io, sp?'],
    ['parent.state', 'no member "state" in "parent.state": struct task_struct * is not a struct or union'],
    ['state[1]', 'no member "[1]" in "state[1]": int is not an array'],
    ['quite_something_else', 'no member "quite_something_else" in struct task_struct'],
  ])('%s does not exist', (path, message) => {
    expect(findMember(task, path)).toBeUndefined();
    expect(() => getMember(task, path)).toThrow(NotFoundError);
    expect(() => getMember(task, path)).toThrow(message);
  });

  it.each([
    ['', 0],
    ['a..b', 2],
    ['a.', 2],
    ['a b', 1],
    ['pids[]', 4],
    ['pids[-1]', 4],
    ['.a', 0],
    ['pids[2]x', 7],
  ])('%j is malformed at column %i', (path, column) => {
    expect(() => findMember(task, path)).toThrow(UsageError);
    try {
      findMember(task, path);
    } catch (error) {
      expect(error).toMatchObject({ column, source: path });
    }
  });
});

describe('members', () => {
  it('are named for completion, at any place of a path', () => {
    expect(memberNames(task)).toEqual([
      ...['state', 'a', 'b', 'c', 'tasks', 'pids', 'thread', 'parent', 'comm', 'gap', 'last', 'tail'],
    ]);
    expect(memberNames(task, 'thread')).toEqual(['pad', 'sp', 'io', 'iopl']);
    expect(memberNames(task, 'pids[1]')).toEqual(['nr', 'node']);
    expect(memberNames(task, 'state')).toEqual([]);
    expect(memberNames(task, 'nothing')).toEqual([]);
  });

  it('are found in anonymous members', () => {
    expect(memberNamed(task, 'c')).toMatchObject({ bitOffset: 48, member: { name: 'c' } });
    expect(memberNamed(task, 'node')).toBeUndefined();
  });

  it('are walked, flat or deep', () => {
    expect([...walkMembers(task)].map(({ path }) => path)).toEqual(memberNames(task));
    const deep = [...walkMembers(task, { deep: true })];
    for (const location of deep) expect(getMember(task, location.path)).toEqual(location);
    expect(deep.map(({ path }) => path)).toContain('tasks.next');
    expect(deep.map(({ path }) => path)).not.toContain('pids[0].nr');
  });

  it('of a struct that contains itself without a name are too many', () => {
    const writer = new BtfWriter();
    const endless = writer.reserve();
    const words = Array.from({ length: 20 }, () => ['', endless, 0]).flat();
    writer.fill(endless, { kind: 4, name: 'endless', size: 8, vlen: 20, words });
    const type = new BtfTable(writer.bytes()).find('struct', 'endless')!;
    expect(() => findMember(type, 'x')).toThrow(DataError);
    expect(() => memberNames(type)).toThrow('more than 100000 members');
  });

  it('of a struct that contains itself by name are walked to a depth only', () => {
    const writer = new BtfWriter();
    const endless = writer.reserve();
    writer.fill(endless, {
      kind: 4,
      name: 'endless',
      size: 8,
      vlen: 3,
      words: ['a', endless, 0, 'b', endless, 0, 'c', endless, 0],
    });
    const type = new BtfTable(writer.bytes()).find('struct', 'endless')!;
    expect(() => [...walkMembers(type, { deep: true })]).toThrow('more than 100000 members');
    expect(membersAt(type, 0)).toHaveLength(64);
  });
});

describe('what is at an offset', () => {
  it.each([
    [0, ['state']],
    [2, ['state+2']],
    [6, ['a+2', 'c']],
    [16, ['tasks.prev']],
    [80, ['pids[2].node.next']],
    [28, ['pids[0]+4']],
    [112, ['thread.sp']],
    [117, ['thread.sp+5']],
    [120, ['thread.io', 'thread.iopl']],
    [124, ['thread+28']],
    [137, ['comm[1]']],
    [153, ['+153']],
    [168, []],
    [-1, []],
  ])('%i', (offset, expected) => {
    const found = membersAt(task, offset).map(({ path, within }) => (within === 0 ? path : `${path}+${within}`));
    expect(found).toEqual(expected);
  });
});
