/**
 * A small synthetic kernel: memory made of what a test places in it, types made by hand, symbols from a map.
 *
 *     const fake = new FakeKernel();
 *     const head = fake.place(LIST_HEAD, { next: a, prev: b });
 *     const kernel = fake.kernel();
 *
 * Addresses that nothing was placed at are faults, as in a real kernel. `fault()` makes one page unreadable again, and
 * `memory.reads` says what was asked for.
 */

import { NotFoundError, UsageError } from '../../src/core/errors.ts';
import { Kernel } from '../../src/core/kernel/kernel.ts';
import type { KernelTypes } from '../../src/core/kernel/type-source.ts';
import type {
  Backend,
  FileSource,
  FollowRequest,
  FollowResult,
  MemorySource,
  ReadRequest,
} from '../../src/core/memory/backend.ts';
import { Fault } from '../../src/core/memory/fault.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import {
  isTextType,
  type KernelSymbol,
  type NameColumns,
  type SymbolTable,
} from '../../src/core/symbols/symbol-table.ts';
import { BtfTable } from '../../src/core/types/btf-table.ts';
import { createGlobals } from '../../src/core/types/globals.ts';
import { findMember, getMember } from '../../src/core/types/member-path.ts';
import {
  type ArrayType,
  type CompoundType,
  type CType,
  type EnumType,
  type IntType,
  type Member,
  type PointerType,
  resolve,
  sizeOf,
  type TypeTable,
  VOID,
} from '../../src/core/types/type.ts';

import { btf } from './btf-builder.ts';

const PAGE = 4096;

export const CHAR: IntType = { kind: 'int', name: 'char', size: 1, signed: true, bool: false };
export const U8: IntType = { kind: 'int', name: 'unsigned char', size: 1, signed: false, bool: false };
export const U16: IntType = { kind: 'int', name: 'short unsigned int', size: 2, signed: false, bool: false };
export const INT: IntType = { kind: 'int', name: 'int', size: 4, signed: true, bool: false };
export const U32: IntType = { kind: 'int', name: 'unsigned int', size: 4, signed: false, bool: false };
export const LONG: IntType = { kind: 'int', name: 'long int', size: 8, signed: true, bool: false };
export const U64: IntType = { kind: 'int', name: 'long unsigned int', size: 8, signed: false, bool: false };

export function pointerTo(target: CType): PointerType {
  return { kind: 'pointer', size: 8, target };
}

export const POINTER = pointerTo(VOID);

export function arrayOf(element: CType, count: number): ArrayType {
  return { kind: 'array', element, count, size: sizeOf(element) * count };
}

/** Members in C order, laid out as gcc does on x86-64; `name` '' is an anonymous member, `at` forces an offset. */
export function struct(
  name: string | undefined,
  members: Readonly<Record<string, CType | { readonly type: CType; readonly at: number }>>,
  options: { readonly size?: number; readonly union?: boolean } = {},
): CompoundType {
  let end = 0;
  let widest = 1;
  const laid: Member[] = [];
  for (const [key, value] of Object.entries(members)) {
    const placed = 'at' in value ? value : { type: value, at: undefined };
    const align = alignOf(placed.type);
    widest = Math.max(widest, align);
    const offset = placed.at ?? (options.union === true ? 0 : Math.ceil(end / align) * align);
    laid.push({
      name: key.startsWith('_anonymous') ? undefined : key,
      type: placed.type,
      bitOffset: offset * 8,
      bitSize: undefined,
    });
    end = Math.max(end, offset + sizeOf(placed.type));
  }
  return {
    kind: options.union === true ? 'union' : 'struct',
    name,
    size: options.size ?? Math.ceil(end / widest) * widest,
    members: laid,
    module: undefined,
  };
}

export function union(
  name: string | undefined,
  members: Parameters<typeof struct>[1],
  options: { readonly size?: number } = {},
): CompoundType {
  return struct(name, members, { ...options, union: true });
}

export function enumeration(name: string | undefined, values: Readonly<Record<string, number>>): EnumType {
  return {
    kind: 'enum',
    name,
    size: 4,
    signed: false,
    enumerators: Object.entries(values).map(([key, value]) => ({ name: key, value: BigInt(value) })),
  };
}

function alignOf(type: CType): number {
  const resolved = resolve(type);
  if (resolved.kind === 'array') return alignOf(resolved.element);
  if (resolved.kind === 'struct' || resolved.kind === 'union') {
    return Math.max(1, ...resolved.members.map((member) => alignOf(member.type)));
  }
  return Math.max(1, Math.min(sizeOf(resolved), 8));
}

export const LIST_HEAD = struct('list_head', { next: POINTER, prev: POINTER });
export const HLIST_HEAD = struct('hlist_head', { first: POINTER });
export const HLIST_NODE = struct('hlist_node', { next: POINTER, pprev: POINTER });
export const RB_NODE = struct('rb_node', { __rb_parent_color: U64, rb_right: POINTER, rb_left: POINTER });
export const RB_ROOT = struct('rb_root', { rb_node: POINTER });

/** Sparse memory in pages; only what was written exists. */
export class FakeMemory implements MemorySource {
  readonly pages = new Map<bigint, Uint8Array>();
  readonly faults = new Map<bigint, Fault['reason']>();
  readonly reads: ReadRequest[][] = [];
  /** Called before each batch: a live kernel changes here. */
  beforeRead: ((requests: readonly ReadRequest[]) => void) | undefined;
  follow?: (walk: FollowRequest) => FollowResult;

  write(address: bigint, bytes: Uint8Array): void {
    for (let done = 0; done < bytes.length; ) {
      const at = address + BigInt(done);
      const offset = Number(at & 0xfffn);
      const length = Math.min(PAGE - offset, bytes.length - done);
      this.#page(at).set(bytes.subarray(done, done + length), offset);
      done += length;
    }
  }

  writeInteger(address: bigint, size: number, value: bigint): void {
    const bytes = new Uint8Array(size);
    let rest = BigInt.asUintN(64, value);
    for (let i = 0; i < size && i < 8; i++) {
      bytes[i] = Number(rest & 0xffn);
      rest >>= 8n;
    }
    this.write(address, bytes);
  }

  u64(address: bigint, value: bigint): void {
    this.writeInteger(address, 8, value);
  }

  /** Makes the page of an address unreadable. */
  fault(address: bigint, reason: Fault['reason'] = 'unmapped'): void {
    this.faults.set(address & ~0xfffn, reason);
  }

  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[] {
    this.beforeRead?.(requests);
    this.reads.push([...requests]);
    return requests.map((request) => this.#answer(request));
  }

  #answer(request: ReadRequest): Uint8Array | Fault {
    const bytes = new Uint8Array(request.length);
    for (let done = 0; done < request.length; ) {
      const at = request.address + BigInt(done);
      const page = at & ~0xfffn;
      const offset = Number(at & 0xfffn);
      const length = Math.min(PAGE - offset, request.length - done);
      const reason = this.faults.get(page);
      if (reason !== undefined) return new Fault(request, reason);
      const stored = this.pages.get(page);
      if (stored === undefined) return new Fault(request, 'unmapped');
      bytes.set(stored.subarray(offset, offset + length), done);
      done += length;
    }
    return bytes;
  }

  #page(address: bigint): Uint8Array {
    const number = address & ~0xfffn;
    const page = this.pages.get(number) ?? new Uint8Array(PAGE);
    this.pages.set(number, page);
    return page;
  }
}

/** A list walk as a remote source does it, over the fake memory. */
export function followOver(memory: FakeMemory): (walk: FollowRequest) => FollowResult {
  return (walk) => {
    const nodes: { address: bigint; bytes: (Uint8Array | Fault)[] }[] = [];
    const seen = new Set<bigint>();
    let node = walk.start;
    const one = (address: bigint, length: number) =>
      memory.read([{ space: 'virtual', address, length, what: walk.what }])[0] as Uint8Array | Fault;
    for (;;) {
      if (node === 0n) return { nodes, stopped: 'null' };
      if (node === walk.end) return { nodes, stopped: 'end' };
      if (seen.has(node)) return { nodes, stopped: 'loop' };
      if (nodes.length === walk.limit) return { nodes, stopped: 'limit' };
      seen.add(node);
      const next = one(node + BigInt(walk.nextOffset), 8);
      if (next instanceof Fault) return { nodes, stopped: 'fault', fault: next };
      const at = node;
      nodes.push({ address: at, bytes: walk.ranges.map((range) => one(at + BigInt(range.offset), range.length)) });
      node = new DataView(next.buffer).getBigUint64(0, true);
    }
  };
}

/** Files from a record of paths to texts. */
export function fakeFiles(files: Readonly<Record<string, string | Uint8Array>>): FileSource {
  const read: FileSource['read'] = (path, limit = Number.POSITIVE_INFINITY) => {
    const content = files[path];
    if (content === undefined) {
      return { ok: false, failure: { path, reason: 'absent', detail: 'no such file' } };
    }
    const bytes = typeof content === 'string' ? encodeText(content) : content;
    return { ok: true, bytes: bytes.subarray(0, limit), truncated: bytes.length > limit };
  };
  return {
    read,
    readMany: (paths, limit) => paths.map((path) => read(path, limit)),
    list(path) {
      const prefix = path.endsWith('/') ? path : `${path}/`;
      const names = new Set<string>();
      for (const file of Object.keys(files)) {
        if (file.startsWith(prefix)) names.add(file.slice(prefix.length).split('/')[0] as string);
      }
      if (names.size === 0) return { ok: false, failure: { path, reason: 'absent', detail: 'no such directory' } };
      return { ok: true, names: [...names] };
    },
  };
}

/** Types by hand; add what the test needs. */
export class FakeTypes implements TypeTable {
  readonly source = 'a test';
  readonly types: CType[] = [LIST_HEAD, HLIST_HEAD, HLIST_NODE, RB_NODE, RB_ROOT];
  /** What C was compiled to: constants of enums without a name are looked for there. */
  readonly compiled: TypeTable[] = [];
  readonly variables = new Map<string, CType>();
  /** Types of globals, as the table of declarations gives them. */
  readonly globals = new Map<string, CType>();

  add<T extends CType>(type: T): T {
    this.types.unshift(type);
    return type;
  }

  /** What a user's C declaration adds. */
  declare(_namespace: string, _name: string, type: CType): void {
    this.add(type);
  }

  find(namespace: string, name: string): CType | undefined {
    return this.types.find((type) => type.kind === namespace && 'name' in type && type.name === name);
  }

  all(namespace: string, name: string): readonly { readonly type: CType; readonly module: undefined }[] {
    const type = this.find(namespace, name);
    return type === undefined ? [] : [{ type, module: undefined }];
  }

  enumerator(name: string): { readonly value: bigint; readonly type: EnumType } | undefined {
    for (const type of this.types) {
      if (type.kind !== 'enum') continue;
      const found = type.enumerators.find((enumerator) => enumerator.name === name);
      if (found !== undefined) return { value: found.value, type };
    }
    for (const table of this.compiled) {
      const found = table.enumerator(name);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  function(): undefined {
    return undefined;
  }

  strings(): readonly string[] {
    return [];
  }

  variable(name: string): CType | undefined {
    return this.variables.get(name);
  }

  names(): Iterable<never> {
    return [];
  }

  kernelTypes(): KernelTypes {
    return {
      table: this,
      globals: createGlobals(this),
      typeOfGlobal: (name) => this.globals.get(name) ?? this.variables.get(name),
      declare: (text) => {
        throw new UsageError(`not in a test: ${text}`);
      },
    };
  }
}

/** Symbols from name to address; vmlinux only unless a module is given. */
export class FakeSymbols implements SymbolTable {
  readonly source = 'a test';
  readonly addressesHidden = false;
  readonly list: KernelSymbol[] = [];

  add(name: string, address: bigint, type = 'D', module?: string, size?: number): void {
    this.list.push({ name, address, type, module, size });
    this.list.sort((a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0));
  }

  get count(): number {
    return this.list.length;
  }

  get modules(): readonly string[] {
    return [...new Set(this.list.flatMap((symbol) => (symbol.module === undefined ? [] : [symbol.module])))];
  }

  find(name: string, module?: string): KernelSymbol | undefined {
    return this.list.find((symbol) => symbol.name === name && (module === undefined || symbol.module === module));
  }

  all(name: string): readonly KernelSymbol[] {
    return this.list.filter((symbol) => symbol.name === name);
  }

  get(name: string): KernelSymbol {
    const symbol = this.find(name);
    if (symbol === undefined) throw new NotFoundError('symbol', name);
    return symbol;
  }

  nearest(address: bigint): { readonly symbol: KernelSymbol; readonly offset: number } | undefined {
    const below = this.list.filter((symbol) => symbol.address <= address).at(-1);
    return below === undefined ? undefined : { symbol: below, offset: Number(address - below.address) };
  }

  at(address: bigint): readonly KernelSymbol[] {
    return this.list.filter((symbol) => symbol.address === address);
  }

  next(symbol: KernelSymbol): KernelSymbol | undefined {
    return this.list[this.list.indexOf(symbol) + 1];
  }

  previous(symbol: KernelSymbol): KernelSymbol | undefined {
    return this.list[this.list.indexOf(symbol) - 1];
  }

  near(): readonly string[] {
    return [];
  }

  symbols(module?: string): Iterable<KernelSymbol> {
    return this.list.filter((symbol) => module === undefined || symbol.module === module);
  }

  isText(address: bigint): boolean {
    return isTextType(this.nearest(address)?.symbol.type ?? '');
  }

  names(): readonly string[] {
    return this.list.map((symbol) => symbol.name);
  }

  nameColumns(): NameColumns {
    return {
      types: Uint8Array.from(this.list, (symbol) => symbol.type.charCodeAt(0)),
      addresses: BigUint64Array.from(this.list.map((symbol) => symbol.address)),
      modules: Uint16Array.from(this.list, (symbol) => this.modules.indexOf(symbol.module ?? '') + 1),
    };
  }
}

/** Values of members by path: integers and addresses, text for a char array, bytes as they are. */
export type MemberValues = Readonly<Record<string, bigint | number | string | Uint8Array>>;

export interface FakeKernelOptions {
  readonly liveness?: 'live' | 'frozen';
  readonly files?: FileSource;
  readonly memory?: false;
  readonly cancelled?: () => boolean;
  readonly notice?: (text: string) => void;
  /** The text that the source carries as VMCOREINFO. */
  readonly vmcoreinfo?: string;
  /** A source over this kernel in the place of its own: one behind a link. */
  readonly backend?: Backend;
}

export class FakeKernel {
  readonly memory = new FakeMemory();
  readonly types = new FakeTypes();
  readonly symbols = new FakeSymbols();
  /** Where the next object goes: in the direct map. */
  #next = 0xffff_8880_0100_0000n;

  /** Adds types from C: `fake.c('struct item { int id; struct list_head link; };')`. */
  c(source: string): void {
    const table = new BtfTable(btf(source).bytes);
    for (const { namespace, name } of table.names()) {
      const type = table.find(namespace, name);
      if (type !== undefined) this.types.add(type);
    }
    this.types.compiled.push(table);
  }

  /** The structure or union of this name; the test's own mistake when there is none. */
  type(name: string): CType {
    const type = this.types.find('struct', name) ?? this.types.find('union', name);
    if (type === undefined) throw new Error(`the test has no struct ${name}`);
    return type;
  }

  /** Room for an object, zeroed and readable; `page` puts it on pages of its own, so that it can fault alone. */
  allocate(size: number, options: { readonly page?: boolean; readonly align?: number } = {}): bigint {
    const align = BigInt(options.page === true ? PAGE : (options.align ?? 16));
    const address = ((this.#next + align - 1n) / align) * align;
    const end = address + BigInt(Math.max(size, 1));
    this.#next = options.page === true ? ((end + 4095n) / 4096n) * 4096n : end;
    this.memory.write(address, new Uint8Array(Math.max(size, 1)));
    return address;
  }

  /** A structure with these members, the rest zero; at a given address or wherever there is room. */
  place(type: CType, values: MemberValues = {}, address = this.allocate(sizeOf(type))): bigint {
    if (!this.memory.pages.has(address & ~0xfffn)) this.memory.write(address, new Uint8Array(sizeOf(type)));
    for (const [path, value] of Object.entries(values)) this.set(type, address, path, value);
    return address;
  }

  /** Writes one member. */
  set(type: CType, address: bigint, path: string, value: bigint | number | string | Uint8Array): void {
    const member = getMember(type, path);
    const at = address + BigInt(member.offset);
    if (value instanceof Uint8Array) this.memory.write(at, value);
    else if (typeof value === 'string')
      this.memory.write(at, encodeText(`${value}\0`).subarray(0, sizeOf(member.type)));
    else this.memory.writeInteger(at, Math.min(sizeOf(member.type), 8), BigInt(value));
  }

  /** A NUL-terminated string. */
  string(text: string): bigint {
    const bytes = encodeText(`${text}\0`);
    const address = this.allocate(bytes.length);
    this.memory.write(address, bytes);
    return address;
  }

  /** A global variable: placed, named and typed. */
  global(name: string, type: CType, values: MemberValues = {}): bigint {
    const address = this.place(type, values);
    this.symbols.add(name, address);
    this.types.globals.set(name, type);
    return address;
  }

  /** A global of a plain integer type. */
  globalInteger(name: string, type: IntType | PointerType, value: bigint | number): bigint {
    const address = this.allocate(sizeOf(type));
    this.memory.writeInteger(address, sizeOf(type), BigInt(value));
    this.symbols.add(name, address);
    this.types.globals.set(name, type);
    return address;
  }

  /** A circular list through `path` of each object; the head is a list_head of its own. */
  linkList(head: bigint, objects: readonly bigint[], type: CType, path: string): void {
    const offset = BigInt(findMember(type, path)?.offset ?? 0);
    const nodes = [head, ...objects.map((object) => object + offset)];
    for (const [i, node] of nodes.entries()) {
      this.memory.u64(node, nodes[(i + 1) % nodes.length] as bigint);
      this.memory.u64(node + 8n, nodes[(i + nodes.length - 1) % nodes.length] as bigint);
    }
  }

  backend(options: FakeKernelOptions = {}): Backend {
    return {
      name: 'fake',
      liveness: options.liveness ?? 'frozen',
      ...(options.memory === false ? {} : { memory: this.memory }),
      ...(options.files === undefined ? {} : { files: options.files }),
      counters: { roundTrips: 0, bytes: 0 },
      vmcoreinfo: () => options.vmcoreinfo,
      capabilities: () => [],
      close: () => undefined,
    };
  }

  /** The kernel over what was placed so far. Types and symbols are put in place of the target's own. */
  kernel(options: FakeKernelOptions = {}): Kernel {
    const kernel = new Kernel(options.backend ?? this.backend(options), {
      ...(options.cancelled === undefined ? {} : { cancelled: options.cancelled }),
      ...(options.notice === undefined ? {} : { notice: options.notice }),
    });
    kernel.memo('symbols', 'session', () => this.symbols);
    kernel.memo('types', 'session', () => this.types.kernelTypes());
    return kernel;
  }
}
