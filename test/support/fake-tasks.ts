/** A kernel with tasks: init_pid_ns with its IDR, task lists, run queues of two CPUs, sizes of processes. */
import { sizeOf } from '../../src/core/types/type.ts';
import { FakeKernel, U32 } from './fake-kernel.ts';
import { plantXarray, TREE_TYPES } from './fake-trees.ts';

const TASK_TYPES = `
  struct hlist_node { struct hlist_node *next, **pprev; };
  struct hlist_head { struct hlist_node *first; };
  struct pid { unsigned int count; struct hlist_head tasks[4]; };
  struct pid_namespace { int pad; struct idr idr; };
  struct thread_info { unsigned long flags; unsigned int cpu; };
  struct thread_struct { unsigned long sp; };
  struct sched_entity { unsigned long sum_exec_runtime; };
  struct sched_info { unsigned long last_arrival; };
  struct rlimit { unsigned long rlim_cur, rlim_max; };
  struct signal_struct { struct list_head thread_head; struct rlimit rlim[16]; };
  struct percpu_counter { unsigned int lock; long count; struct list_head list; int *counters; };
  enum { MM_FILEPAGES, MM_ANONPAGES, MM_SWAPENTS, MM_SHMEMPAGES, NR_MM_COUNTERS };
  struct mm_struct {
    unsigned long total_vm, arg_start, arg_end, env_start, env_end, start_stack;
    void *pgd;
    struct percpu_counter rss_stat[4];
  };
  struct task_struct {
    struct thread_info thread_info;
    unsigned int __state;
    void *stack;
    int on_cpu, prio, static_prio, normal_prio;
    unsigned int rt_priority, policy, flags;
    struct sched_entity se;
    struct sched_info sched_info;
    struct list_head tasks;
    struct mm_struct *mm, *active_mm;
    int exit_state, pid, tgid;
    struct task_struct *real_parent, *parent;
    struct list_head children;
    struct task_struct *group_leader;
    struct hlist_node pid_links[4];
    struct pid *thread_pid;
    struct list_head thread_node;
    unsigned long utime, stime, start_boottime, nvcsw, nivcsw;
    char comm[16];
    void *files;
    struct signal_struct *signal;
    int curr_ret_stack;
    void *ret_stack;
    struct llist_head { void *first; } kretprobe_instances, rethooks;
    char tail[6000];
    struct thread_struct thread;
  };
  struct rq { unsigned int nr_running; struct task_struct *curr, *idle; unsigned long clock; };
  struct cpumask { unsigned long bits[1]; };
`;

export interface PlantedTask {
  readonly pid: number;
  readonly tgid?: number;
  readonly comm?: string;
  /** PID of the parent. */
  readonly parent?: number;
  readonly state?: number;
  readonly exitState?: number;
  readonly flags?: number;
  readonly cpu?: number;
  /** Pages of address space; 0 for a kernel thread. */
  readonly totalVm?: number;
  /** Resident pages: in the sum, and held back by each CPU. */
  readonly rss?: readonly [sum: number, ...cpus: number[]];
}

const PER_CPU = [0x10_0000n, 0x20_0000n];

export class FakeTasks {
  readonly fake: FakeKernel;
  readonly addresses = new Map<number, bigint>();
  readonly idle: readonly bigint[];
  /** The struct pid of each PID. */
  readonly pids = new Map<number, bigint>();
  /** Nodes of the PID table's tree. */
  readonly nodes: readonly bigint[];

  constructor(planted: readonly PlantedTask[], options: { readonly page?: boolean; readonly fake?: FakeKernel } = {}) {
    this.fake = options.fake ?? new FakeKernel();
    const { fake } = this;
    fake.c(TREE_TYPES + TASK_TYPES);
    fake.types.globals.set('nr_cpu_ids', U32);
    fake.globalInteger('nr_cpu_ids', U32, 2);
    for (const mask of ['possible', 'present', 'online']) {
      fake.global(`__cpu_${mask}_mask`, fake.type('cpumask'), { 'bits[0]': 3 });
    }
    const task = fake.type('task_struct');
    const place = (of: PlantedTask) => {
      const address = fake.allocate(sizeOf(task), { page: options.page === true });
      fake.place(
        task,
        {
          pid: of.pid,
          tgid: of.tgid ?? of.pid,
          comm: of.comm ?? `task${of.pid}`,
          __state: of.state ?? 1,
          exit_state: of.exitState ?? 0,
          flags: of.flags ?? 0,
          'thread_info.cpu': of.cpu ?? 0,
          mm: this.#mm(of),
        },
        address,
      );
      return address;
    };
    this.idle = [0, 1].map((cpu) => place({ pid: 0, comm: `swapper/${cpu}`, state: 0, flags: 0x20_0002, cpu }));
    fake.symbols.add('init_task', this.idle[0] as bigint);
    for (const of of planted) this.addresses.set(of.pid, place(of));
    this.#link(planted);
    this.nodes = this.#plantPids(planted);
    this.#plantRunqueues();
  }

  address(pid: number): bigint {
    const address = this.addresses.get(pid);
    if (address === undefined) throw new Error(`the test has no task ${pid}`);
    return address;
  }

  #mm(of: PlantedTask): bigint {
    if ((of.totalVm ?? 0) === 0) return 0n;
    const { fake } = this;
    const [sum = 0, ...perCpu] = of.rss ?? [];
    const counters = fake.allocate(8);
    const address = fake.place(fake.type('mm_struct'), {
      total_vm: of.totalVm ?? 0,
      'rss_stat[1].count': sum,
      'rss_stat[1].counters': counters,
      // Swapped out pages do not count.
      'rss_stat[2].count': 1000,
    });
    for (const [cpu, held] of perCpu.entries()) {
      fake.memory.writeInteger(counters + (PER_CPU[cpu] as bigint), 4, BigInt(held));
    }
    for (const cpu of PER_CPU) fake.memory.writeInteger(counters + cpu + 8n, 1, 0n);
    return address;
  }

  #link(planted: readonly PlantedTask[]): void {
    const { fake } = this;
    const task = fake.type('task_struct');
    const leaders = planted.filter((of) => (of.tgid ?? of.pid) === of.pid);
    const [head] = this.idle as [bigint];
    const offset = BigInt(offsetOf(fake, 'tasks'));
    const leaderAddresses = leaders.map((of) => this.address(of.pid));
    fake.linkList(head + offset, leaderAddresses, task, 'tasks');
    for (const leader of leaders) {
      const members = planted.filter((of) => (of.tgid ?? of.pid) === leader.pid).map((of) => this.address(of.pid));
      const signal = fake.place(fake.type('signal_struct'), { 'rlim[7].rlim_cur': 1024, 'rlim[7].rlim_max': -1n });
      fake.linkList(signal, members, task, 'thread_node');
      for (const member of members) {
        fake.set(task, member, 'signal', signal);
        fake.set(task, member, 'group_leader', this.address(leader.pid));
      }
    }
    for (const of of planted) {
      const parent = of.parent === undefined ? head : this.address(of.parent);
      fake.set(task, this.address(of.pid), 'real_parent', parent);
      fake.set(task, this.address(of.pid), 'parent', parent);
    }
    fake.set(task, head, 'real_parent', head);
  }

  #plantPids(planted: readonly PlantedTask[]): readonly bigint[] {
    const { fake } = this;
    const namespace = fake.global('init_pid_ns', fake.type('pid_namespace'));
    const link = BigInt(offsetOf(fake, 'pid_links'));
    const entries = planted.map(({ pid }) => {
      const address = fake.place(fake.type('pid'), { 'tasks[0].first': this.address(pid) + link });
      this.pids.set(pid, address);
      fake.set(fake.type('task_struct'), this.address(pid), 'thread_pid', address);
      return { index: BigInt(pid), entry: address };
    });
    return plantXarray(
      fake,
      namespace + 8n,
      entries.sort((a, b) => (a.index < b.index ? -1 : 1)),
    );
  }

  #plantRunqueues(): void {
    const { fake } = this;
    const offsets = fake.allocate(16);
    fake.symbols.add('__per_cpu_offset', offsets);
    const base = fake.allocate(sizeOf(fake.type('rq')), { page: true });
    fake.symbols.add('runqueues', base);
    for (const [cpu, offset] of PER_CPU.entries()) {
      fake.memory.u64(offsets + BigInt(8 * cpu), offset);
      fake.place(fake.type('rq'), { curr: this.idle[cpu] as bigint, idle: this.idle[cpu] as bigint }, base + offset);
    }
  }
}

function offsetOf(fake: FakeKernel, member: string): number {
  const type = fake.type('task_struct');
  if (type.kind !== 'struct') return 0;
  const found = type.members.find(({ name }) => name === member);
  return (found?.bitOffset ?? 0) / 8;
}
