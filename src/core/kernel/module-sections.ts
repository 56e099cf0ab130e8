/**
 * Where the ELF sections of a module were put: struct module_sect_attrs, which also serves
 * /sys/module/NAME/sections. Kept for debuggers: the kernel itself has no use for it.
 */
import { DataError } from '../errors.ts';
import { parseHex } from '../memory/address.ts';
import { decodeAscii } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';
import type { Module } from './module.ts';
import { defineStruct, embedded, int, long, optional, pointer } from './struct.ts';

const ModuleSections = defineStruct('module', { attributes: optional(pointer('sect_attrs')) });
const SectionAttributes = defineStruct('module_sect_attrs', {
  // Gone with d8959b947a8d "module: sysfs: Drop member 'module_sect_attrs::nsections'" (v6.14).
  count: optional(int('nsections')),
  list: embedded('attrs'),
  pointers: optional(pointer('grp.bin_attrs', 'grp.bin_attrs_new')),
});
const SectionAttribute = defineStruct('module_sect_attr', {
  // A module_attribute with a name beside it before ed66f991bb19 "module: Refactor section attr into bin attribute" (v5.8).
  name: pointer('battr.attr.name', 'name'),
  start: long('address'),
});
// Since 4b2c11e4aaf7 "module: sysfs: Drop member 'module_sect_attr::address'" (v6.14) the address is the private pointer.
const BinAttribute = defineStruct('bin_attribute', { name: pointer('attr.name'), start: pointer('private') });

/** An ELF file may have 65,279 sections. */
const SECTIONS_MAX = 65_536;
const NAME_MAX = 256;

export interface ModuleSection {
  /** `.text`, `.data..once`. */
  readonly name: string;
  readonly start: bigint;
}

/** By address; empty where the target does not tell. Throws FaultError, DataError. */
export function moduleSections(kernel: Kernel, module: Module): readonly ModuleSection[] {
  const found = module.address === undefined ? fromFiles(kernel, module.name) : fromMemory(kernel, module.address);
  return [...found].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

function fromMemory(kernel: Kernel, address: bigint): readonly ModuleSection[] {
  const at = kernel.struct(ModuleSections).at(address).attributes;
  if (at === undefined || at === 0n) return [];
  const { count, list, pointers } = kernel.struct(SectionAttributes).at(at);
  if (count === undefined) return fromPointers(kernel, pointers ?? 0n);
  if (count < 0 || count > SECTIONS_MAX) throw new DataError(`module_sect_attrs.nsections is ${count}: impossible`);
  const struct = kernel.struct(SectionAttribute);
  return describe(
    kernel,
    Array.from({ length: count }, (_, i) => struct.at(list + BigInt(i * struct.size))),
  );
}

/** The attributes as their group lists them, up to a NULL. */
function fromPointers(kernel: Kernel, list: bigint): readonly ModuleSection[] {
  const struct = kernel.struct(BinAttribute);
  const addresses: bigint[] = [];
  for (let i = 0; list !== 0n && i < SECTIONS_MAX; i++) {
    const address = kernel.memory.u64(list + BigInt(8 * i), 'attribute_group.bin_attrs');
    if (address === 0n) break;
    addresses.push(address);
  }
  struct.prefetch(addresses);
  return describe(
    kernel,
    addresses.map((address) => struct.at(address)),
  );
}

function describe(
  kernel: Kernel,
  attributes: readonly { readonly name: bigint; readonly start: bigint }[],
): readonly ModuleSection[] {
  kernel.memory.prefetch(
    attributes.map(({ name }) => ({ space: 'virtual', address: name, length: 1, what: 'section name' })),
  );
  return attributes.map(({ name, start }) => ({ name: kernel.memory.cString(name, NAME_MAX, 'section name'), start }));
}

function fromFiles(kernel: Kernel, name: string): readonly ModuleSection[] {
  if (!kernel.hasFiles || !/^\w+$/.test(name)) return [];
  const directory = `/sys/module/${name}/sections`;
  const listing = kernel.files.list(directory);
  if (!listing.ok) return [];
  const names = listing.names.slice(0, SECTIONS_MAX).filter((each) => /^[\w.$-]+$/.test(each));
  const files = kernel.files.readMany(
    names.map((each) => `${directory}/${each}`),
    64,
  );
  return names.flatMap((each, i) => {
    const file = files[i];
    const start = file?.ok === true ? parseHex(decodeAscii(file.bytes).trim()) : undefined;
    return start === undefined ? [] : [{ name: each, start }];
  });
}
