import { describe, expect, it } from 'vitest';
import { type FakeKernel, U64 } from '../support/fake-kernel.ts';
import { FakePrintk } from '../support/fake-printk.ts';
import { fakeSession } from '../support/fake-session.ts';
import { FakeSleepers } from '../support/fake-sleepers.ts';

const TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct fdtable { unsigned int max_fds; void **fd; };
  struct files_struct { int count; struct fdtable *fdt; };
  struct proc_dir_entry { int pad; void *proc_ops; };
  struct inode { unsigned long ino; };
  struct proc_inode { void *pid; struct proc_dir_entry *pde; struct inode vfs_inode; };
  struct file { unsigned int f_mode; void *f_op, *f_inode, *private_data; };
  struct devkmsg_user { struct { long counter; } seq; };
  struct wait_queue_head { int lock; struct list_head head; };
  struct wait_queue_entry { unsigned int flags; void *private, *func; struct list_head entry; };
  struct epitem { void *rb; struct { void *file; int fd; } ffd; };
  struct eppoll_entry { void *next; struct epitem *base; struct wait_queue_entry wait; };
`;
const READ = 1;
const WRITE = 2;

/** A log of ten records and these tasks; each way to read it is given to one by its function. */
function planted() {
  const sleepers = new FakeSleepers([
    { pid: 10, comm: 'cat', stack: ['__schedule', 'devkmsg_read', 'vfs_read'] },
    { pid: 20, comm: 'klogd', stack: ['__schedule', 'do_syslog', 'kmsg_read'] },
    { pid: 30, comm: 'drain', stack: ['__schedule', 'syslog_print', 'do_syslog'] },
    { pid: 40, comm: 'journald', stack: ['__schedule', 'ep_poll'] },
    { pid: 50, comm: 'writer', stack: ['__schedule'] },
    { pid: 60, comm: 'other', stack: ['__schedule'] },
  ]);
  const { fake, tasks } = sleepers;
  const printk = new FakePrintk(fake);
  for (let i = 0; i < 10; i++) printk.add({ text: `line ${i}` });
  fake.c(TYPES);
  for (const name of ['autoremove_wake_function', 'ep_poll_callback']) fake.symbols.add(name, fake.allocate(16), 'T');
  const operations = Object.fromEntries(
    ['kmsg_fops', 'proc_reg_file_ops', 'kmsg_proc_ops', 'other_proc_ops'].map((name) => {
      const address = fake.allocate(64);
      fake.symbols.add(name, address, 'D');
      return [name, address];
    }),
  );
  const open = (pid: number, files: readonly bigint[]): void => {
    const fd = fake.allocate(8 * 64);
    for (const [i, file] of files.entries()) fake.memory.u64(fd + 8n * BigInt(3 + i), file);
    const fdt = fake.place(fake.type('fdtable'), { max_fds: 64, fd });
    fake.set(fake.type('task_struct'), tasks.address(pid), 'files', fake.place(fake.type('files_struct'), { fdt }));
  };
  const device = (mode: number, seq?: number): bigint => {
    const user = seq === undefined ? 0n : fake.place(fake.type('devkmsg_user'), { 'seq.counter': seq });
    return fake.place(fake.type('file'), { f_mode: mode, f_op: operations['kmsg_fops']!, private_data: user });
  };
  const proc = (ops: string): bigint => {
    const pde = fake.place(fake.type('proc_dir_entry'), { proc_ops: operations[ops]! });
    const inode = fake.place(fake.type('proc_inode'), { pde });
    const f_op = operations['proc_reg_file_ops']!;
    return fake.place(fake.type('file'), { f_mode: READ, f_op, f_inode: inode + 16n });
  };
  const polled = device(READ | WRITE, 4);
  open(10, [device(READ, 10)]);
  open(20, [proc('kmsg_proc_ops')]);
  open(40, [polled, device(WRITE)]);
  open(50, [device(WRITE)]);
  open(60, [proc('other_proc_ops'), 0xffff_8880_7fff_0000n]);
  const entry = fake.type('wait_queue_entry');
  const waits = [10, 20, 30].map((pid) =>
    fake.place(entry, { private: tasks.address(pid), func: fake.symbols.get('autoremove_wake_function').address }),
  );
  const base = fake.place(fake.type('epitem'), { 'ffd.file': polled });
  const poll = fake.place(fake.type('eppoll_entry'), {
    base,
    'wait.func': fake.symbols.get('ep_poll_callback').address,
  });
  const head = fake.global('log_wait', fake.type('wait_queue_head'));
  fake.linkList(head + 8n, [...waits, poll + 16n], entry, 'entry');
  fake.globalInteger('syslog_seq', U64, 7);
  return { fake, tasks };
}

describe('kmsg readers', () => {
  it('lists who has the log open or sleeps in syslog(2), and how far each is', () => {
    const { rows, notices } = fakeSession(planted().fake).json('kmsg readers');
    expect(
      rows.map(({ pid, comm, fd, interface: through, position, behind, doing }) => [
        ...[pid, comm, fd, through, position, behind, doing],
      ]),
    ).toEqual([
      [10, 'cat', 3, '/dev/kmsg', 10, 0, 'sleeps'],
      [20, 'klogd', 3, '/proc/kmsg', 7, 3, 'sleeps'],
      [40, 'journald', 3, '/dev/kmsg', 4, 6, 'polls'],
      [30, 'drain', null, 'syslog(2)', 7, 3, 'sleeps'],
    ]);
    expect(notices).toEqual([
      '2 more have /dev/kmsg open for writing only: -w shows them',
      'the log has the records 0 to 9',
      '/proc/kmsg and syslog(2) have taken those before 7: 3 are left',
    ]);
  });

  it('shows those that write, too', () => {
    const { rows } = fakeSession(planted().fake).json('kmsg -w');
    expect(rows.filter(({ doing }) => doing === 'writes').map(({ pid, fd, position }) => [pid, fd, position])).toEqual([
      [40, 4, null],
      [50, 3, null],
    ]);
  });

  it.each([
    ['a u64', (fake: FakeKernel) => fake.globalInteger('clear_seq', U64, 8)],
    [
      'a latched_seq',
      (fake: FakeKernel) => {
        fake.c('struct latched_seq { unsigned int latch; unsigned long long val[2]; };');
        const at = fake.global('clear_seq', fake.type('latched_seq'));
        fake.memory.u64(at + 8n, 8n);
      },
    ],
  ])('tells where dmesg begins once the log was cleared: %s', (_, plant) => {
    const { fake } = planted();
    plant(fake);
    expect(fakeSession(fake).json('kmsg readers').notices).toContain(
      'the log was cleared: dmesg begins at 8; those before are still there, and "log" shows them',
    );
  });

  it('leaves out what cannot be believed, and says so', () => {
    const { fake, tasks } = planted();
    fake.set(fake.type('task_struct'), tasks.address(60), 'files', 0xffff_8880_7ffe_0000n);
    fake.set(fake.type('task_struct'), tasks.address(50), 'files', 0x1234n);
    const { rows, notices } = fakeSession(fake).json('kmsg readers');
    expect(rows).toHaveLength(4);
    expect(notices).toContain('the open files of 1 process cannot be read, and are left out');
  });
});
