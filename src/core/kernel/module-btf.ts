/**
 * BTF of modules in memory: struct btf_module {list, module, btf} on the list `btf_modules` (since 36e68442d1af "bpf:
 * Load and verify kernel module BTFs", v5.11), whose struct btf holds the bytes as /sys/kernel/btf/NAME gives them.
 *
 * This runs while the type table is being made, so the structures are bound to vmlinux's BTF by hand.
 */
import { FaultError, type KdbgError, NotFoundError } from '../errors.ts';
import { type BtfTable, VMLINUX } from '../types/btf-table.ts';
import type { Kernel } from './kernel.ts';
import { walkList } from './list.ts';
import {
  type BoundStruct,
  bindStruct,
  chars,
  defineStruct,
  embedded,
  type Fields,
  int,
  pointer,
  type StructDefinition,
} from './struct.ts';

const BtfModule = defineStruct('btf_module', { list: embedded('list'), btf: pointer('btf') });
const BtfStruct = defineStruct('btf', { data: pointer('data'), size: int('data_size'), name: chars('name') });

const MODULES_MAX = 65_536;
const BTF_LENGTH_MAX = 64 * 1024 * 1024;

/** Names the modules on the list at `head`; the bytes are read when a type is looked for in them. */
export function addModuleBtfs(kernel: Kernel, table: BtfTable, head: bigint): void {
  const module = bind(kernel, table, BtfModule);
  const btf = bind(kernel, table, BtfStruct);
  if (module === undefined || btf === undefined) return;
  const offset = BigInt(module.offset('list') as number);
  const options = { limit: MODULES_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const nodes = [...walkList(kernel, head, options)].map((node) => node - offset);
  module.prefetch(nodes);
  const places = nodes.map((node) => module.at(node).btf);
  btf.prefetch(places);
  const found = new Map<string, { readonly data: bigint; readonly size: number }>();
  for (const place of places) {
    try {
      const { name, data, size } = btf.at(place);
      if (size > 0 && size <= BTF_LENGTH_MAX) found.set(name, { data, size });
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      kernel.notice(`the types of a module are left out: ${error.message}`);
    }
  }
  table.addModules([...found.keys()], (names) =>
    names.map((name) => {
      const place = found.get(name);
      return place && kernel.memory.read(place.data, place.size, `BTF of module ${name}`);
    }),
  );
}

function bind<F extends Fields>(
  kernel: Kernel,
  table: BtfTable,
  definition: StructDefinition<F>,
): BoundStruct<F> | undefined {
  const type = table.find('struct', definition.name, VMLINUX);
  try {
    return type && bindStruct(definition, type, () => kernel.memory);
  } catch (error) {
    // A kernel without BTF of modules has struct btf and not its name.
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
