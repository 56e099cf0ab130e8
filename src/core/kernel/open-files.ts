/**
 * The files that processes have open: task_struct.files -> files_struct.fdt -> fdtable.fd[], an array of struct file
 * pointers by file descriptor. Threads share one files_struct, and processes may (CLONE_FILES): each is read once.
 */
import { FaultError } from '../errors.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { ReadRequest } from '../memory/backend.ts';
import type { Kernel } from './kernel.ts';
import { defineStruct, int, pointer } from './struct.ts';
import { tasks } from './task.ts';
import type { Task } from './task-struct.ts';

const TaskFiles = defineStruct('task_struct', { files: pointer('files') });
const FilesStruct = defineStruct('files_struct', { table: pointer('fdt') });
const FdTable = defineStruct('fdtable', { size: int('max_fds'), files: pointer('fd') });

/** fs.nr_open allows 2^20 by default, and may be raised. */
const DESCRIPTORS_MAX = 1 << 20;
/** Of all processes together: places for files, and files. */
const ALL_DESCRIPTORS_MAX = 1 << 24;
const FILES_MAX = 1 << 20;
/** Of arrays read with one request. */
const BATCH_BYTES = 8 * 1024 * 1024;

export interface OpenFile {
  /** Who has it: of those that share the descriptors, the one that comes first by PID. */
  readonly task: Task;
  readonly descriptor: number;
  /** The struct file. */
  readonly file: bigint;
}

/**
 * The open files of all processes, by PID and descriptor. What cannot be read is left out, and told in a notice. A
 * handful of requests for all. Throws FaultError when tasks cannot be listed.
 */
export function* openFiles(kernel: Kernel): Iterable<OpenFile> {
  let left = ALL_DESCRIPTORS_MAX;
  let files = 0;
  let unread = 0;
  for (const batch of batchesOf(descriptorTables(kernel, () => unread++))) {
    const arrays = kernel.memory.readMany(
      batch.map(({ files, size }): ReadRequest => {
        return { space: 'virtual', address: files, length: size * 8, what: 'fdtable.fd' };
      }),
    );
    for (const [i, { task, size }] of batch.entries()) {
      const bytes = arrays[i];
      if (!(bytes instanceof Uint8Array)) {
        unread++;
        continue;
      }
      left -= size;
      if (left < 0) return kernel.notice(`more than ${ALL_DESCRIPTORS_MAX} file descriptors: the rest is left out`);
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let descriptor = 0; descriptor < size; descriptor++) {
        const file = view.getBigUint64(descriptor * 8, true);
        if (!isKernelAddress(file)) continue;
        if (++files > FILES_MAX) return kernel.notice(`more than ${FILES_MAX} open files: the rest is left out`);
        yield { task, descriptor, file };
      }
    }
  }
  const whose = unread === 1 ? '1 process' : `${unread} processes`;
  if (unread > 0) kernel.notice(`the open files of ${whose} cannot be read, and are left out`);
}

interface DescriptorTable {
  readonly task: Task;
  readonly files: bigint;
  readonly size: number;
}

/** Level by level, all processes together. */
function descriptorTables(kernel: Kernel, unread: () => void): readonly DescriptorTable[] {
  const all = tasks(kernel);
  const ofTask = kernel.struct(TaskFiles);
  const ofFiles = kernel.struct(FilesStruct);
  const ofTable = kernel.struct(FdTable);
  ofTask.prefetch(all.map(({ address }) => address));
  // An ended task has none; several tasks have the same.
  const owners = new Map<bigint, Task>();
  for (const task of all) {
    const files = tried(() => ofTask.at(task.address).files);
    if (files === undefined) unread();
    else if (isKernelAddress(files) && !owners.has(files)) owners.set(files, task);
  }
  ofFiles.prefetch([...owners.keys()]);
  const tables = [...owners].flatMap(([files, task]) => {
    const table = tried(() => ofFiles.at(files).table);
    if (table === undefined || !isKernelAddress(table)) unread();
    return table === undefined || !isKernelAddress(table) ? [] : [{ task, table }];
  });
  ofTable.prefetch(tables.map(({ table }) => table));
  return tables.flatMap(({ task, table }) => {
    const found = tried(() => ({ files: ofTable.at(table).files, size: ofTable.at(table).size }));
    const isSound = found !== undefined && isKernelAddress(found.files) && found.size >= 0;
    if (!isSound || found.size > DESCRIPTORS_MAX) {
      unread();
      return [];
    }
    return [{ task, ...found }];
  });
}

function* batchesOf(tables: readonly DescriptorTable[]): Iterable<readonly DescriptorTable[]> {
  let batch: DescriptorTable[] = [];
  let bytes = 0;
  for (const table of tables) {
    batch.push(table);
    bytes += table.size * 8;
    if (bytes < BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Undefined for what cannot be read. */
function tried<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof FaultError)) throw error;
    return undefined;
  }
}
