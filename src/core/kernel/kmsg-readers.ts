/**
 * Who reads the kernel log. Readers of /dev/kmsg have a position of their own each (struct devkmsg_user) and take nothing
 * away; /proc/kmsg and syslog(2) share one, `syslog_seq`: what one reader took the others do not get. Who sleeps until a
 * record comes, or polls for one, is on the wait queue `log_wait`, whichever way it reads.
 *
 * `clear_seq` is no reader's: syslog(2) moves it to the end with SYSLOG_ACTION_CLEAR and READ_CLEAR, and READ_ALL, which
 * dmesg uses, begins there, as a reader of /dev/kmsg does that seeks to SEEK_DATA. The records before it stay in the log.
 *
 * An open file is known by its operations: kmsg_fops of the character device 1:11. Files of /proc all have procfs' own;
 * theirs is known by the proc_dir_entry beside the inode, whose proc_ops are kmsg_proc_ops since d56c0d45f0e2 "proc:
 * decouple proc from VFS with struct proc_ops" (v5.6), and proc_fops proc_kmsg_operations before.
 */
import { type KdbgError, UnsupportedError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import { walkListOf } from './list.ts';
import { attempt } from './locks/lock-reading.ts';
import { entryKind, WaitQueueEntry } from './locks/wait-queue.ts';
import { findStructMember } from './member.ts';
import { type OpenFile, openFiles } from './open-files.ts';
import { type LogSpan, printkRingSpan } from './printk.ts';
import { printkLogSpan } from './printk-log.ts';
import { unwindTasks } from './stack.ts';
import { defineStruct, long, pointer } from './struct.ts';
import { findTaskAt } from './task.ts';
import type { Task } from './task-struct.ts';

const File = defineStruct('file', {
  operations: pointer('f_op'),
  inode: pointer('f_inode'),
  mode: long('f_mode'),
  private: pointer('private_data'),
});
/** seq is a u64, or an atomic64_t around one. */
const DevkmsgUser = defineStruct('devkmsg_user', { position: long('seq') });
const ProcDirEntry = defineStruct('proc_dir_entry', { operations: pointer('proc_ops', 'proc_fops') });

const FMODE_READ = 1n;
const DEVICE_OPERATIONS = 'kmsg_fops';
/** procfs' own; files that are there for good have some too. */
const PROC_FILE_OPERATIONS = [
  ...['proc_reg_file_ops', 'proc_reg_file_ops_compat', 'proc_iter_file_ops', 'proc_iter_file_ops_compat'],
];
const PROC_OPERATIONS = ['kmsg_proc_ops', 'proc_kmsg_operations'] as const;
const WAITERS_MAX = 1 << 16;

export type KmsgInterface = '/dev/kmsg' | '/proc/kmsg' | 'syslog(2)';

export interface KmsgReader {
  readonly task: Task;
  /** The file descriptor; undefined for syslog(2), which needs none. */
  readonly descriptor: number | undefined;
  readonly interface: KmsgInterface;
  /** `sleeps` until a record comes, `polls` for one; `writes`: the file is open for writing only. */
  readonly doing: 'sleeps' | 'polls' | 'writes' | undefined;
  /** The sequence number of the record that it reads next; undefined where that is not known. */
  readonly position: bigint | undefined;
}

export interface KmsgReaders {
  readonly readers: readonly KmsgReader[];
  readonly log: LogSpan | undefined;
  /** What the readers of /proc/kmsg and syslog(2) read next. */
  readonly shared: bigint | undefined;
  /** The record that dmesg begins with, as the log was cleared there; 0 if it never was. */
  readonly cleared: bigint | undefined;
}

/** Throws UnsupportedError for a kernel without printk, NotFoundError, FaultError. */
export function kmsgReaders(kernel: Kernel): KmsgReaders {
  const files = logFiles(kernel);
  const waiters = logWaiters(kernel);
  const sleepers = sleepersOf(kernel, waiters.tasks);
  // After the readers: on a live target nobody is ahead of what was read last.
  const shared = sequence(kernel, 'syslog_seq');
  // A u64 until 7d7a23a91c91 "printk: use seqcount_latch for clear_seq" (v5.13).
  const cleared = sequence(kernel, 'clear_seq', findStructMember(kernel, 'latched_seq', 'val')?.offset);
  const log = printkRingSpan(kernel) ?? printkLogSpan(kernel);
  const opened = files.map(({ task, descriptor, file, interface: through, mode, position }): KmsgReader => {
    const isReader = (mode & FMODE_READ) !== 0n;
    const sleeps = sleepers.some((each) => each.interface === through && each.task.tgid === task.tgid);
    const doing = !isReader ? 'writes' : sleeps ? 'sleeps' : waiters.polled.has(file) ? 'polls' : undefined;
    const next = !isReader ? undefined : through === '/proc/kmsg' ? shared : position;
    return { task, descriptor, interface: through, doing, position: next };
  });
  const calling = sleepers
    .filter((each) => each.interface === 'syslog(2)')
    .map(({ task, interface: through }): KmsgReader => {
      return { task, descriptor: undefined, interface: through, doing: 'sleeps', position: shared };
    });
  return { readers: [...opened, ...calling], log, shared, cleared };
}

/** The u64 of printk in a variable, so many bytes into it. */
function sequence(kernel: Kernel, variable: string, offset = 0): bigint | undefined {
  const address = kernel.addressOf(variable);
  return address === undefined ? undefined : attempt(() => kernel.memory.u64(address + BigInt(offset), variable));
}

interface LogFile extends OpenFile {
  readonly interface: KmsgInterface;
  readonly mode: bigint;
  readonly position: bigint | undefined;
}

/** The open files that are the log. */
function logFiles(kernel: Kernel): readonly LogFile[] {
  const device = kernel.addressOf(DEVICE_OPERATIONS);
  if (device === undefined) throw new UnsupportedError('this kernel has no /dev/kmsg: it was built without printk');
  const proc = new Set(PROC_FILE_OPERATIONS.flatMap((name) => kernel.addressOf(name) ?? []));
  const struct = kernel.struct(File);
  const all = [...openFiles(kernel)];
  struct.prefetch(all.map(({ file }) => file));
  const candidates = all.flatMap((open) => {
    const found = attempt(() => {
      const { operations, inode, mode, private: own } = struct.at(open.file);
      return { ...open, operations, inode, mode, own };
    });
    return found !== undefined && (found.operations === device || proc.has(found.operations)) ? [found] : [];
  });
  const ofLog = procLogInodes(
    kernel,
    candidates.flatMap(({ operations, inode }) => (operations === device ? [] : [inode])),
  );
  return candidates.flatMap(({ task, descriptor, file, operations, inode, mode, own }): readonly LogFile[] => {
    if (operations !== device && !ofLog.has(inode)) return [];
    const through = operations === device ? '/dev/kmsg' : '/proc/kmsg';
    const position =
      through === '/dev/kmsg' && isKernelAddress(own)
        ? attempt(() => kernel.struct(DevkmsgUser).at(own).position)
        : undefined;
    return [{ task, descriptor, file, interface: through, mode, position }];
  });
}

/** Which of these inodes of /proc are /proc/kmsg. */
function procLogInodes(kernel: Kernel, inodes: readonly bigint[]): ReadonlySet<bigint> {
  const log = PROC_OPERATIONS.flatMap((name) => kernel.addressOf(name) ?? []);
  const inode = findStructMember(kernel, 'proc_inode', 'vfs_inode')?.offset;
  const entry = findStructMember(kernel, 'proc_inode', 'pde')?.offset;
  if (inode === undefined || entry === undefined || log.length === 0) return new Set();
  const known = [...new Set(inodes)].filter(isKernelAddress);
  const pointers = known.map((address) => address - BigInt(inode) + BigInt(entry));
  kernel.memory.prefetch(pointers.map((address) => ({ space: 'virtual', address, length: 8, what: 'proc_inode.pde' })));
  const entries = pointers.map((address) => attempt(() => kernel.memory.u64(address, 'proc_inode.pde')) ?? 0n);
  const struct = kernel.struct(ProcDirEntry);
  struct.prefetch(entries.filter(isKernelAddress));
  return new Set(
    known.filter((_, i) => {
      const at = entries[i] as bigint;
      const operations = isKernelAddress(at) ? attempt(() => struct.at(at).operations) : undefined;
      return operations !== undefined && log.includes(operations);
    }),
  );
}

interface LogWaiters {
  readonly tasks: readonly bigint[];
  /** Files that somebody polls, with poll(2) or epoll. */
  readonly polled: ReadonlySet<bigint>;
}

/** Who is on log_wait. */
function logWaiters(kernel: Kernel): LogWaiters {
  const head = kernel.addressOf('log_wait');
  const list = findStructMember(kernel, 'wait_queue_head', 'head')?.offset;
  if (head === undefined || list === undefined) return { tasks: [], polled: new Set() };
  const struct = kernel.struct(WaitQueueEntry);
  const options = { limit: WAITERS_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const waiting: bigint[] = [];
  const polled = new Set<bigint>();
  for (const node of walkListOf(kernel, head + BigInt(list), 'wait_queue_entry', 'entry', options)) {
    const found = attempt(() => ({
      kind: entryKind(kernel, struct.at(node).func)?.kind,
      who: struct.at(node).private,
    }));
    if (found?.kind === 'task') waiting.push(found.who);
    const file = attempt(() => polledFile(kernel, node, found?.kind));
    if (file !== undefined) polled.add(file);
  }
  return { tasks: waiting, polled };
}

/** The struct file whose poll() put the entry on the queue: the entry is in what poll(2) or epoll keeps for the file. */
function polledFile(kernel: Kernel, node: bigint, kind: string | undefined): bigint | undefined {
  const holder = kind === 'epoll' ? 'eppoll_entry' : kind === 'poll' ? 'poll_table_entry' : undefined;
  const wait = holder && findStructMember(kernel, holder, 'wait')?.offset;
  const to = holder && findStructMember(kernel, holder, kind === 'epoll' ? 'base' : 'filp')?.offset;
  if (wait === undefined || to === undefined) return undefined;
  const pointed = kernel.memory.u64(node - BigInt(wait) + BigInt(to), `${holder}`);
  if (kind === 'poll') return pointed;
  const file = findStructMember(kernel, 'epitem', 'ffd.file')?.offset;
  return file === undefined ? undefined : kernel.memory.u64(pointed + BigInt(file), 'epitem.ffd.file');
}

interface Sleeper {
  readonly task: Task;
  readonly interface: KmsgInterface;
}

/** In what those sleep that wait for a record: all three ways lead to log_wait, and their functions tell them apart. */
function sleepersOf(kernel: Kernel, addresses: readonly bigint[]): readonly Sleeper[] {
  const known = [...new Set(addresses)].flatMap((address) => findTaskAt(kernel, address) ?? []);
  const found: Sleeper[] = [];
  let next = 0;
  for (const { frames } of unwindTasks(
    kernel,
    known.map(({ address }) => address),
  )) {
    const task = known[next++] as Task;
    const names = new Set(frames.map(({ symbol }) => symbol?.name.replace(/\..*$/, '')));
    const through = names.has('devkmsg_read') ? '/dev/kmsg' : names.has('kmsg_read') ? '/proc/kmsg' : 'syslog(2)';
    found.push({ task, interface: through });
  }
  return found;
}
