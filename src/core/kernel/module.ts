/**
 * Loaded modules: the list `modules` of struct module, newest first, or /proc/modules where there is no memory.
 *
 * Where a module's memory is: since ac3b43283923 "module: replace module_layout with module_memory" (v6.4) in mem[], one
 * region for each kind of content; before, in core_layout and (while it is loading) init_layout.
 */
import { FaultError, type KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import { resolve } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { walkList } from './list.ts';
import { findStructMember } from './member.ts';
import { parseProcModules } from './module-procfs.ts';
import { chars, defineStruct, embedded, int, long, optional, pointer } from './struct.ts';
import { formatTaints } from './taint.ts';

export const ModuleStruct = defineStruct('module', {
  state: int('state'),
  name: chars('name'),
  list: embedded('list'),
  taints: long('taints'),
  coreBase: optional(pointer('core_layout.base')),
  coreSize: optional(int('core_layout.size')),
  initBase: optional(pointer('init_layout.base')),
  initSize: optional(int('init_layout.size')),
  memory: optional(embedded('mem')),
  // Only with CONFIG_MODULE_UNLOAD.
  refcnt: optional(int('refcnt')),
  sourceList: optional(embedded('source_list')),
  firstUse: optional(pointer('source_list.next')),
  init: pointer('init'),
  exit: optional(pointer('exit')),
  kallsyms: optional(pointer('kallsyms')),
  percpu: optional(pointer('percpu')),
  percpuSize: optional(int('percpu_size')),
});
const ModuleMemory = defineStruct('module_memory', { base: pointer('base'), size: int('size') });
const ModuleUse = defineStruct('module_use', {
  list: embedded('source_list'),
  next: pointer('source_list.next'),
  source: pointer('source'),
});

/** A module that is being put together: nothing else in it is valid (MODULE_STATE_UNFORMED). */
const UNFORMED = 3;
const STATES = ['live', 'loading', 'unloading'] as const;
/** What a module that nothing uses has in `refcnt` (MODULE_REF_BASE). */
const REFERENCE_BASE = 1;
const MODULES_MAX = 65_536;
const USERS_MAX = 4096;
/** A module that has more users is asked for the others by itself. */
const USERS_AHEAD = 64;
const REGIONS_MAX = 32;

export type ModuleState = (typeof STATES)[number];

/** One piece of a module's memory. */
export interface ModuleRegion {
  /** `text`, `data`, `rodata`, `ro_after_init`, `init_text`...; before 6.4 `core` and `init`. */
  readonly kind: string;
  readonly base: bigint;
  readonly size: number;
}

export interface Module {
  /** Address of the struct module; undefined when it is known from /proc/modules only. */
  readonly address: bigint | undefined;
  readonly name: string;
  readonly state: ModuleState;
  /** Where its text is; undefined where /proc/modules hides it. */
  readonly base: bigint | undefined;
  /** Bytes of all regions together, as lsmod shows them. */
  readonly size: number;
  readonly regions: readonly ModuleRegion[];
  /** References held by modules and others; undefined where modules cannot be unloaded. */
  readonly references: number | undefined;
  /** Names of the modules that use this one. */
  readonly usedBy: readonly string[];
  /** It has no exit function: it cannot be unloaded. */
  readonly permanent: boolean;
  /** Letters of its taint flags: `OE`. */
  readonly taints: string;
}

/** All modules, newest first. Throws UnsupportedError where this target tells of none. */
export function modules(kernel: Kernel): readonly Module[] {
  return kernel.memo('modules', 'command', () => {
    const found = fromMemory(kernel);
    if (found !== undefined) return found;
    const file = kernel.hasFiles ? kernel.files.read('/proc/modules', 4 * 1024 * 1024) : undefined;
    if (file?.ok === true) return parseProcModules(file.bytes);
    // `modules` itself is data, which kallsyms leaves out without CONFIG_KALLSYMS_ALL; a function it never does.
    if (isKnownAbsent(kernel, '__request_module')) return [];
    throw new UnsupportedError(`${kernel.backend.name} does not tell of modules`);
  });
}

/** True when the kernel's symbols are known and this is none of them: CONFIG_MODULES is off. */
function isKnownAbsent(kernel: Kernel, name: string): boolean {
  try {
    return kernel.symbols.count > 0 && kernel.symbols.all(name).length === 0;
  } catch (error) {
    if (error instanceof UnsupportedError) return false;
    throw error;
  }
}

/** The module of this name: `-` and `_` are one, as for modprobe. Throws NotFoundError. */
export function findModule(kernel: Kernel, name: string): Module {
  const key = name.replaceAll('-', '_');
  const all = modules(kernel);
  const found = all.find((module) => module.name.replaceAll('-', '_') === key);
  if (found !== undefined) return found;
  const near = all.filter((module) => module.name.includes(key) || key.includes(module.name));
  throw new NotFoundError(
    'module',
    name,
    near.map((module) => module.name),
  );
}

/** The module that an address lies in; undefined when it is in none. */
export function moduleAt(kernel: Kernel, address: bigint): Module | undefined {
  return modules(kernel).find((module) =>
    module.regions.some(({ base, size }) => address >= base && address < base + BigInt(size)),
  );
}

/** Addresses of all struct module on the list at `head`, those that are being put together left out. */
export function moduleAddresses(kernel: Kernel, head: bigint): readonly bigint[] {
  const struct = kernel.struct(ModuleStruct);
  const offset = BigInt(struct.offset('list') as number);
  const options = { limit: MODULES_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const addresses = [...walkList(kernel, head, options)].map((node) => node - offset);
  struct.prefetch(addresses);
  return addresses.filter((address) => struct.at(address).state !== UNFORMED);
}

/** Undefined where there is no memory, or nothing that tells how to read it. */
function fromMemory(kernel: Kernel): readonly Module[] | undefined {
  if (!kernel.hasMemory) return undefined;
  try {
    const head = kernel.addressOf('modules');
    return head === undefined ? undefined : describeAll(kernel, moduleAddresses(kernel, head));
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function describeAll(kernel: Kernel, addresses: readonly bigint[]): readonly Module[] {
  prefetchUsers(kernel, addresses);
  const found: Module[] = [];
  for (const address of addresses) {
    try {
      found.push(describe(kernel, address));
    } catch (error) {
      if (!(error instanceof FaultError)) throw error;
      kernel.notice(`a module is left out: ${error.message}`);
    }
  }
  return found;
}

function describe(kernel: Kernel, address: bigint): Module {
  const module = kernel.struct(ModuleStruct).at(address);
  const regions = moduleRegions(kernel, address);
  return {
    address,
    name: module.name,
    state: STATES[module.state] ?? 'live',
    base: regions[0]?.base,
    size: regions.reduce((sum, region) => sum + region.size, 0),
    regions,
    references: module.refcnt === undefined ? undefined : module.refcnt - REFERENCE_BASE,
    usedBy: module.sourceList === undefined ? [] : users(kernel, module.sourceList),
    permanent: module.init !== 0n && module.exit === 0n,
    taints: formatTaints(module.taints),
  };
}

/** The regions that are there, text first; init regions are gone once a module is loaded. */
export function moduleRegions(kernel: Kernel, address: bigint): readonly ModuleRegion[] {
  const module = kernel.struct(ModuleStruct).at(address);
  const { memory } = module;
  const regions: ModuleRegion[] =
    memory === undefined
      ? [
          { kind: 'core', base: module.coreBase ?? 0n, size: module.coreSize ?? 0 },
          { kind: 'init', base: module.initBase ?? 0n, size: module.initSize ?? 0 },
        ]
      : memoryKinds(kernel).map((kind, i) => {
          const struct = kernel.struct(ModuleMemory);
          const { base, size } = struct.at(memory + BigInt(i * struct.size));
          return { kind, base, size };
        });
  return regions.filter(({ base, size }) => base !== 0n && size > 0);
}

/** enum mod_mem_type without its prefix, in order. */
function memoryKinds(kernel: Kernel): readonly string[] {
  return kernel.memo('module memory kinds', 'session', () => {
    const member = findStructMember(kernel, 'module', 'mem');
    const array = member === undefined ? undefined : resolve(member.type);
    const count = array?.kind === 'array' ? Math.min(array.count, REGIONS_MAX) : 0;
    const type = kernel.types.find('enum', 'mod_mem_type', 'vmlinux');
    const names = new Map<bigint, string>();
    if (type?.kind === 'enum') {
      for (const { name, value } of type.enumerators) names.set(value, name.replace(/^MOD_/, '').toLowerCase());
    }
    return Array.from({ length: count }, (_, i) => names.get(BigInt(i)) ?? `region ${i}`);
  });
}

/** Fetches the users of all modules together: a request for the first of each, one for the second of each, and so on. */
function prefetchUsers(kernel: Kernel, addresses: readonly bigint[]): void {
  const module = kernel.struct(ModuleStruct);
  if (module.offset('sourceList') === undefined) return;
  const use = kernel.struct(ModuleUse);
  const offset = BigInt(use.offset('list') as number);
  let lists = addresses.flatMap((address) => {
    return nextUse(module.at(address).sourceList, () => module.at(address).firstUse);
  });
  for (let round = 0; round < USERS_AHEAD; round++) {
    lists = lists.filter(({ end, node }) => node !== end && node !== 0n);
    if (lists.length === 0) return;
    use.prefetch(lists.map(({ node }) => node - offset));
    lists = lists.flatMap(({ end, node }) => nextUse(end, () => use.at(node - offset).next));
  }
}

/** Nothing where it cannot be read: what is wrong with a list is told when it is walked. */
function nextUse(end: bigint | undefined, node: () => bigint | undefined): readonly Use[] {
  try {
    const next = node();
    return end === undefined || next === undefined ? [] : [{ end, node: next }];
  } catch (error) {
    if (error instanceof FaultError) return [];
    throw error;
  }
}

/** A list's head, and one of its nodes. */
interface Use {
  readonly end: bigint;
  readonly node: bigint;
}

/** Who uses a module: struct module_use hangs in its source_list and names the user. */
function users(kernel: Kernel, sourceList: bigint): readonly string[] {
  const use = kernel.struct(ModuleUse);
  const offset = BigInt(use.offset('list') as number);
  const options = { limit: USERS_MAX, damaged: (error: KdbgError) => kernel.notice(error.message) };
  const sources = [...walkList(kernel, sourceList, options)].map((node) => use.at(node - offset).source);
  return sources.map((source) => kernel.struct(ModuleStruct).at(source).name);
}
