/**
 * BTF for tests, from C:
 *
 *     const vmlinux = btf(`
 *       struct list_head { struct list_head *next, *prev; };
 *       typedef unsigned int u32;
 *       struct task_struct { u32 flags : 3; char comm[16]; struct list_head tasks; };
 *       enum pid_type { PIDTYPE_PID, PIDTYPE_TGID = 4 };
 *       int wake_up_process(struct task_struct *p);     // a function
 *       struct task_struct *current_task;               // a per-CPU variable
 *     `);
 *     const table = new BtfTable(vmlinux.bytes);
 *     const nfs = btf('struct nfs_inode { struct list_head open; };', { base: vmlinux });
 *
 * Members lie as on x86-64. A tag that is used and not defined becomes a forward declaration.
 */
import { BTF_KIND } from '../../src/core/formats/btf-kind.ts';
import { baseTypeOf } from '../../src/core/types/base-type.ts';
import { parseDeclarationSyntax } from '../../src/core/types/c-parser.ts';
import type {
  ConstantSyntax,
  Declaration,
  DeclaratorSyntax,
  Layer,
  SpecifierSyntax,
} from '../../src/core/types/c-syntax.ts';
import { type BtfBase, BtfWriter } from './btf-writer.ts';

/** A blob, and what a module's blob needs to know of it. */
export interface BtfBlob extends BtfBase {
  readonly bytes: Uint8Array;
  /** Ids by `struct list_head`, `typedef u32`, `base int`, `ptr 3`. */
  readonly ids: ReadonlyMap<string, number>;
  readonly layouts: ReadonlyMap<number, Layout>;
}

interface Layout {
  readonly size: number;
  readonly alignment: number;
}

export interface BtfBuilderOptions {
  /** vmlinux's blob, for a module's. */
  readonly base?: BtfBlob;
  /** Bitfields as narrow integers, and enums without their sign: BTF of before v5.0 and v6.0. */
  readonly old?: boolean;
}

/** Compiles C declarations to a BTF blob. */
export function btf(source: string, options: BtfBuilderOptions = {}): BtfBlob {
  const builder = new Builder(source, options);
  for (const declaration of parseDeclarationSyntax(source)) builder.declaration(declaration);
  return builder.finish();
}

const PER_CPU = '.data..percpu';
const MODIFIERS = { const: BTF_KIND.const, volatile: BTF_KIND.volatile, restrict: BTF_KIND.restrict };

class Builder {
  readonly #source: string;
  readonly #old: boolean;
  readonly #writer: BtfWriter;
  readonly #ids: Map<string, number>;
  readonly #layouts: Map<number, Layout>;
  readonly #constants = new Map<string, bigint>();
  readonly #variables: number[] = [];

  constructor(source: string, options: BtfBuilderOptions) {
    this.#source = source;
    this.#old = options.old === true;
    this.#writer = new BtfWriter(options.base);
    this.#ids = new Map(options.base?.ids);
    this.#layouts = new Map(options.base?.layouts);
    if (!this.#layouts.has(0)) this.#layouts.set(0, { size: 1, alignment: 1 });
  }

  declaration({ typedef, specifier, declarators }: Declaration): void {
    const base = this.#specifier(specifier);
    for (const declarator of declarators) {
      const { name } = declarator;
      if (name === undefined) continue;
      const type = this.#layered(base, declarator.layers);
      const isFunction = declarator.layers.at(-1)?.kind === 'function';
      if (typedef) this.#once(`typedef ${name}`, () => this.#same(type, BTF_KIND.typedef, name));
      else if (isFunction) this.#writer.add({ kind: BTF_KIND.func, name, size: type, vlen: 1 });
      else this.#variables.push(this.#writer.add({ kind: BTF_KIND.variable, name, size: type, words: [1] }));
    }
  }

  finish(): BtfBlob {
    for (const id of this.#writer.unfilled()) {
      const [key = ''] = [...this.#ids].find(([, own]) => own === id) ?? [];
      const [kind, name = ''] = key.split(' ');
      this.#writer.fill(id, { kind: BTF_KIND.forward, name, flag: kind === 'union' });
    }
    if (this.#variables.length > 0) {
      const words = this.#variables.flatMap((id, i) => [id, i * 64, 8]);
      this.#writer.add({
        kind: BTF_KIND.dataSection,
        name: PER_CPU,
        size: words.length,
        vlen: words.length / 3,
        words,
      });
    }
    const bytes = this.#writer.bytes();
    const { endId, stringsLength } = this.#writer;
    return { bytes, endId, stringsLength, ids: this.#ids, layouts: this.#layouts };
  }

  #specifier({ names, qualifiers }: SpecifierSyntax): number {
    let id: number;
    if (names.kind === 'base') id = this.#base(names.words);
    else if (names.kind === 'name') id = this.#known(`typedef ${names.name}`);
    else if (names.kind === 'enum') id = this.#enum(names.tag, names.constants);
    else id = this.#compound(names.kind, names.tag, names.members);
    for (const qualifier of qualifiers) {
      const inner = id;
      id = this.#once(`${qualifier} ${inner}`, () => this.#same(inner, MODIFIERS[qualifier]));
    }
    return id;
  }

  #base(words: readonly string[]): number {
    if (words.join(' ') === 'void') return 0;
    const base = baseTypeOf(words);
    if (base === undefined) throw new Error(`"${words.join(' ')}" is no type: ${this.#source}`);
    const { type } = base;
    return this.#once(`base ${type.name}`, () => {
      const id =
        type.kind === 'int'
          ? this.#writer.int(type.name, type.size, type)
          : this.#writer.add({ kind: BTF_KIND.float, name: type.name, size: type.size });
      this.#layouts.set(id, { size: type.size, alignment: type.size });
      return id;
    });
  }

  #enum(tag: string | undefined, constants: readonly ConstantSyntax[] | undefined): number {
    if (constants === undefined) return this.#known(`enum ${tag}`);
    let next = 0n;
    const values = constants.map(({ name, value }) => {
      const own = value ?? next;
      next = own + 1n;
      this.#constants.set(name, own);
      return { name, value: own };
    });
    const signed = values.some(({ value }) => value < 0n);
    const wide = values.some(
      ({ value }) => value > 0xffff_ffffn || value < -0x8000_0000n || (signed && value > 0x7fff_ffffn),
    );
    const low = (value: bigint) => Number(BigInt.asUintN(32, value));
    const id = this.#writer.add({
      kind: wide ? BTF_KIND.enum64 : BTF_KIND.enum,
      name: tag ?? '',
      size: wide ? 8 : 4,
      flag: signed && !this.#old,
      vlen: values.length,
      words: values.flatMap(({ name, value }) => (wide ? [name, low(value), low(value >> 32n)] : [name, low(value)])),
    });
    this.#layouts.set(id, { size: wide ? 8 : 4, alignment: wide ? 8 : 4 });
    if (tag !== undefined) this.#ids.set(`enum ${tag}`, id);
    return id;
  }

  #compound(kind: 'struct' | 'union', tag: string | undefined, body: readonly Declaration[] | undefined): number {
    const key = `${kind} ${tag}`;
    if (body === undefined) return this.#once(key, () => this.#writer.reserve());
    // A second definition, as in another file of a kernel or in a module, is a type of its own.
    const declared = tag === undefined ? undefined : this.#ids.get(key);
    const id = declared !== undefined && this.#writer.unfilled().includes(declared) ? declared : this.#writer.reserve();
    if (tag !== undefined) this.#ids.set(key, id);
    let bits = 0;
    let end = 0;
    let alignment = 1;
    const members: { name: string; type: number; bits: number; width: number | undefined }[] = [];
    for (const { specifier, declarators } of body) {
      const base = this.#specifier(specifier);
      const nameless: DeclaratorSyntax = { name: undefined, column: 0, layers: [] };
      for (const { name, layers, bitSize } of declarators.length > 0 ? declarators : [nameless]) {
        const type = this.#layered(base, layers);
        const own = this.#layout(type);
        if (kind === 'union') bits = 0;
        const unit = own.size * 8;
        if (bitSize === undefined) bits = up(bits, own.alignment * 8);
        else if (bitSize === 0 || Math.floor(bits / unit) !== Math.floor((bits + bitSize - 1) / unit))
          bits = up(bits, unit);
        if (bitSize === undefined || name !== undefined) {
          members.push({ name: name ?? '', type, bits, width: bitSize });
          alignment = Math.max(alignment, own.alignment);
        }
        bits += bitSize ?? unit;
        end = Math.max(end, bits);
      }
    }
    const size = up(Math.ceil(end / 8), alignment);
    this.#layouts.set(id, { size, alignment });
    const flag = !this.#old && members.some(({ width }) => width !== undefined);
    const words = members.flatMap((member) => this.#memberWords(member, flag));
    this.#writer.fill(id, { kind: BTF_KIND[kind], name: tag ?? '', size, flag, vlen: members.length, words });
    return id;
  }

  #memberWords(
    member: { name: string; type: number; bits: number; width: number | undefined },
    flag: boolean,
  ): readonly (number | string)[] {
    const { name, type, bits, width } = member;
    if (width === undefined || flag) return [name, type, bits + (width ?? 0) * 0x100_0000];
    const { size } = this.#layout(type);
    const narrow = this.#writer.int('unsigned int', size, { bits: width, shift: bits % (size * 8) });
    return [name, narrow, bits - (bits % (size * 8))];
  }

  #layered(base: number, layers: readonly Layer[]): number {
    return layers.reduce((target, layer) => this.#layer(target, layer), base);
  }

  #layer(target: number, layer: Layer): number {
    if (layer.kind === 'pointer') {
      const pointer = this.#once(`ptr ${target}`, () => this.#writer.pointer(target));
      this.#layouts.set(pointer, { size: 8, alignment: 8 });
      return layer.qualifiers.reduce(
        (id, qualifier) => this.#once(`${qualifier} ${id}`, () => this.#same(id, MODIFIERS[qualifier])),
        pointer,
      );
    }
    if (layer.kind === 'array') {
      const count = typeof layer.count === 'string' ? Number(this.#constants.get(layer.count)) : (layer.count ?? 0);
      const index = this.#base(['unsigned', 'long']);
      const id = this.#once(`array ${target} ${count}`, () => this.#writer.array(target, count, index));
      const { size, alignment } = this.#layout(target);
      this.#layouts.set(id, { size: size * count, alignment });
      return id;
    }
    const parameters = layer.parameters.map(
      ({ specifier, declarator }) =>
        [declarator.name ?? '', this.#layered(this.#specifier(specifier), declarator.layers)] as const,
    );
    const id = this.#writer.prototype(target, layer.variadic ? [...parameters, ['', 0]] : parameters);
    this.#layouts.set(id, { size: 1, alignment: 1 });
    return id;
  }

  /** A record that has the layout of the one that it refers to. */
  #same(target: number, kind: number, name = ''): number {
    const id = this.#writer.refer(kind, target, name);
    const layout = this.#layouts.get(target);
    if (layout !== undefined) this.#layouts.set(id, layout);
    return id;
  }

  #once(key: string, make: () => number): number {
    const id = this.#ids.get(key) ?? make();
    this.#ids.set(key, id);
    return id;
  }

  #known(key: string): number {
    const id = this.#ids.get(key);
    if (id === undefined) throw new Error(`no ${key} in ${this.#source}`);
    return id;
  }

  #layout(id: number): Layout {
    const layout = this.#layouts.get(id);
    if (layout === undefined) throw new Error(`type ${id} is used before it is defined: ${this.#source}`);
    return layout;
  }
}

function up(value: number, to: number): number {
  return Math.ceil(value / to) * to;
}
