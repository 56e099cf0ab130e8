/**
 * Where the members of the printk ring buffer are: from BTF, else from the OFFSET and SIZE lines that VMCOREINFO has of
 * it (since 896fbe20b4e2 "printk: use the lockless ringbuffer", v5.10), so that the log of a kernel without BTF, or of
 * one whose symbols cannot be read, is there all the same.
 */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { Vmcoreinfo } from '../formats/vmcoreinfo.ts';
import { findMember } from '../types/member-path.ts';
import { type CType, sizeOf } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { vmcoreinfo } from './vmcoreinfo.ts';

/** Offsets in bytes; `optional` members that this kernel lacks are undefined. */
export interface PrintkLayout {
  readonly ringSize: number;
  readonly countBits: number;
  readonly descs: number;
  readonly infos: number;
  readonly headId: number;
  readonly tailId: number;
  readonly dataSizeBits: number;
  readonly data: number;
  readonly descSize: number;
  readonly state: number;
  readonly begin: number;
  readonly next: number;
  readonly infoSize: number;
  readonly sequence: number;
  readonly time: number;
  readonly textLength: number;
  readonly caller: number | undefined;
  readonly comm: number | undefined;
  readonly subsystem: number | undefined;
  readonly subsystemLength: number;
  readonly device: number | undefined;
  readonly deviceLength: number;
}

/** Undefined for a kernel without the ring: before 5.10, or one that tells nothing of it. */
export function printkLayout(kernel: Kernel): PrintkLayout | undefined {
  return kernel.memo('printk layout', 'session', () => fromTypes(kernel) ?? fromVmcoreinfo(vmcoreinfo(kernel)));
}

function fromTypes(kernel: Kernel): PrintkLayout | undefined {
  const ring = structure(kernel, 'printk_ringbuffer');
  const desc = structure(kernel, 'prb_desc');
  const info = structure(kernel, 'printk_info');
  if (ring === undefined || desc === undefined || info === undefined) return undefined;
  const required = (type: CType, path: string) => {
    const member = findMember(type, path);
    if (member === undefined) throw new NotFoundError('member', path, [], 'of the printk ring buffer');
    return member.offset;
  };
  const subsystem = findMember(info, 'dev_info.subsystem');
  const device = findMember(info, 'dev_info.device');
  return {
    ringSize: sizeOf(ring),
    countBits: required(ring, 'desc_ring.count_bits'),
    descs: required(ring, 'desc_ring.descs'),
    infos: required(ring, 'desc_ring.infos'),
    headId: required(ring, 'desc_ring.head_id'),
    tailId: required(ring, 'desc_ring.tail_id'),
    dataSizeBits: required(ring, 'text_data_ring.size_bits'),
    data: required(ring, 'text_data_ring.data'),
    descSize: sizeOf(desc),
    state: required(desc, 'state_var'),
    begin: required(desc, 'text_blk_lpos.begin'),
    next: required(desc, 'text_blk_lpos.next'),
    infoSize: sizeOf(info),
    sequence: required(info, 'seq'),
    time: required(info, 'ts_nsec'),
    textLength: required(info, 'text_len'),
    caller: findMember(info, 'caller_id')?.offset,
    comm: findMember(info, 'comm')?.offset,
    subsystem: subsystem?.offset,
    subsystemLength: subsystem === undefined ? 0 : sizeOf(subsystem.type),
    device: device?.offset,
    deviceLength: device === undefined ? 0 : sizeOf(device.type),
  };
}

function structure(kernel: Kernel, name: string): CType | undefined {
  try {
    return kernel.types.find('struct', name, 'vmlinux');
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function fromVmcoreinfo(info: Vmcoreinfo | undefined): PrintkLayout | undefined {
  if (info === undefined) return undefined;
  const sum = (...paths: readonly string[]): number | undefined =>
    paths.reduce<number | undefined>((total, path) => {
      const offset = info.offset(path);
      return total === undefined || offset === undefined ? undefined : total + offset;
    }, 0);
  const ring = 'printk_ringbuffer.desc_ring';
  const data = 'printk_ringbuffer.text_data_ring';
  const layout = {
    ringSize: info.size('printk_ringbuffer'),
    countBits: sum(ring, 'prb_desc_ring.count_bits'),
    descs: sum(ring, 'prb_desc_ring.descs'),
    infos: sum(ring, 'prb_desc_ring.infos'),
    headId: sum(ring, 'prb_desc_ring.head_id'),
    tailId: sum(ring, 'prb_desc_ring.tail_id'),
    dataSizeBits: sum(data, 'prb_data_ring.size_bits'),
    data: sum(data, 'prb_data_ring.data'),
    descSize: info.size('prb_desc'),
    state: sum('prb_desc.state_var'),
    begin: sum('prb_desc.text_blk_lpos', 'prb_data_blk_lpos.begin'),
    next: sum('prb_desc.text_blk_lpos', 'prb_data_blk_lpos.next'),
    infoSize: info.size('printk_info'),
    sequence: sum('printk_info.seq'),
    time: sum('printk_info.ts_nsec'),
    textLength: sum('printk_info.text_len'),
  };
  if (!isComplete(layout)) return undefined;
  return {
    ...layout,
    caller: info.offset('printk_info.caller_id'),
    comm: undefined,
    subsystem: sum('printk_info.dev_info', 'dev_printk_info.subsystem'),
    subsystemLength: info.length('printk_info_subsystem') ?? 0,
    device: sum('printk_info.dev_info', 'dev_printk_info.device'),
    deviceLength: info.length('printk_info_device') ?? 0,
  };
}

/** True when every value is there. */
function isComplete<T extends Readonly<Record<string, number | undefined>>>(
  values: T,
): values is T & Readonly<Record<keyof T, number>> {
  return Object.values(values).every((value) => value !== undefined);
}
