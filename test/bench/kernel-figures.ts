/** Commands on kernels made for the purpose: time, memory and requests to the source of memory. */
import type { Kernel } from '../../src/core/kernel/kernel.ts';
import { walkListOf } from '../../src/core/kernel/list.ts';
import { getMember } from '../../src/core/types/member-path.ts';
import { FakeKernel, followOver } from '../support/fake-kernel.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';
import { FakeSleepers, type Sleeper } from '../support/fake-sleepers.ts';
import { FakeTasks, type PlantedTask } from '../support/fake-tasks.ts';
import { type Figure, figure } from './figure.ts';

declare const gc: () => void;

const MANY = 65_000;
const THREADS_EACH = 1_000;

export function* kernelFigures(): Iterable<Figure> {
  yield* manyTasks();
  yield* stacks();
  yield* requests();
}

function* manyTasks(): Iterable<Figure> {
  const planted = Array.from({ length: MANY }, (_, i): PlantedTask => {
    const leads = i % THREADS_EACH === 0;
    return { pid: i + 1, tgid: i - (i % THREADS_EACH) + 1, state: i % 5 === 0 ? 2 : 1, totalVm: leads ? 100 : 0 };
  });
  const made = new FakeTasks(planted);
  shareMemory(made, planted);
  const session = fakeSession(made.fake);
  gc();
  const before = process.memoryUsage().rss;
  const took = elapsed(() => void session.lines('ps'));
  yield figure('ps over 65,000 threads', took, 'ms', 2_000);
  yield figure(
    'memory of that, beyond the kernel made for it',
    (process.memoryUsage().rss - before) / 1024 / 1024,
    'MiB',
    400,
  );
}

/** Threads have the mm of their leader. */
function shareMemory(made: FakeTasks, planted: readonly PlantedTask[]): void {
  const { fake } = made;
  const type = fake.type('task_struct');
  const offset = BigInt(getMember(type, 'mm').offset);
  for (const { pid, tgid } of planted) {
    const at = { space: 'virtual', address: made.address(tgid ?? pid) + offset, length: 8, what: 'mm' } as const;
    const [mm] = fake.memory.read([at]);
    if (mm instanceof Uint8Array) fake.memory.write(made.address(pid) + offset, mm);
  }
}

function* stacks(): Iterable<Figure> {
  const stack = ['wait_here', 'schedule', 'io_schedule', 'vfs_read', 'ksys_read', 'do_syscall'];
  const sleepers = Array.from({ length: 2_000 }, (_, i): Sleeper => ({ pid: i + 1, tgid: 1, state: 2, stack }));
  const session = fakeSession(new FakeSleepers(sleepers).fake);
  session.lines('bt 1');
  const took = elapsed(() => void session.lines('foreach bt'));
  yield figure(
    'foreach bt over 2,000 tasks, for each task',
    (took * 1000) / sleepers.length,
    'us',
    (20_000 * 1000) / MANY,
  );
}

function* requests(): Iterable<Figure> {
  const tasks = Array.from({ length: 1_000 }, (_, i): PlantedTask => ({ pid: i * 3 + 1, totalVm: 100 }));
  const listed = fakeSession(new FakeTasks(tasks, { page: true }).fake, { liveness: 'live' });
  yield figure('ps of 1,000 tasks', asked(listed, 'ps'), 'requests', 24);

  const sleepers = Array.from({ length: 400 }, (_, i): Sleeper => {
    return { pid: i * 7 + 1, state: i % 2 === 0 ? 2 : 1, stack: [`wait_${i % 5}`, 'schedule', 'vfs_write'] };
  });
  const fake = new FakeSleepers(sleepers).fake;
  yield figure(
    'bt of one sleeping task, cold',
    asked(fakeSession(fake, { liveness: 'live' }), 'bt 701'),
    'requests',
    6,
  );
  yield figure('foreach UN bt of 200', asked(fakeSession(fake, { liveness: 'live' }), 'foreach UN bt'), 'requests', 40);
  yield figure('a list of 1,000, followed on the far side', followed(), 'requests', 8);
}

function followed(): number {
  const fake = new FakeKernel();
  fake.c('struct list_head { struct list_head *next, *prev; }; struct item { int id; struct list_head link; };');
  const item = fake.type('item');
  const items = Array.from({ length: 1_000 }, (_, id) => fake.place(item, { id }, fake.allocate(4096, { page: true })));
  const head = fake.place(fake.type('list_head'));
  fake.linkList(head, items, item, 'link');
  fake.memory.follow = followOver(fake.memory);
  const kernel = fake.kernel();
  if ([...walkListOf(kernel, head, 'item', 'link')].length !== items.length) throw new Error('the list is cut');
  return kernel.memory.requests;
}

/** Requests that a command makes of a kernel of which only the symbols and types are known. */
function asked(session: FakeSession, line: string): number {
  const { memory }: Kernel = session.kernel;
  const before = memory.requests;
  const { status, error } = session.json(line);
  if (status !== 0) throw new Error(`${line}: ${error}`);
  return memory.requests - before;
}

function elapsed(work: () => void): number {
  const started = performance.now();
  work();
  return performance.now() - started;
}
