/** What locks are said to be: symbols, objects that embed them, paths, slab caches; and who a wait itself names. */
import { describe, expect, test } from 'vitest';
import { describeLock, describeLocks } from '../../../../src/core/kernel/locks/describe.ts';
import { guessLockKind } from '../../../../src/core/kernel/locks/lock-kind.ts';
import { waitOf } from '../../../../src/core/kernel/locks/wait.ts';
import { FakeLocks } from '../../../support/fake-locks.ts';

const FILES = `
  struct list_head { struct list_head *next, *prev; };
  struct hlist_node { struct hlist_node *next, **pprev; };
  struct hlist_head { struct hlist_node *first; };
  struct rw_semaphore { unsigned long count, owner; unsigned int osq, wait_lock; struct list_head wait_list; };
  struct address_space { struct inode *host; struct rw_semaphore i_mmap_rwsem; };
  struct inode {
    void *i_sb;
    struct rw_semaphore i_rwsem;
    struct hlist_head i_dentry;
    struct address_space i_data;
  };
  struct qstr { unsigned int hash, len; char *name; };
  struct dentry {
    struct dentry *d_parent;
    struct qstr d_name;
    struct inode *d_inode;
    struct super_block *d_sb;
    union { struct hlist_node d_alias; } d_u;
  };
  struct super_block { struct dentry *s_root; void *s_type; char s_id[32]; struct list_head s_mounts; struct rw_semaphore s_umount; };
  struct mount { struct mount *mnt_parent; struct dentry *mnt_mountpoint; struct list_head mnt_instance; };
  struct page { unsigned long flags; unsigned long compound_head; void *slab_cache; unsigned long rest[5]; };
  union kmem_order { unsigned int x; };
  struct kmem_cache { unsigned int size, object_size, red_left_pad; char *name; struct list_head list; union kmem_order oo; };
  struct lab_state { int first; struct rw_semaphore sem; };
`;

function plant(stack = ['do_work']) {
  const locks = new FakeLocks('list', [{ pid: 10, stack, state: 2 }]);
  locks.fake.c(FILES);
  return locks;
}

/** A directory entry with its inode. */
function entryOf(locks: FakeLocks, name: string, parent: bigint | undefined, sb: bigint) {
  const { fake } = locks;
  const dentry = fake.place(fake.type('dentry'), {
    'd_name.name': fake.string(name),
    'd_name.len': name.length,
    d_sb: sb,
  });
  const alias = dentry + 40n;
  const inode = fake.place(fake.type('inode'), { i_sb: sb, 'i_dentry.first': alias });
  fake.set(fake.type('inode'), inode, 'i_data.host', inode);
  fake.set(fake.type('dentry'), dentry, 'd_inode', inode);
  fake.set(fake.type('dentry'), dentry, 'd_parent', parent ?? dentry);
  return { dentry, inode };
}

/** A mounted file system with a file /var/x, mounted at `at` of another one or as the root. */
function mounted(locks: FakeLocks, at?: { readonly dentry: bigint; readonly mount: bigint }) {
  const { fake } = locks;
  const sb = fake.place(fake.type('super_block'));
  const root = entryOf(locks, '/', undefined, sb);
  fake.set(fake.type('super_block'), sb, 's_root', root.dentry);
  const mount = fake.place(fake.type('mount'));
  fake.set(fake.type('mount'), mount, 'mnt_parent', at?.mount ?? mount);
  fake.set(fake.type('mount'), mount, 'mnt_mountpoint', at?.dentry ?? root.dentry);
  fake.linkList(sb + 48n, [mount], fake.type('mount'), 'mnt_instance');
  const directory = entryOf(locks, 'var', root.dentry, sb);
  return { sb, mount, directory, file: entryOf(locks, 'x', directory.dentry, sb) };
}

const I_RWSEM = 8n;

describe('a lock', () => {
  test('of an inode is named by its path through mounts', () => {
    const locks = plant();
    const root = mounted(locks);
    const other = mounted(locks, { dentry: root.directory.dentry, mount: root.mount });
    const kernel = locks.kernel();
    const [one, two] = describeLocks(
      kernel,
      [root.file, other.file].map(({ inode }) => ({ kind: 'rwsem', address: inode + I_RWSEM })),
    );
    expect(one).toMatchObject({
      object: { type: 'inode', address: root.file.inode, member: 'i_rwsem' },
      sure: 'certain',
    });
    expect(one?.text).toBe(`inode ${root.file.inode.toString(16)} i_rwsem of "/var/x"`);
    expect(two?.text).toBe(`inode ${other.file.inode.toString(16)} i_rwsem of "/var/var/x"`);
    expect(guessLockKind(kernel, root.file.inode + I_RWSEM)).toBe('rwsem');
  });

  test('next to what is no inode is only an address', () => {
    const locks = plant();
    const { file } = mounted(locks);
    locks.fake.set(locks.fake.type('inode'), file.inode, 'i_data.host', 0n);
    const place = describeLock(locks.kernel(), { kind: 'rwsem', address: file.inode + I_RWSEM });
    expect(place).toMatchObject({ text: (file.inode + I_RWSEM).toString(16), object: undefined, sure: 'hint' });
  });

  test('in a directory that loops has no path, and the search ends', () => {
    const locks = plant();
    const { file, directory } = mounted(locks);
    locks.fake.set(locks.fake.type('dentry'), directory.dentry, 'd_parent', file.dentry);
    const kernel = locks.kernel();
    const place = describeLock(kernel, { kind: 'rwsem', address: file.inode + I_RWSEM });
    expect(place.text).toBe(`inode ${file.inode.toString(16)} i_rwsem`);
    expect(kernel.memory.requests).toBeLessThan(100);
  });

  test('in a global is named by the member, where the structure has the name of the global', () => {
    const locks = plant();
    locks.fake.symbols.add('lab_state', 0xffff_ffff_c000_1000n, 'b', 'lab');
    locks.fake.symbols.add('some_mutex', 0xffff_ffff_8200_0000n);
    const kernel = locks.kernel();
    const of = (address: bigint) => describeLock(kernel, { kind: 'rwsem', address }).text;
    // Types of modules are read from the module; here vmlinux has it.
    expect(of(0xffff_ffff_c000_1008n)).toBe('lab_state.sem [lab]');
    expect(of(0xffff_ffff_c000_1010n)).toBe('lab_state+0x10 [lab]');
    expect(of(0xffff_ffff_8200_0000n)).toBe('some_mutex');
  });

  test('in an object of unknown type is named by its slab cache', () => {
    const locks = plant();
    const { fake } = locks;
    const base = 0xffff_8880_0000_0000n;
    const vmemmap = 0xffff_ea00_0000_0000n;
    for (const [name, value] of [
      ['page_offset_base', base],
      ['vmemmap_base', vmemmap],
      ['physical_mask', (1n << 52n) - 1n],
    ] as const) {
      fake.symbols.add(name, fake.allocate(8));
      fake.memory.u64(fake.symbols.get(name).address, value);
    }
    const cache = fake.place(fake.type('kmem_cache'), {
      size: 192,
      object_size: 192,
      name: fake.string('kmalloc-192'),
    });
    fake.linkList(fake.allocate(16), [cache], fake.type('kmem_cache'), 'list');
    const slab = fake.allocate(8192, { page: true });
    const page = vmemmap + ((slab - base) >> 12n) * 64n;
    fake.place(fake.type('page'), { slab_cache: cache }, page);
    // The second page of a slab of two: its struct page leads to the first.
    fake.place(fake.type('page'), { compound_head: page + 1n }, page + 64n);
    const object = slab + 192n * 22n;
    const place = describeLock(locks.kernel(), { kind: 'mutex', address: object + 0x18n });
    expect(place).toMatchObject({
      text: `slab cache kmalloc-192, object ${object.toString(16)} +0x18`,
      slab: { cache: 'kmalloc-192', object, offset: 0x18 },
      sure: 'likely',
    });
  });
});

describe('a wait names', () => {
  const WORK = `
    struct list_head { struct list_head *next, *prev; };
    struct swait_queue_head { unsigned int lock; struct list_head task_list; };
    struct completion { unsigned int done; struct swait_queue_head wait; };
    struct work_struct { unsigned long data; struct list_head entry; void *func; };
    struct wq_barrier { struct work_struct work; struct completion done; };
    struct worker { void *current_work, *current_func; struct list_head scheduled; struct task_struct *task; };
  `;

  test('the worker that runs the work of a flush', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: ['__wait_for_common', '__flush_work', 'do_work'] },
      { pid: 11, stack: ['do_work'], flags: 0x20_0020, state: 1 },
    ]);
    const { fake } = locks;
    fake.c(WORK);
    const barrier = locks.locals(10, '__flush_work') + 16n;
    locks.completion([10], barrier + 32n);
    const func = fake.symbols.get('do_work').address;
    const worker = fake.place(fake.type('worker'), { current_work: 0x1000n, current_func: func, task: locks.task(11) });
    fake.linkList(worker + 16n, [barrier], fake.type('wq_barrier'), 'work.entry');
    const wait = waitOf(locks.kernel(), locks.task(10));
    expect([wait?.kind, wait?.address, wait?.what]).toEqual(['work', 0x1000n, 'work do_work to end']);
    expect(wait?.owners.map(({ pid, role, sure }) => [pid, role, sure])).toEqual([[11, 'worker', 'certain']]);
  });

  test('nobody while the work is not running', () => {
    const locks = new FakeLocks('list', [{ pid: 10, stack: ['__wait_for_common', '__flush_work', 'do_work'] }]);
    const { fake } = locks;
    fake.c(WORK);
    const barrier = locks.locals(10, '__flush_work') + 16n;
    locks.completion([10], barrier + 32n);
    fake.linkList(fake.allocate(16), [barrier], fake.type('wq_barrier'), 'work.entry');
    const wait = waitOf(locks.kernel(), locks.task(10));
    expect([wait?.kind, wait?.address, wait?.owners]).toEqual(['work', undefined, []]);
  });

  test('nothing but its lock when it waits for one on the way to a disk', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: ['__mutex_lock', 'blkdev_get', 'do_work'] },
      { pid: 11, stack: ['do_work'] },
    ]);
    locks.mutex({ owner: 11, waiters: [10] });
    const wait = waitOf(locks.kernel(), locks.task(10));
    expect([wait?.kind, wait?.what, wait?.within]).toEqual(['mutex', undefined, '__mutex_lock']);
  });

  test('an RCU grace period, and I/O of which nothing else is known', () => {
    const locks = new FakeLocks('list', [
      { pid: 10, stack: ['__wait_for_common', '__wait_rcu_gp', 'synchronize_rcu'] },
      { pid: 11, stack: ['io_schedule', 'blk_mq_get_tag', 'submit_bio'] },
    ]);
    locks.completion([10]);
    const kernel = locks.kernel();
    const said = [10, 11].map((pid) => waitOf(kernel, locks.task(pid))).map((wait) => [wait?.kind, wait?.what]);
    expect(said).toEqual([
      ['rcu', 'an RCU grace period'],
      ['io', 'the disk: all its tags are in use'],
    ]);
  });
});
