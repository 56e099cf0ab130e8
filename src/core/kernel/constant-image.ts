/** What is the same on every machine that runs this build: text and constants of the kernel and its modules. */
import { attempt } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { type Module, modules } from './module.ts';
import { defineStruct, int, optional } from './struct.ts';

/** Virtual addresses [start, end). */
export interface ConstantRange {
  readonly start: bigint;
  readonly end: bigint;
}

/** The sections by the symbols at their ends (include/asm-generic/vmlinux.lds.h). */
const SECTIONS: readonly (readonly [string, string])[] = [
  ['_text', '_etext'],
  ['_stext', '_etext'],
  ['__start_rodata', '__end_rodata'],
  ['__start___ex_table', '__stop___ex_table'],
  ['__start_orc_unwind_ip', '__stop_orc_unwind_ip'],
  ['__start_orc_unwind', '__stop_orc_unwind'],
  ['orc_lookup', 'orc_lookup_end'],
  ['__start_BTF', '__stop_BTF'],
  ['__start_notes', '__stop_notes'],
];
const CONSTANT_REGIONS: ReadonlySet<string> = new Set(['text', 'rodata']);
/** Before ac3b43283923 "module: replace module_layout with module_memory" (v6.4) one piece has all, what may be written last. */
const ModuleCore = defineStruct('module', { constant: optional(int('core_layout.ro_size')) });

/** As far as the target tells: what cannot be read of it is left out. */
export function constantRanges(kernel: Kernel): readonly ConstantRange[] {
  return [...sections(kernel), ...(attempt(() => modules(kernel)) ?? []).flatMap((module) => regions(kernel, module))];
}

function sections(kernel: Kernel): readonly ConstantRange[] {
  return SECTIONS.flatMap(([first, last]) => {
    const [start, end] = [attempt(() => kernel.addressOf(first)), attempt(() => kernel.addressOf(last))];
    return start === undefined || end === undefined || start >= end ? [] : [{ start, end }];
  });
}

function regions(kernel: Kernel, { address, regions: all }: Module): readonly ConstantRange[] {
  return all.flatMap(({ kind, base, size }) => {
    if (CONSTANT_REGIONS.has(kind)) return [{ start: base, end: base + BigInt(size) }];
    if (kind !== 'core' || address === undefined) return [];
    const constant = attempt(() => kernel.struct(ModuleCore).at(address).constant);
    return constant === undefined ? [] : [{ start: base, end: base + BigInt(Math.min(constant, size)) }];
  });
}
