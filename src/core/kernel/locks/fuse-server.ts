/**
 * Who is to answer a FUSE request: the processes that have the device of its connection open. A request leads to its
 * connection, a device to its own, and only the tables of open files lead from a process to a device.
 */
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { defineStruct, int, pointer } from '../struct.ts';
import { embeddedLocks } from './embedding.ts';
import { readMember } from './known-object.ts';
import type { Owner } from './lock.ts';
import { attempt, type LockScene, ownerOf } from './lock-reading.ts';
import type { TaskEntry } from './task-table.ts';

/** Where it is a module. */
const MODULE = 'fuse';

const TaskFiles = defineStruct('task_struct', { files: pointer('files') });
const Files = defineStruct('files_struct', { table: pointer('fdt') });
const FdTable = defineStruct('fdtable', { size: int('max_fds'), files: pointer('fd') });
const File = defineStruct('file', { operations: pointer('f_op'), data: pointer('private_data') });

const PROCESSES_MAX = 4096;
/** Descriptors looked at of one process, and of all. */
const DESCRIPTORS_MAX = 1024;
const FILES_MAX = 65_536;
/** Servers named of one connection. */
const SERVERS_MAX = 8;

/** Processes that serve the connection whose request, or which itself, has this wait queue. */
export function fuseServers(scene: LockScene, queue: bigint): readonly Owner[] {
  const { kernel } = scene;
  const servers = kernel.memo('FUSE servers', 'command', () => attempt(() => readServers(scene)) ?? new Map());
  return connectionsOf(kernel, queue).flatMap((connection) => servers.get(connection) ?? []);
}

/** What may be the connection. A wrong one is nobody's: it is looked up among those that devices name. */
function connectionsOf(kernel: Kernel, queue: bigint): readonly bigint[] {
  const places = (structure: string) => embeddedLocks(kernel, structure, 'wait_queue', MODULE)?.locks ?? [];
  const byRequest = places('fuse_req').flatMap(({ offset }) => {
    const request = queue - BigInt(offset);
    // Since fcee216beb9c "fuse: split fuse_mount off of fuse_conn" (v5.10); before, a request did not name its connection.
    const mount = attempt(() => readMember(kernel, request, 'fuse_req', MODULE, 'fm'));
    if (mount === undefined || !isKernelAddress(mount)) return [];
    return attempt(() => readMember(kernel, mount, 'fuse_mount', MODULE, 'fc')) ?? [];
  });
  return [...byRequest, ...places('fuse_conn').map(({ offset }) => queue - BigInt(offset))];
}

interface OpenFiles {
  readonly task: TaskEntry;
  readonly size: number;
  readonly files: bigint;
}

/** Owners by the address of their struct fuse_conn, from the tables of open files of all processes. */
function readServers(scene: LockScene): ReadonlyMap<bigint, readonly Owner[]> {
  const { kernel } = scene;
  const device = kernel.addressOf('fuse_dev_operations');
  const servers = new Map<bigint, Owner[]>();
  if (device === undefined) return servers;
  const opened = openFiles(scene);
  kernel.memory.prefetch(
    opened.map(({ files, size }) => ({ space: 'virtual', address: files, length: size * 8, what: 'fdtable.fd' })),
  );
  const files = opened
    .flatMap(({ task, files: at, size }) =>
      Array.from({ length: size }, (_, fd) => {
        const file = attempt(() => kernel.memory.u64(at + BigInt(fd * 8), 'fdtable.fd')) ?? 0n;
        return { task, fd, file };
      }),
    )
    .filter(({ file }) => isKernelAddress(file))
    .slice(0, FILES_MAX);
  const struct = kernel.struct(File);
  struct.prefetch(files.map(({ file }) => file));
  for (const { task, fd, file } of files) {
    const connection = attempt(() => {
      const { operations, data } = struct.at(file);
      return operations === device ? readMember(kernel, data, 'fuse_dev', MODULE, 'fc') : undefined;
    });
    if (connection === undefined) continue;
    const known = servers.get(connection) ?? [];
    if (known.length >= SERVERS_MAX || known.some((owner) => owner.task === task.task)) continue;
    const text = `it has the device of fuse_conn ${formatAddress(connection)} open as descriptor ${fd}`;
    known.push(ownerOf(task, { mode: 'any', role: 'worker', sure: 'likely' }, { by: 'owner', text }));
    servers.set(connection, known);
  }
  return servers;
}

/** The tables of open files, each once: threads share theirs. */
function openFiles({ kernel, tasks }: LockScene): readonly OpenFiles[] {
  const users = tasks.all.filter(({ mm, exitState }) => mm !== 0n && exitState === 0).sort((a, b) => a.pid - b.pid);
  const ofTask = kernel.struct(TaskFiles);
  ofTask.prefetch(users.map(({ task }) => task));
  const byFiles = new Map<bigint, TaskEntry>();
  for (const user of users) {
    const files = attempt(() => ofTask.at(user.task).files) ?? 0n;
    if (isKernelAddress(files) && !byFiles.has(files) && byFiles.size < PROCESSES_MAX) byFiles.set(files, user);
  }
  const ofFiles = kernel.struct(Files);
  ofFiles.prefetch([...byFiles.keys()]);
  const tables = [...byFiles].map(([files, task]) => ({ task, table: attempt(() => ofFiles.at(files).table) ?? 0n }));
  const ofTable = kernel.struct(FdTable);
  ofTable.prefetch(tables.map(({ table }) => table).filter(isKernelAddress));
  return tables.flatMap(({ task, table }): OpenFiles[] => {
    const open = attempt(() => ofTable.at(table));
    const files = open && attempt(() => open.files);
    const size = open && attempt(() => open.size);
    if (files === undefined || size === undefined || !isKernelAddress(files) || size <= 0) return [];
    return [{ task, files, size: Math.min(size, DESCRIPTORS_MAX) }];
  });
}
