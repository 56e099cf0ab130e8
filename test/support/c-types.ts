/**
 * More C types by hand than fake-kernel.ts has, and the environment of expressions over a fake kernel.
 */
import { Memory } from '../../src/core/memory/memory.ts';
import type { ExpressionEnvironment } from '../../src/core/types/expression-environment.ts';
import {
  type CompoundType,
  type CType,
  type EnumType,
  type FloatType,
  type FunctionType,
  type IntType,
  type TypedefType,
  VOID,
} from '../../src/core/types/type.ts';
import { Value } from '../../src/core/types/value.ts';
import { arrayOf, CHAR, FakeKernel, FakeTypes, INT, LONG, pointerTo, struct, U32, U64, union } from './fake-kernel.ts';

export const SCHAR: IntType = { kind: 'int', name: 'signed char', size: 1, signed: true, bool: false };
export const SHORT: IntType = { kind: 'int', name: 'short int', size: 2, signed: true, bool: false };
export const BOOL: IntType = { kind: 'int', name: '_Bool', size: 1, signed: false, bool: true };
export const INT128: IntType = { kind: 'int', name: '__int128', size: 16, signed: true, bool: false };
export const FLOAT: FloatType = { kind: 'float', name: 'float', size: 4 };
export const DOUBLE: FloatType = { kind: 'float', name: 'double', size: 8 };

export function typedef(name: string, target: CType): TypedefType {
  return { kind: 'typedef', name, target };
}

export function constant(target: CType): CType {
  return { kind: 'qualified', qualifier: 'const', target };
}

export function functionType(returns: CType, ...parameters: readonly CType[]): FunctionType {
  return {
    kind: 'function',
    returns,
    parameters: parameters.map((type) => ({ name: undefined, type })),
    variadic: false,
  };
}

export function signedEnum(name: string, values: Readonly<Record<string, number>>): EnumType {
  const enumerators = Object.entries(values).map(([key, value]) => ({ name: key, value: BigInt(value) }));
  return { kind: 'enum', name, size: 4, signed: true, enumerators };
}

/** The structure with bitfields added: [type, bits from its start, width]. */
export function withBits(
  compound: CompoundType,
  fields: Readonly<Record<string, readonly [CType, number, number]>>,
): CompoundType {
  const added = Object.entries(fields).map(([name, [type, bitOffset, bitSize]]) => ({
    name,
    type,
    bitOffset,
    bitSize,
  }));
  return { ...compound, members: [...compound.members, ...added] };
}

export const SCHED_ENTITY = struct('sched_entity', { vruntime: U64, weight: LONG });
export const FLAGS: EnumType = {
  kind: 'enum',
  name: 'rq_flags',
  size: 4,
  signed: false,
  enumerators: [
    { name: 'RQ_ONLINE', value: 1n },
    { name: 'RQ_IDLE', value: 2n },
    { name: 'RQ_SKIP', value: 8n },
  ],
};

const LIST: CompoundType = {
  kind: 'struct',
  name: 'list_head',
  size: 16,
  module: undefined,
  get members() {
    return [
      { name: 'next', type: pointerTo(LIST), bitOffset: 0, bitSize: undefined },
      { name: 'prev', type: pointerTo(LIST), bitOffset: 64, bitSize: undefined },
    ];
  },
};
export const LIST_OF_TASKS = LIST;

/** A task as small as the tests of expressions need; `parent` points back to the type itself. */
export const TASK: CompoundType = withBits(
  struct('task_struct', {
    state: U32,
    pid: INT,
    comm: arrayOf(CHAR, 16),
    tasks: LIST,
    parent: {
      type: {
        kind: 'pointer',
        size: 8,
        get target(): CType {
          return TASK;
        },
      },
      at: 40,
    },
    se: SCHED_ENTITY,
    counts: arrayOf(INT, 4),
    _anonymous1: union(undefined, { rcu: U64, mm: pointerTo(VOID) }),
    name: pointerTo(constant(CHAR)),
  }),
  { in_iowait: [U32, 768, 1], mode: [INT, 769, 3], wide: [U64, 772, 40] },
);
export const RQ = struct('rq', { nr_running: U32, flags: FLAGS, curr: pointerTo(TASK) });

export const CPUS = [0, 1, 2, 3];
const PER_CPU_BASE = 0xffff_8881_0000_0000n;
export const RUNQUEUES_OFFSET = 0x32c80n;

/** A kernel with a few typed and untyped globals, per-CPU runqueues, and what it prints. */
export class ExpressionKernel {
  readonly fake = new FakeKernel();
  readonly memory = new Memory(this.fake.memory, { liveness: 'frozen' });
  readonly notices: string[] = [];
  readonly variables = new Map<string, Value>();
  readonly initTask: bigint;
  readonly second: bigint;

  constructor() {
    const { fake } = this;
    for (const type of [
      TASK,
      LIST,
      RQ,
      SCHED_ENTITY,
      FLAGS,
      typedef('u32', U32),
      typedef('u64', U64),
      typedef('pid_t', INT),
    ]) {
      fake.types.add(type);
    }
    fake.types.add(struct('page', { flags: U64, count: INT }));
    this.initTask = 0xffff_ffff_8300_0000n;
    this.second = 0xffff_8880_0200_0000n;
    fake.place(TASK, { pid: 0, comm: 'swapper/0', state: 2, 'se.weight': -5 }, this.initTask);
    fake.place(TASK, { pid: 4711, comm: 'bash', parent: this.initTask }, this.second);
    fake.set(TASK, this.initTask, 'parent', this.initTask);
    fake.set(TASK, this.initTask, 'tasks.next', this.second + 24n);
    fake.set(TASK, this.initTask, 'name', fake.string('a name'));
    for (let i = 0; i < 4; i++) fake.set(TASK, this.second, `counts[${i}]`, (i + 1) * 10);
    fake.memory.write(this.second + 96n, Uint8Array.of(0b1111_1011, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0));
    fake.types.globals.set('init_task', TASK);
    fake.symbols.add('init_task', this.initTask);
    fake.symbols.add('untyped', this.second, 'd');
    fake.symbols.add('schedule', 0xffff_ffff_8100_1000n, 'T');
    fake.symbols.add('schedule.cold', 0xffff_ffff_8100_9000n, 't');
    fake.symbols.add('runqueues', RUNQUEUES_OFFSET, 'A');
    fake.types.globals.set('runqueues', RQ);
    fake.globalInteger('jiffies', U64, 4_294_900_000n);
    fake.globalInteger('minus', INT, -2);
    fake.globalInteger('task_pointer', pointerTo(TASK), this.second);
    fake.symbols.add('twice', 0xffff_ffff_8200_0000n, 'd');
    fake.symbols.add('twice', 0xffff_ffff_c000_0000n, 'd', 'ext4');
    fake.symbols.add('fade', 0xffff_ffff_8200_0100n, 'd');
    for (const cpu of CPUS) {
      const address = RUNQUEUES_OFFSET + this.perCpuOffset(cpu);
      fake.memory.write(address, new Uint8Array(RQ.size));
      fake.place(RQ, { nr_running: cpu + 1, flags: cpu, curr: this.second }, address);
    }
  }

  perCpuOffset(cpu: number): bigint {
    return PER_CPU_BASE + BigInt(cpu) * 0x10_0000n;
  }

  get environment(): ExpressionEnvironment {
    return {
      memory: this.memory,
      types: this.fake.types,
      symbols: this.fake.symbols,
      typeOfGlobal: (name) => this.fake.types.globals.get(name),
      variable: (name) => this.variables.get(name),
      variableNames: () => this.variables.keys(),
      cpus: CPUS,
      cpu: 1,
      isPerCpu: (symbol) => symbol.name === 'runqueues',
      perCpuOffset: (cpu) => this.perCpuOffset(cpu),
      notice: (text) => this.notices.push(text),
    };
  }
}

/** An environment with nothing in it, for numbers. */
export function emptyEnvironment(): ExpressionEnvironment {
  const memory = new Memory(new FakeKernel().memory, { liveness: 'frozen' });
  return {
    memory,
    types: new FakeTypes(),
    typeOfGlobal: () => undefined,
    variable: () => undefined,
    cpus: [],
    cpu: 0,
    isPerCpu: () => false,
    perCpuOffset: () => 0n,
  };
}

/** A value whose bytes are given and which has no address. */
export function bytesValue(type: CType, bytes: Uint8Array): Value {
  return new Value(emptyEnvironment().memory, type, { kind: 'bytes', bytes, address: undefined });
}
