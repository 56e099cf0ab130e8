/**
 * C paths compiled to the kernel's probe language: `file->f_path.dentry->d_name.name` at the entry of vfs_read becomes
 * `+40(+80($arg1))`, by this kernel's types. Names are the function's parameters, `ret` what it returns, then global
 * variables. Every error points at its place in the path.
 */
import { type Expression, expressionError, type ParsedExpression } from '../types/expression.ts';
import { getMember, memberNames } from '../types/member-path.ts';
import { nearNames } from '../types/near-names.ts';
import { type CType, resolve, type TypeTable } from '../types/type.ts';
import { parseTypeName, typeName } from '../types/type-name.ts';
import { elementOf, loadedText, memberOf, type ProbeOperand, pointedAt } from './probe-operand.ts';
import { isAggregate, type ProbeParameter } from './probe-parameters.ts';

/** What the names of a path mean. */
export interface ProbeNames {
  /** What is probed, in messages: "vfs_read". */
  readonly what: string;
  /** Undefined where they are not known. */
  readonly parameters: readonly ProbeParameter[] | undefined;
  /** What it returns; undefined where that is not known. */
  readonly returns: CType | undefined;
  readonly types: TypeTable;
  /** The type of a global variable that can be read by its symbol; undefined for another name. */
  global(name: string): CType | undefined;
}

/** Names beside those of parameters: what the function returns, and the name of the task that is there. */
export const RETURNED = 'ret';
export const TASK_NAME = 'comm';
const WITHOUT_TYPE = 'without a cast nothing is known of what it points at: ((struct page *)$arg1)->flags';

/** Throws UsageError with the column of what is wrong, NotFoundError for a type. */
export function probeOperand(parsed: ParsedExpression, names: ProbeNames): ProbeOperand {
  return new Path(parsed.source, names).operand(parsed.root);
}

class Path {
  readonly #source: string;
  readonly #names: ProbeNames;

  constructor(source: string, names: ProbeNames) {
    this.#source = source;
    this.#names = names;
  }

  operand(node: Expression): ProbeOperand {
    switch (node.kind) {
      case 'name':
        return this.#name(node.name, node.at);
      case 'variable':
        return this.#variable(node.name, node.at);
      case 'member':
        return this.#member(this.operand(node.object), node.name, node.at);
      case 'index':
        return this.#element(node.object, node.index);
      case 'unary':
        if (node.operator === '*') return this.#pointedAt(this.operand(node.operand), node.at);
        if (node.operator === '&') return this.#addressOf(this.operand(node.operand), node.at);
        break;
      case 'cast':
        return this.#cast(node.operand, this.#type(node.type.text), node.at);
      case 'container-of': {
        const type = this.#type(node.type.text);
        const { offset, base, space } = this.#pointedAt(this.operand(node.pointer), node.at);
        const inside = getMember(type, node.path.text).offset;
        return { kind: 'address', base, offset: offset - inside, space, target: type };
      }
    }
    throw this.#error(node.at, "the kernel's probes cannot compute this", 'they follow members, pointers and indices');
  }

  #name(name: string, at: number): ProbeOperand {
    const { parameters, what } = this.#names;
    const parameter = parameters?.find((each) => each.name === name);
    if (parameter !== undefined) return parameterOperand(parameter);
    if (name === RETURNED) return this.#returned(at);
    if (name === TASK_NAME) return { kind: 'value', text: '$comm', type: undefined };
    const type = this.#names.global(name);
    if (type !== undefined) return { kind: 'place', base: name, offset: 0, space: 'symbol', type, bits: undefined };
    if (parameters === undefined) {
      throw this.#error(
        at,
        `the parameters of ${what} are not known`,
        'type information has no function of this name; $arg1 to $arg6 are what it is called with',
      );
    }
    const all = parameters.map((each) => each.name);
    const near = nearNames(name, all)[0];
    const hint = all.length === 0 ? `${what} has no parameters` : `${what} has ${all.join(', ')}`;
    const meant = near === undefined ? '' : `; did you mean ${near}?`;
    throw this.#error(at, `no parameter or global "${name}"${meant}`, hint);
  }

  #returned(at: number): ProbeOperand {
    const { returns, what } = this.#names;
    if (returns !== undefined && resolve(returns).kind === 'void') {
      throw this.#error(at, `${what} returns nothing`, 'without "ret" its calls are probed');
    }
    return { kind: 'value', text: '$retval', type: returns };
  }

  /** The language's own names: `$arg1`, `$retval`, `$stack3`, `$comm`. */
  #variable(name: string, at: number): ProbeOperand {
    if (name === 'retval') return this.#returned(at);
    const number = Number(/^arg([1-9]\d?)$/.exec(name)?.[1] ?? 0);
    if (number === 0 && !/^(?:stack\d{0,3}|comm)$/.test(name)) {
      throw this.#error(at, `the kernel's probes have no $${name}`, 'they have $argN, $retval, $stackN and $comm');
    }
    const known = this.#names.parameters?.find((each) => each.number === number);
    const type = known === undefined || isAggregate(known.type) ? undefined : known.type;
    return { kind: 'value', text: `$${name}`, type };
  }

  #member(object: ProbeOperand, name: string, at: number): ProbeOperand {
    const owner = pointedAt(object) ?? object;
    const found = memberOf(owner, name);
    if (found !== undefined) return found;
    const type = typeOf(owner);
    if (type === undefined) throw this.#error(at, `the type of what has "${name}" is not known`, WITHOUT_TYPE);
    const members = memberNames(type);
    if (members.length === 0) {
      throw this.#error(at, `${typeName(type)} has no members`, 'a cast says what it is: ((struct page *)x)->flags');
    }
    const near = nearNames(name, members);
    const hint = near.length > 0 ? `did you mean ${near.join(', ')}?` : `"struct ${typeName(type)}" lists them`;
    throw this.#error(at, `${typeName(type)} has no member "${name}"`, hint.replace('struct struct', 'struct'));
  }

  #element(object: Expression, index: Expression): ProbeOperand {
    if (index.kind !== 'number' || index.value > 0xff_ffffn) {
      throw this.#error(index.at, 'the index must be a number', "the kernel's probes cannot compute another");
    }
    return elementOf(this.#pointedAt(this.operand(object), object.at), Number(index.value));
  }

  #pointedAt(pointer: ProbeOperand, at: number): ProbeOperand & { readonly kind: 'place' } {
    const place = pointedAt(pointer);
    if (place !== undefined) return place;
    const type = typeOf(pointer);
    if (type === undefined) throw this.#error(at, 'the type of this is not known', WITHOUT_TYPE);
    throw this.#error(at, `${typeName(type)} is no pointer`);
  }

  #addressOf(operand: ProbeOperand, at: number): ProbeOperand {
    if (operand.kind !== 'place' || operand.bits !== undefined) throw this.#error(at, 'this has no address in memory');
    const { base, offset, space, type } = operand;
    return { kind: 'address', base, offset, space, target: type };
  }

  #cast(node: Expression, type: CType, at: number): ProbeOperand {
    const operand = this.operand(node);
    const target = resolve(type);
    if (target.kind === 'struct' || target.kind === 'union' || target.kind === 'array') {
      throw this.#error(at, `nothing can be cast to ${typeName(type)}`, 'to a pointer to it, perhaps');
    }
    const place = operand.kind === 'place' && resolve(operand.type).kind === 'array' ? operand : undefined;
    const address = place === undefined ? operand : this.#addressOf(place, at);
    if (address.kind === 'address' && target.kind === 'pointer') return { ...address, target: target.target };
    const text = loadedText(operand);
    if (text === undefined) throw this.#error(at, "the kernel's probes cannot compute this");
    return { kind: 'value', text, type };
  }

  #type(text: string): CType {
    return parseTypeName(text, this.#names.types);
  }

  #error(at: number, message: string, hint?: string): Error {
    return expressionError(this.#source, at, message, hint);
  }
}

function parameterOperand({ number, stackWord, type }: ProbeParameter): ProbeOperand {
  if (number !== undefined) {
    if (isAggregate(type)) return { kind: 'registers', register: number, offset: 0, type, bits: undefined };
    return { kind: 'value', text: `$arg${number}`, type };
  }
  return { kind: 'place', base: '%sp', offset: (stackWord ?? 0) * 8, space: 'kernel', type, bits: undefined };
}

function typeOf(operand: ProbeOperand): CType | undefined {
  return operand.kind === 'address' ? operand.target : operand.type;
}
