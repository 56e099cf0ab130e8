/**
 * Structures that embed locks and that can be recognised: each has a pointer that leads back to itself, or to something
 * that names it. A lock is a member of one only if that check holds, so that what is said of it is so.
 */
import { isKernelAddress } from '../../memory/address.ts';
import { VMLINUX } from '../../types/btf-table.ts';
import { findMember } from '../../types/member-path.ts';
import type { Kernel } from '../kernel.ts';
import { findStructMember } from '../member.ts';
import { defineStruct, embedded, int, pointer } from '../struct.ts';
import { structureOf } from './embedding.ts';
import type { TaskEntry, TaskTable } from './task-table.ts';
import { isLinked } from './wait-list.ts';

/** What an object is, once it is recognised. */
export interface KnownObject {
  /** What it belongs to, without a path: `of 812 (bash)`, `of ext4 on sda1`; empty when the type says it all. */
  readonly text: string;
  /** The directory entry whose path names it. */
  readonly dentry?: bigint;
}

/** How one structure is recognised. */
export interface ObjectKind {
  readonly structure: string;
  /** The module that defines it, where vmlinux may not. */
  readonly module?: string;
  /** Pointers that the check follows: their targets are fetched for many objects at once. Throws FaultError. */
  readonly follows?: (kernel: Kernel, object: bigint) => readonly bigint[];
  /** Undefined when the address is not such an object. Throws FaultError. */
  readonly check: (kernel: Kernel, object: bigint, tasks: TaskTable) => KnownObject | undefined;
}

const Inode = defineStruct('inode', {
  host: pointer('i_data.host'),
  sb: pointer('i_sb'),
  dentry: pointer('i_dentry.first'),
});
const SuperBlock = defineStruct('super_block', {
  root: pointer('s_root'),
  type: pointer('s_type'),
  id: embedded('s_id'),
});
const FileSystemType = defineStruct('file_system_type', { name: pointer('name') });
const File = defineStruct('file', { inode: pointer('f_inode'), dentry: pointer('f_path.dentry') });
const DentryLink = defineStruct('dentry', {
  inode: pointer('d_inode'),
  sb: pointer('d_sb'),
  // hlist_node; the union has had its name since 946e51f2bf37 (v3.19).
  alias: embedded('d_u.d_alias', 'd_alias'),
});
const Pipe = defineStruct('pipe_inode_info', {
  readers: int('readers'),
  writers: int('writers'),
  files: int('files'),
  // 6718b6f855a0 "pipe: Allow pipes to have kernel-reserved slots" and 8cefc107ca54 (v5.5) split `buffers`.
  size: int('ring_size', 'buffers'),
  buffers: pointer('bufs'),
});
const Tty = defineStruct('tty_struct', { driver: pointer('driver'), ops: pointer('ops'), name: embedded('name') });
const Device = defineStruct('device', { type: pointer('kobj.ktype'), name: pointer('kobj.name') });
const Userfault = defineStruct('userfaultfd_ctx', {
  mm: pointer('mm'),
  pending: embedded('fault_pending_wqh.head'),
  faults: embedded('fault_wqh.head'),
});
const Eventpoll = defineStruct('eventpoll', { file: pointer('file') });
const FilePrivate = defineStruct('file', { data: pointer('private_data') });
const Socket = defineStruct('socket', { sk: pointer('sk') });
const Sock = defineStruct('sock', { socket: pointer('sk_socket') });
const MemoryNode = defineStruct('pglist_data', { node: int('node_id') });

/** MAX_NUMNODES goes to 1024 on x86-64. */
const NODES_MAX = 1024;

export const OBJECT_KINDS: readonly ObjectKind[] = [
  { structure: 'inode', follows: followInode, check: checkInode },
  {
    structure: 'super_block',
    follows: (kernel, object) => {
      const sb = kernel.struct(SuperBlock).at(object);
      return [sb.root, sb.type];
    },
    check(kernel, object) {
      const sb = kernel.struct(SuperBlock).at(object);
      if (kernel.struct(DentryLink).at(sb.root).sb !== object) return undefined;
      const type = kernel.memory.cString(kernel.struct(FileSystemType).at(sb.type).name, 64, 'file_system_type.name');
      return { text: `of ${type} on ${kernel.memory.cString(sb.id, 32, 'super_block.s_id')}`, dentry: sb.root };
    },
  },
  {
    structure: 'mm_struct',
    check: (_kernel, object, tasks) => ofTask(firstTask(tasks, ({ mm }) => mm === object)),
  },
  {
    structure: 'signal_struct',
    check: (_kernel, object, tasks) => ofTask(firstTask(tasks, ({ signal }) => signal === object)),
  },
  {
    structure: 'task_struct',
    check: (_kernel, object, tasks) => ofTask(tasks.all.find(({ task }) => task === object)),
  },
  {
    structure: 'file',
    follows: (kernel, object) => [kernel.struct(File).at(object).dentry],
    check(kernel, object) {
      const file = kernel.struct(File).at(object);
      if (!isKernelAddress(file.inode) || !isKernelAddress(file.dentry)) return undefined;
      return kernel.struct(DentryLink).at(file.dentry).inode === file.inode
        ? { text: '', dentry: file.dentry }
        : undefined;
    },
  },
  {
    structure: 'pipe_inode_info',
    check(kernel, object) {
      const { readers, writers, files, size, buffers } = kernel.struct(Pipe).at(object);
      const isSize = size > 0 && size <= 1 << 20 && (size & (size - 1)) === 0;
      const counts = [readers, writers, files].every((count) => count >= 0 && count < 1 << 20);
      const waits = findStructMember(kernel, 'pipe_inode_info', 'rd_wait.head');
      const linked = waits === undefined || isLinked(kernel, object + BigInt(waits.offset));
      if (!isSize || !counts || files === 0 || !isKernelAddress(buffers) || !linked) return undefined;
      return { text: `with ${readers} readers and ${writers} writers` };
    },
  },
  {
    structure: 'tty_struct',
    check(kernel, object) {
      const { driver, ops, name } = kernel.struct(Tty).at(object);
      const text = kernel.memory.cString(name, 64, 'tty_struct.name');
      const known = kernel.symbols.nearest(ops);
      if (!isKernelAddress(driver) || known?.offset !== 0 || !/^[\x21-\x7e]+$/.test(text)) return undefined;
      return { text: `of ${text}` };
    },
  },
  {
    structure: 'device',
    follows: (kernel, object) => [kernel.struct(Device).at(object).name],
    check(kernel, object) {
      const { type, name } = kernel.struct(Device).at(object);
      if (type !== kernel.addressOf('device_ktype')) return undefined;
      return { text: isKernelAddress(name) ? `of ${kernel.memory.cString(name, 64, 'kobject.name')}` : '' };
    },
  },
  {
    structure: 'userfaultfd_ctx',
    check(kernel, object, tasks) {
      const { mm, pending, faults } = kernel.struct(Userfault).at(object);
      if (!isKernelAddress(mm) || !isLinked(kernel, pending) || !isLinked(kernel, faults)) return undefined;
      return ofTask(firstTask(tasks, (task) => task.mm === mm));
    },
  },
  {
    structure: 'eventpoll',
    follows: (kernel, object) => [kernel.struct(Eventpoll).at(object).file],
    check(kernel, object) {
      const { file } = kernel.struct(Eventpoll).at(object);
      return kernel.struct(FilePrivate).at(file).data === object ? { text: '' } : undefined;
    },
  },
  {
    structure: 'socket',
    follows: (kernel, object) => [kernel.struct(Socket).at(object).sk],
    check(kernel, object) {
      const { sk } = kernel.struct(Socket).at(object);
      return kernel.struct(Sock).at(sk).socket === object ? { text: '' } : undefined;
    },
  },
  {
    structure: 'sock',
    follows: (kernel, object) => [kernel.struct(Sock).at(object).socket],
    check(kernel, object) {
      const { socket } = kernel.struct(Sock).at(object);
      return kernel.struct(Socket).at(socket).sk === object ? { text: '' } : undefined;
    },
  },
  {
    structure: 'pglist_data',
    check(kernel, object) {
      const { node } = kernel.struct(MemoryNode).at(object);
      const table = kernel.addressOf('node_data');
      if (table === undefined || node < 0 || node >= NODES_MAX) return undefined;
      const known = kernel.memory.u64(table + BigInt(8 * node), 'node_data');
      return known === object ? { text: `of node ${node}` } : undefined;
    },
  },
  {
    structure: 'journal_s',
    module: 'jbd2',
    check(kernel, object, tasks) {
      const task = readMember(kernel, object, 'journal_s', 'jbd2', 'j_task');
      if (task === undefined || task === 0n || tasks.find(task) === undefined) return undefined;
      const name = placeOf(kernel, object, 'journal_s', 'jbd2', 'j_devname');
      const text = name === undefined ? '' : kernel.memory.cString(name, 64, 'journal_s.j_devname');
      return { text: /^[\x21-\x7e]+$/.test(text) ? `of ${text}` : '' };
    },
  },
  {
    structure: 'fuse_req',
    module: 'fuse',
    check(kernel, object) {
      const mount = readMember(kernel, object, 'fuse_req', 'fuse', 'fm');
      if (mount === undefined || !isKernelAddress(mount)) return undefined;
      const sb = readMember(kernel, mount, 'fuse_mount', 'fuse', 'sb') ?? 0n;
      const { root } = kernel.struct(SuperBlock).at(sb);
      if (kernel.struct(DentryLink).at(root).sb !== sb) return undefined;
      return { text: fuseOperation(kernel, object) ?? '', dentry: root };
    },
  },
  ...inodeWrappers([
    ['ext4_inode_info', 'ext4', 'vfs_inode'],
    ['xfs_inode', 'xfs', 'i_vnode'],
    ['btrfs_inode', 'btrfs', 'vfs_inode'],
    ['shmem_inode_info', undefined, 'vfs_inode'],
    ['fuse_inode', 'fuse', 'inode'],
    ['nfs_inode', 'nfs', 'vfs_inode'],
    ['cifsInodeInfo', 'cifs', 'netfs.inode'],
    ['ceph_inode_info', 'ceph', 'netfs.inode'],
    ['ovl_inode', 'overlay', 'vfs_inode'],
    ['f2fs_inode_info', 'f2fs', 'vfs_inode'],
    ['msdos_inode_info', 'fat', 'vfs_inode'],
    ['proc_inode', undefined, 'vfs_inode'],
    ['bdev_inode', undefined, 'vfs_inode'],
    ['socket_alloc', undefined, 'vfs_inode'],
  ]),
];

/** `FUSE_LOOKUP`: what a request asks for. */
function fuseOperation(kernel: Kernel, request: bigint): string | undefined {
  const at = placeOf(kernel, request, 'fuse_req', 'fuse', 'in.h.opcode');
  const operation = at === undefined ? undefined : BigInt(kernel.memory.u32(at, 'fuse_in_header.opcode'));
  const type = kernel.types.find('enum', 'fuse_opcode', VMLINUX) ?? kernel.types.find('enum', 'fuse_opcode', 'fuse');
  return type?.kind === 'enum' ? type.enumerators.find(({ value }) => value === operation)?.name : undefined;
}

function followInode(kernel: Kernel, object: bigint): readonly bigint[] {
  return [kernel.struct(Inode).at(object).dentry];
}

/** An inode's own address_space names it as its host. */
function checkInode(kernel: Kernel, object: bigint): KnownObject | undefined {
  const inode = kernel.struct(Inode).at(object);
  if (inode.host !== object || !isKernelAddress(inode.sb)) return undefined;
  if (!isKernelAddress(inode.dentry)) return { text: '' };
  const struct = kernel.struct(DentryLink);
  const dentry = inode.dentry - BigInt(struct.offset('alias') ?? 0);
  return struct.at(dentry).inode === object ? { text: '', dentry } : { text: '' };
}

/** A file system's own inode: recognised by the struct inode in it. */
function inodeWrappers(
  of: readonly (readonly [structure: string, module: string | undefined, member: string])[],
): readonly ObjectKind[] {
  return of.map(([structure, module, member]) => ({
    structure,
    ...(module === undefined ? {} : { module }),
    follows(kernel, object) {
      const inode = placeOf(kernel, object, structure, module, member);
      return inode === undefined ? [] : followInode(kernel, inode);
    },
    check(kernel, object) {
      const inode = placeOf(kernel, object, structure, module, member);
      return inode === undefined ? undefined : checkInode(kernel, inode);
    },
  }));
}

/** Where a member of a structure that may be a module's is. */
function placeOf(
  kernel: Kernel,
  object: bigint,
  structure: string,
  module: string | undefined,
  member: string,
): bigint | undefined {
  const type = structureOf(kernel, structure, module);
  const location = type && findMember(type, member);
  return location && object + BigInt(location.offset);
}

/** A pointer that is such a member. Throws FaultError. */
export function readMember(
  kernel: Kernel,
  object: bigint,
  structure: string,
  module: string,
  member: string,
): bigint | undefined {
  const at = placeOf(kernel, object, structure, module, member);
  return at === undefined ? undefined : kernel.memory.u64(at, `${structure}.${member}`);
}

function ofTask(entry: TaskEntry | undefined): KnownObject | undefined {
  return entry && { text: `of ${entry.pid} (${entry.comm})` };
}

/** Of the tasks that share something the one with the lowest PID: the process's leader, as a rule. */
function firstTask(tasks: TaskTable, is: (entry: TaskEntry) => boolean): TaskEntry | undefined {
  let first: TaskEntry | undefined;
  for (const entry of tasks.all) if (is(entry) && (first === undefined || entry.pid < first.pid)) first = entry;
  return first;
}
