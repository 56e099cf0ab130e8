/**
 * The names of one BTF blob, vmlinux's or a module's own: which record a struct tag, a typedef, a function or an
 * enumeration constant is.
 */
import type { Btf } from '../formats/btf.ts';
import { BTF_KIND } from '../formats/btf-kind.ts';
import { BtfNames } from '../formats/btf-names.ts';
import { type BtfTypes, intBits } from './btf-type.ts';
import type { CType, EnumType, FunctionType, TypeNamespace } from './type.ts';

export interface NamedType {
  readonly namespace: TypeNamespace;
  readonly name: string;
  readonly module: string | undefined;
  readonly type: CType;
}

export class BtfLayer {
  readonly types: BtfTypes;
  #constants: Constants | undefined;

  constructor(types: BtfTypes) {
    this.types = types;
  }

  get btf(): Btf {
    return this.types.btf;
  }

  /** The types with this tag or name, definitions before mere declarations. */
  all(namespace: TypeNamespace, name: string): CType[] {
    const ids = this.btf.named(name).filter((id) => this.#namespace(id) === namespace);
    const isForward = (id: number) => this.btf.kind(id) === BTF_KIND.forward;
    return [...ids.filter((id) => !isForward(id)), ...ids.filter(isForward)].map((id) => this.types.type(id));
  }

  /** The prototype of a function. */
  function(name: string): FunctionType | undefined {
    const id = this.btf.named(name).find((candidate) => this.btf.kind(candidate) === BTF_KIND.func);
    const type = id === undefined ? undefined : this.types.type(this.btf.record(id).target);
    return type?.kind === 'function' ? type : undefined;
  }

  /** The type of a global variable. */
  variable(name: string): CType | undefined {
    const id = this.btf.named(name).find((candidate) => this.btf.kind(candidate) === BTF_KIND.variable);
    return id === undefined ? undefined : this.types.type(this.btf.record(id).target);
  }

  /** An enumeration constant. Every enum of the blob is indexed on the first call: 15 ms for vmlinux. */
  enumerator(name: string): { readonly value: bigint; readonly type: EnumType } | undefined {
    this.#constants ??= indexConstants(this.btf);
    const { names, enums, positions } = this.#constants;
    for (const entry of names.find(name)) {
      const type = this.types.type(enums[entry] as number);
      const constant = type.kind === 'enum' ? type.enumerators[positions[entry] as number] : undefined;
      if (type.kind === 'enum' && constant !== undefined) return { value: constant.value, type };
    }
    return undefined;
  }

  /** Every named type that is defined here; of one name and namespace only the first. */
  *named(): Generator<NamedType> {
    const seen = new Set<string>();
    for (let id = this.btf.firstId; id < this.btf.endId; id++) {
      const namespace = this.btf.kind(id) === BTF_KIND.forward ? undefined : this.#namespace(id);
      if (namespace === undefined) continue;
      const name = this.btf.record(id).name;
      const key = `${namespace} ${name}`;
      if (name === '' || seen.has(key)) continue;
      seen.add(key);
      const types = this.types;
      yield {
        namespace,
        name,
        module: types.module,
        get type() {
          return types.type(id);
        },
      };
    }
  }

  /** Undefined for a record that no type name names. */
  #namespace(id: number): TypeNamespace | undefined {
    switch (this.btf.kind(id)) {
      case BTF_KIND.struct:
        return 'struct';
      case BTF_KIND.union:
        return 'union';
      case BTF_KIND.forward:
        return this.btf.record(id).flag ? 'union' : 'struct';
      case BTF_KIND.enum:
      case BTF_KIND.enum64:
        return 'enum';
      case BTF_KIND.typedef:
        return 'typedef';
      case BTF_KIND.float:
        return 'base';
      case BTF_KIND.int: {
        // Old bitfields have narrower integers that share the name of the full one.
        const record = this.btf.record(id);
        return intBits(record).bits === record.size * 8 ? 'base' : undefined;
      }
      default:
        return undefined;
    }
  }
}

interface Constants {
  readonly names: BtfNames;
  /** The enum's id, and the constant's place in it, of each entry. */
  readonly enums: Uint32Array;
  readonly positions: Uint32Array;
}

function indexConstants(btf: Btf): Constants {
  const enums: number[] = [];
  const positions: number[] = [];
  const nameOffsets: number[] = [];
  for (let id = btf.firstId; id < btf.endId; id++) {
    const kind = btf.kind(id);
    if (kind !== BTF_KIND.enum && kind !== BTF_KIND.enum64) continue;
    const record = btf.record(id);
    const words = kind === BTF_KIND.enum64 ? 3 : 2;
    for (let i = 0; i < record.vlen; i++) {
      enums.push(id);
      positions.push(i);
      nameOffsets.push(record.word(i * words));
    }
  }
  return {
    names: new BtfNames(nameOffsets.length, (entry) => nameOffsets[entry] as number, btf.strings),
    enums: Uint32Array.from(enums),
    positions: Uint32Array.from(positions),
  };
}
