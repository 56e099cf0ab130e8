/**
 * Locks and the tasks that sleep on them, as kernels of different times lay them out:
 *
 *     const locks = new FakeLocks('list', [{ pid: 10, stack: ['__mutex_lock', 'work'] }, { pid: 11 }]);
 *     const mutex = locks.mutex({ owner: 11, waiters: [10] });
 *     contendedLocks(locks.kernel())
 *
 * Every function has a frame of 256 bytes, in which a waiter's structure has room. `list` is how locks are until 7.0,
 * `headless` since 7.1, `rt` how PREEMPT_RT builds them.
 */
import type { Kernel } from '../../src/core/kernel/kernel.ts';
import { sizeOf } from '../../src/core/types/type.ts';
import type { FakeKernelOptions } from './fake-kernel.ts';
import { POINTER, U64 } from './fake-kernel.ts';
import { entry } from './fake-orc.ts';
import { INACTIVE_TASK_FRAME, StacksKernel, THREAD_SIZE } from './fake-stacks-kernel.ts';
import { FakeTasks, type PlantedTask } from './fake-tasks.ts';
import { plantRbtree } from './fake-trees.ts';

export type LockEra = 'list' | 'headless' | 'rt';

export interface LockSleeper extends PlantedTask {
  /** Functions from the innermost out, below __schedule; none: the task is on a CPU. */
  readonly stack?: readonly string[];
}

const COMMON = `
  struct list_head { struct list_head *next, *prev; };
  struct rb_node { unsigned long __rb_parent_color; struct rb_node *rb_right, *rb_left; };
  struct rb_root { struct rb_node *rb_node; };
  struct rb_root_cached { struct rb_root rb_root; struct rb_node *rb_leftmost; };
  struct rt_mutex_base { unsigned int wait_lock; struct rb_root_cached waiters; struct task_struct *owner; };
  struct rt_mutex { struct rt_mutex_base rtmutex; };
  struct rt_waiter_node { struct rb_node entry; int prio; unsigned long deadline; };
  struct rt_mutex_waiter { struct rt_waiter_node tree, pi_tree; struct task_struct *task; struct rt_mutex_base *lock; };
  struct swait_queue_head { unsigned int lock; struct list_head task_list; };
  struct swait_queue { struct task_struct *task; struct list_head task_list; };
  struct completion { unsigned int done; struct swait_queue_head wait; };
  struct wait_queue_head { unsigned int lock; struct list_head head; };
  struct wait_queue_entry { unsigned int flags; void *private; void *func; struct list_head entry; };
  struct wait_page_queue { void *folio; int bit_nr; struct wait_queue_entry wait; };
  struct rcuwait { struct task_struct *task; };
  struct percpu_rw_semaphore {
    unsigned long rss[4];
    unsigned int *read_count;
    struct rcuwait writer;
    struct wait_queue_head waiters;
    int block;
  };
  struct mcs_spinlock { struct mcs_spinlock *next; int locked, count; };
  struct qnode { struct mcs_spinlock mcs; };
  struct plist_head { struct list_head node_list; };
  struct plist_node { int prio; struct list_head prio_list, node_list; };
  struct futex_both { void *ptr; unsigned long word; unsigned int offset; };
  union futex_key { struct futex_both both; };
  struct futex_hash_bucket { int waiters; unsigned int lock; struct plist_head chain; };
  struct files_struct { int count; struct fdtable *fdt; };
  struct fdtable { unsigned int max_fds; struct file **fd; };
  struct file { void *f_op; void *private_data; };
  struct fuse_conn { unsigned int dev; struct wait_queue_head blocked_waitq; };
  struct fuse_mount { struct fuse_conn *fc; void *sb; };
  struct fuse_dev { struct fuse_conn *fc; };
  struct fuse_req { unsigned long flags; struct wait_queue_head waitq; struct fuse_mount *fm; };
  struct futex_q { struct plist_node list; struct task_struct *task; unsigned int *lock_ptr; union futex_key key; void *pi_state; };
`;

const ERAS: Readonly<Record<LockEra, string>> = {
  list: `
    struct mutex { unsigned long owner; unsigned int wait_lock, osq; struct list_head wait_list; };
    struct mutex_waiter { struct list_head list; struct task_struct *task; void *ww_ctx; };
    struct rw_semaphore { unsigned long count, owner; unsigned int osq, wait_lock; struct list_head wait_list; };
    struct rwsem_waiter { struct list_head list; struct task_struct *task; unsigned int type; unsigned long timeout; };
    struct semaphore { unsigned int lock, count; struct list_head wait_list; };
    struct semaphore_waiter { struct list_head list; struct task_struct *task; _Bool up; };
  `,
  headless: `
    struct mutex_waiter { struct list_head list; struct task_struct *task; void *ww_ctx; };
    struct mutex { unsigned long owner; unsigned int wait_lock, osq; struct mutex_waiter *first_waiter; };
    struct rwsem_waiter { struct list_head list; struct task_struct *task; unsigned int type; unsigned long timeout; };
    struct rw_semaphore { unsigned long count, owner; unsigned int osq, wait_lock; struct rwsem_waiter *first_waiter; };
    struct semaphore_waiter { struct list_head list; struct task_struct *task; _Bool up; };
    struct semaphore { unsigned int lock, count; struct semaphore_waiter *first_waiter; struct task_struct *last_holder; };
  `,
  rt: `
    struct mutex { struct rt_mutex_base rtmutex; };
    struct rwbase_rt { int readers; struct rt_mutex_base rtmutex; };
    struct rw_semaphore { struct rwbase_rt rwbase; };
    struct semaphore { unsigned int lock, count; struct list_head wait_list; };
    struct semaphore_waiter { struct list_head list; struct task_struct *task; _Bool up; };
  `,
};

/** Members that only some kernels have, in the part of the test's task_struct that is free. */
const TASK_MEMBERS = { blocker: 3000, blocked_on: 3008, pi_blocked_on: 3016, on_rq: 3024, files: 3032 } as const;
export type TaskMember = keyof typeof TASK_MEMBERS;

/** What FakeTasks adds to a per-CPU address for each CPU. */
const PER_CPU = [0x10_0000n, 0x20_0000n];
const FRAME = 256n;
const INACTIVE = 56n;
const END = 16n;

export class FakeLocks {
  readonly fake: StacksKernel;
  readonly tasks: FakeTasks;
  readonly era: LockEra;
  readonly #starts = new Map<number, bigint>();
  readonly #stacks = new Map<number, bigint>();
  readonly #functions = new Map<number, readonly string[]>();

  constructor(
    era: LockEra,
    sleepers: readonly LockSleeper[],
    options: { readonly members?: readonly TaskMember[] } = {},
  ) {
    this.era = era;
    this.fake = new StacksKernel(3);
    const { fake } = this;
    this.tasks = new FakeTasks(
      sleepers.map((sleeper) => ({ flags: 0x20_0000, state: 2, ...sleeper })),
      { fake },
    );
    this.#extendTask(options.members ?? []);
    fake.c(COMMON + ERAS[era]);
    const functions = new Set(['__schedule', ...sleepers.flatMap(({ stack }) => stack ?? [])]);
    for (const name of functions) fake.function(name, entry({ spOffset: Number(FRAME) }));
    fake.function('ret_from_fork', entry({ type: 'end-of-stack', spOffset: 0 }));
    for (const name of [
      'autoremove_wake_function',
      'percpu_rwsem_wake_function',
      'wake_page_function',
      'ep_poll_callback',
    ]) {
      fake.function(name);
    }
    for (const sleeper of sleepers) this.#plant(sleeper);
    fake.finish();
  }

  kernel(options: FakeKernelOptions = {}): Kernel {
    return this.fake.kernel(options);
  }

  task(pid: number): bigint {
    return this.tasks.address(pid);
  }

  setTask(pid: number, member: TaskMember, value: bigint): void {
    this.fake.set(this.fake.type('task_struct'), this.task(pid), member, value);
  }

  /** Where a function of a task's stack has its locals. */
  locals(pid: number, name: string): bigint {
    const index = this.#functions.get(pid)?.indexOf(name) ?? -1;
    const sp = this.#stacks.get(pid);
    if (index < 0 || sp === undefined) throw new Error(`the test has no ${name} on the stack of ${pid}`);
    return sp + INACTIVE + BigInt(index) * FRAME;
  }

  /** The innermost function that is not the scheduler's: where the waiter lies. */
  waiting(pid: number): bigint {
    return this.locals(pid, this.#functions.get(pid)?.[1] ?? '');
  }

  mutex(of: { owner?: number; flags?: bigint; waiters?: readonly number[]; at?: bigint }): bigint {
    const waiters = of.waiters ?? [];
    const nodes = waiters.map((pid) => this.#waiter('mutex_waiter', pid, {}));
    const type = this.fake.type('mutex');
    const address = this.fake.place(type, {}, of.at ?? this.fake.allocate(sizeOf(type)));
    const flags = of.flags ?? (waiters.length > 0 ? 1n : 0n);
    this.fake.set(type, address, 'owner', (of.owner === undefined ? 0n : this.task(of.owner)) | flags);
    this.#link('mutex', 'mutex_waiter', address, nodes);
    return address;
  }

  rwsem(of: {
    writer?: number;
    readers?: number;
    lastReader?: number;
    waiters?: readonly (readonly [pid: number, mode: 'read' | 'write'])[];
  }): bigint {
    const waiters = of.waiters ?? [];
    const nodes = waiters.map(([pid, mode]) => this.#waiter('rwsem_waiter', pid, { type: mode === 'read' ? 1 : 0 }));
    const count = BigInt(of.readers ?? 0) * 256n + (of.writer === undefined ? 0n : 1n) + (waiters.length > 0 ? 2n : 0n);
    const reader = of.lastReader === undefined ? 0n : this.task(of.lastReader) | 1n;
    const owner = of.writer === undefined ? reader : this.task(of.writer);
    const address = this.fake.place(this.fake.type('rw_semaphore'), { count, owner });
    this.#link('rw_semaphore', 'rwsem_waiter', address, nodes);
    return address;
  }

  semaphore(of: { count: number; holder?: number; waiters?: readonly number[] }): bigint {
    const nodes = (of.waiters ?? []).map((pid) => this.#waiter('semaphore_waiter', pid, {}));
    const holder = of.holder === undefined ? {} : { last_holder: this.task(of.holder) };
    const address = this.fake.place(this.fake.type('semaphore'), { count: of.count, ...holder });
    this.#link('semaphore', 'semaphore_waiter', address, nodes);
    return address;
  }

  completion(waiters: readonly number[], address = this.fake.place(this.fake.type('completion'))): bigint {
    const nodes = waiters.map((pid) => this.#waiter('swait_queue', pid, {}));
    this.fake.linkList(address + 16n, nodes, this.fake.type('swait_queue'), 'task_list');
    return address;
  }

  /** Entries of tasks, and of others: `{ func, private }`. */
  waitQueue(
    entries: readonly { readonly pid?: number; readonly func?: string; readonly flags?: number }[],
    head = this.fake.place(this.fake.type('wait_queue_head')),
  ): bigint {
    const type = this.fake.type('wait_queue_entry');
    const nodes = entries.map(({ pid, func = 'autoremove_wake_function', flags = 0 }) => {
      const at = pid === undefined ? this.fake.allocate(sizeOf(type)) : this.waiting(pid) + 64n;
      const of = pid === undefined ? 0n : this.task(pid);
      return this.fake.place(type, { flags, private: of, func: this.fake.symbols.get(func).address }, at);
    });
    this.fake.linkList(head + 8n, nodes, type, 'entry');
    return head;
  }

  percpu(of: {
    readers: readonly [number, number];
    block?: boolean;
    writer?: number;
    waiters?: readonly (readonly [pid: number, mode: 'read' | 'write'])[];
  }): bigint {
    const { fake } = this;
    const counts = fake.allocate(8);
    for (const [cpu, offset] of PER_CPU.entries()) {
      fake.memory.writeInteger(counts + offset, 4, BigInt(of.readers[cpu] ?? 0));
    }
    const writer = of.writer === undefined ? 0n : this.task(of.writer);
    const type = fake.type('percpu_rw_semaphore');
    const address = fake.place(type, { read_count: counts, block: of.block === true ? 1 : 0, 'writer.task': writer });
    const entries = (of.waiters ?? []).map(([pid, mode]) => ({
      pid,
      func: 'percpu_rwsem_wake_function',
      flags: mode === 'read' ? 4 : 0,
    }));
    this.waitQueue(entries, address + 48n);
    if (of.writer !== undefined) fake.memory.u64(this.waiting(of.writer) + 32n, address);
    return address;
  }

  /**
   * A FUSE connection with a request that a task waits for, and processes that have its device open: they share what member
   * `files` of their task_struct points to. Returns what is on the way from there to the connection.
   */
  fuse(of: { readonly waiter: number; readonly servers: readonly number[] }): readonly bigint[] {
    const { fake } = this;
    const connection = fake.place(fake.type('fuse_conn'));
    const fm = fake.place(fake.type('fuse_mount'), { fc: connection });
    const request = fake.place(fake.type('fuse_req'), { fm });
    this.waitQueue([{ pid: of.waiter }], request + 8n);
    const operations = fake.allocate(64);
    fake.symbols.add('fuse_dev_operations', operations);
    const device = fake.place(fake.type('fuse_dev'), { fc: connection });
    const other = fake.place(fake.type('file'), { f_op: connection });
    const open = fake.place(fake.type('file'), { f_op: operations, private_data: device });
    const fd = fake.allocate(64);
    for (const [i, file] of [other, 0n, open, open].entries()) fake.memory.u64(fd + BigInt(8 * i), file);
    const fdt = fake.place(fake.type('fdtable'), { max_fds: 4, fd });
    const files = fake.place(fake.type('files_struct'), { fdt });
    for (const pid of of.servers) this.setTask(pid, 'files', files);
    return [files, fdt, fd, open, device, connection];
  }

  /** An rt_mutex_base at an address, with waiters whose task_struct names theirs. */
  rtMutex(of: { owner?: number; waiters?: readonly number[]; at?: bigint }): bigint {
    const { fake } = this;
    const base = fake.place(fake.type('rt_mutex_base'), {}, of.at ?? fake.allocate(64));
    const nodes = (of.waiters ?? []).map((pid) => {
      const node = this.#waiter('rt_mutex_waiter', pid, { lock: base });
      if (this.#has('pi_blocked_on')) this.setTask(pid, 'pi_blocked_on', node);
      return node;
    });
    const flag = nodes.length > 0 ? 1n : 0n;
    fake.set(fake.type('rt_mutex_base'), base, 'owner', (of.owner === undefined ? 0n : this.task(of.owner)) | flag);
    if (nodes.length > 0) plantRbtree(fake, base + 8n, nodes);
    return base;
  }

  /** Waiters of futexes that share one bucket: each with its key. */
  futexes(
    waiters: readonly { readonly pid: number; readonly mm: bigint; readonly address: bigint }[],
  ): readonly bigint[] {
    const { fake } = this;
    const bucket = fake.place(fake.type('futex_hash_bucket'));
    const nodes = waiters.map(({ pid, mm, address }) =>
      this.#waiter('futex_q', pid, {
        lock_ptr: bucket + 4n,
        'key.both.ptr': mm,
        'key.both.word': address & ~0xfffn,
        'key.both.offset': address & 0xfffn,
      }),
    );
    fake.linkList(bucket + 8n, nodes, fake.type('futex_q'), 'list.node_list');
    return nodes;
  }

  /** Puts tasks on the two CPUs, which spin for a lock in this order. */
  spinlock(queue: readonly { readonly cpu: number; readonly pid: number }[]): bigint {
    const { fake } = this;
    const lock = fake.allocate(4);
    const type = fake.type('qnode');
    const base = fake.allocate(64);
    fake.symbols.add('qnodes', base);
    const nodeOf = (cpu: number) => base + (PER_CPU[cpu] as bigint);
    for (const cpu of PER_CPU.keys()) fake.memory.write(nodeOf(cpu), new Uint8Array(64));
    for (const [i, { cpu, pid }] of queue.entries()) {
      const next = queue[i + 1];
      fake.place(type, { 'mcs.count': 1, 'mcs.next': next === undefined ? 0n : nodeOf(next.cpu) }, nodeOf(cpu));
      fake.set(
        fake.type('rq'),
        fake.symbols.get('runqueues').address + (PER_CPU[cpu] as bigint),
        'curr',
        this.task(pid),
      );
      fake.memory.u64((this.#starts.get(pid) as bigint) + 0x3000n, lock);
    }
    const tail = queue.at(-1);
    fake.memory.writeInteger(lock, 4, BigInt(1 | (((tail?.cpu ?? -1) + 1) << 18)));
    return lock;
  }

  #has(member: TaskMember): boolean {
    const type = this.fake.type('task_struct');
    return type.kind === 'struct' && type.members.some(({ name }) => name === member);
  }

  #waiter(structure: string, pid: number, values: Record<string, bigint | number>): bigint {
    const at = this.waiting(pid) + 64n;
    return this.fake.place(this.fake.type(structure), { task: this.task(pid), ...values }, at);
  }

  #link(lock: string, waiter: string, address: bigint, nodes: readonly bigint[]): void {
    const type = this.fake.type(lock);
    const waiterType = this.fake.type(waiter);
    if (this.era === 'list' || lock === 'semaphore') {
      if (this.era !== 'headless') {
        const member = type.kind === 'struct' ? type.members.find(({ name }) => name === 'wait_list') : undefined;
        this.fake.linkList(address + BigInt((member?.bitOffset ?? 0) / 8), nodes, waiterType, 'list');
        return;
      }
    }
    const [first, ...rest] = nodes;
    this.fake.set(type, address, 'first_waiter', first ?? 0n);
    if (first !== undefined) this.fake.linkList(first, rest, waiterType, 'list');
  }

  #extendTask(members: readonly TaskMember[]): void {
    const type = this.fake.type('task_struct');
    if (type.kind !== 'struct') return;
    const tail = type.members.find(({ name }) => name === 'tail')?.bitOffset ?? 0;
    const extra = members.map((name) => ({
      name,
      type: name === 'blocker' || name === 'on_rq' ? U64 : POINTER,
      bitOffset: Math.ceil(tail / 64) * 64 + TASK_MEMBERS[name] * 8,
      bitSize: undefined,
    }));
    this.fake.types.add({ ...type, members: [...type.members, ...extra] });
  }

  #plant({ pid, stack }: LockSleeper): void {
    const { fake } = this;
    const type = fake.type('task_struct');
    const task = this.task(pid);
    const start = fake.stack();
    fake.set(type, task, 'stack', start);
    this.#starts.set(pid, start);
    if (stack === undefined) {
      fake.set(type, task, 'on_cpu', 1);
      fake.set(type, task, '__state', 0);
      return;
    }
    const functions = ['__schedule', ...stack];
    const sp = start + BigInt(THREAD_SIZE) - END - BigInt(functions.length) * FRAME - INACTIVE;
    this.#stacks.set(pid, sp);
    this.#functions.set(pid, functions);
    fake.set(type, task, 'thread.sp', sp);
    fake.place(INACTIVE_TASK_FRAME, { ret_addr: fake.at('__schedule') }, sp);
    for (const [i, caller] of [...stack, 'ret_from_fork'].entries()) {
      fake.memory.u64(sp + INACTIVE + BigInt(i + 1) * FRAME - 8n, fake.at(caller));
    }
  }
}
