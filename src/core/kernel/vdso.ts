/**
 * The vDSO: a shared object of the kernel's that every process has mapped, so that clock_gettime() and its like need no
 * system call. Its image lies in the kernel (struct vdso_image; patched at boot for this CPU), mm->context says which
 * image a process has and where. Beside it are the pages of data that it reads, [vvar]: the mappings are named by their
 * vm_special_mapping, the pages by the members sym_..._page of the image (offsets from it) until they became an enum of
 * the generic vDSO in dafde29605eb "x86/vdso: Switch to generic storage implementation" (v6.15).
 */
import { DataError, UnsupportedError } from '../errors.ts';
import { type DynamicImage, parseDynamicImage } from '../formats/elf-dynamic.ts';
import { formatAddress, isKernelAddress, PAGE_SIZE } from '../memory/address.ts';
import { VMLINUX } from '../types/btf-table.ts';
import type { Kernel } from './kernel.ts';
import { attempt } from './locks/lock-reading.ts';
import { findStructMember } from './member.ts';
import { defineStruct, long, pointer } from './struct.ts';
import type { Task } from './task-struct.ts';
import { vmas } from './vma.ts';

const Mm = defineStruct('mm_struct', { start: pointer('context.vdso'), image: pointer('context.vdso_image') });
const VdsoImage = defineStruct('vdso_image', { data: pointer('data'), size: long('size') });
const VmaMapping = defineStruct('vm_area_struct', { private: pointer('vm_private_data') });
const SpecialMapping = defineStruct('vm_special_mapping', { name: pointer('name') });

/** The largest image has three pages. */
const SIZE_MAX = 1 << 20;
const NAME_MAX = 32;
/** The pages of data lie right before the image. */
const NEAR = 64n * BigInt(PAGE_SIZE);

export interface VdsoPage {
  readonly name: string;
  readonly address: bigint;
}

export interface VdsoMapping {
  /** `[vdso]`, `[vvar]`, `[vvar_vclock]`. */
  readonly name: string;
  readonly start: bigint;
  readonly end: bigint;
  /** Pages of data by name; none of the image. */
  readonly pages: readonly VdsoPage[];
}

export interface Vdso extends DynamicImage {
  /** The struct vdso_image, and its bytes in kernel memory. */
  readonly image: bigint;
  readonly data: bigint;
  readonly bytes: Uint8Array;
  /** Where the process has it. */
  readonly start: bigint;
  /** By address. */
  readonly mappings: readonly VdsoMapping[];
}

/** The vDSO of a process. Throws UnsupportedError for a task without one, NotFoundError, FaultError, DataError. */
export function vdsoOf(kernel: Kernel, task: Task): Vdso {
  const who = `task ${task.pid} (${task.comm})`;
  if (task.mm === 0n) {
    throw new UnsupportedError(`${who} has no vDSO: it is a kernel thread or has ended`, 'give the PID of a process');
  }
  const { start, image } = kernel.struct(Mm).at(task.mm);
  if (start === 0n || image === 0n) throw new UnsupportedError(`${who} has no vDSO: it was started without one`);
  if (!isKernelAddress(image)) throw new DataError(`the vdso_image of ${who} is at ${formatAddress(image)}`);
  const { data, size } = kernel.struct(VdsoImage).at(image);
  if (size <= 0n || size > SIZE_MAX) throw new DataError(`vdso_image.size at ${formatAddress(image)} is ${size}`);
  const bytes = kernel.memory.read(data, Number(size), 'vdso_image.data');
  return {
    ...parseDynamicImage(bytes),
    image,
    data,
    bytes,
    start,
    mappings: mappingsOf(kernel, task.mm, start, image),
  };
}

function mappingsOf(kernel: Kernel, mm: bigint, start: bigint, image: bigint): readonly VdsoMapping[] {
  const near = vmas(kernel, mm).filter((vma) => vma.end > start - NEAR && vma.start < start + NEAR);
  const ofVma = kernel.struct(VmaMapping);
  const named = kernel.struct(SpecialMapping);
  const pages = [...pagesOfImage(kernel, start, image)];
  return near.flatMap((vma): readonly VdsoMapping[] => {
    const name = attempt(() => {
      const mapping = ofVma.at(vma.address).private;
      return isKernelAddress(mapping) ? kernel.memory.cString(named.at(mapping).name, NAME_MAX, 'mapping') : '';
    });
    // What else uses vm_private_data has no such name there.
    if (name === undefined || !/^\[v(?:dso|var\w*)\]$/.test(name)) return [];
    const within = pages.filter(({ address }) => address >= vma.start && address < vma.end);
    const known = within.length > 0 || name !== '[vvar]' ? within : pagesOfEnum(kernel, vma.start);
    return [{ name, start: vma.start, end: vma.end, pages: known }];
  });
}

/** The members `long sym_vvar_page` and so on, in the order of the pages. */
function pagesOfImage(kernel: Kernel, start: bigint, image: bigint): readonly VdsoPage[] {
  const type = kernel.types.find('struct', 'vdso_image', VMLINUX);
  if (type?.kind !== 'struct') return [];
  const found = type.members.flatMap(({ name = '' }): readonly VdsoPage[] => {
    const page = /^sym_(\w+)_page$/.exec(name)?.[1];
    const offset = findStructMember(kernel, 'vdso_image', name)?.offset;
    if (page === undefined || offset === undefined) return [];
    const place = attempt(() => kernel.memory.s64(image + BigInt(offset), `vdso_image.${name}`));
    return place === undefined || place === 0n ? [] : [{ name: page, address: start + place }];
  });
  return found.sort((a, b) => Number(a.address - b.address));
}

/** enum vdso_pages: VDSO_TIME_PAGE_OFFSET is a page's number. */
function pagesOfEnum(kernel: Kernel, start: bigint): readonly VdsoPage[] {
  const type = kernel.types.find('enum', 'vdso_pages', VMLINUX);
  if (type?.kind !== 'enum') return [];
  return type.enumerators.flatMap(({ name, value }): readonly VdsoPage[] => {
    const page = /^VDSO_(\w+)_PAGE_OFFSET$/.exec(name)?.[1];
    return page === undefined ? [] : [{ name: page.toLowerCase(), address: start + BigInt(value) * BigInt(PAGE_SIZE) }];
  });
}
