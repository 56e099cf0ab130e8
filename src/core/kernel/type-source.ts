/**
 * Where the target's types come from, best source first: /sys/kernel/btf of a live kernel or of a recording, else the
 * BTF section in kernel memory (`__start_BTF`..`__stop_BTF`).
 */
import { UnsupportedError } from '../errors.ts';
import type { CType, TypeTable } from '../types/type.ts';
import type { Kernel } from './kernel.ts';

/** The type table, and the types of globals that BTF leaves untyped. */
export interface KernelTypes {
  readonly table: TypeTable;
  /** The C type of a global variable, from BTF or from the table of declarations; undefined when unknown. */
  typeOfGlobal(name: string): CType | undefined;
  /** Adds a C declaration: `struct list_head my_list;`. Throws UsageError when it does not parse. */
  declare(text: string): void;
}

/** Throws UnsupportedError when the kernel has no BTF that this target can give. */
export function loadTypes(_kernel: Kernel): KernelTypes {
  throw new UnsupportedError('this target has no type information');
}
