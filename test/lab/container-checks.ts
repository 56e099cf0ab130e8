/**
 * What the module planted, as command lines for kdbg and what each must answer: containers, per-CPU data, every type of C.
 * The truth is the module's own text; what a walk of the module cannot tell (a loop, a poison) is known from its source.
 */
import type { Answer } from './local-proc.ts';
import type { Truth } from './truth.ts';

/** One command line, and the part of its answer that is compared. */
export interface Check {
  readonly name: string;
  readonly command: string;
  readonly expected: unknown;
  actual(answer: Answer): unknown;
}

type Column =
  | 'address'
  | 'addresses'
  | 'cpu'
  | 'first'
  | 'id'
  | 'index'
  | 'kind'
  | 'label'
  | 'last'
  | 'length'
  | 'letter'
  | 'magic'
  | 'members'
  | 'module'
  | 'name'
  | 'number'
  | 'offset'
  | 'size'
  | 'text'
  | 'type'
  | 'value';
/** Fields of a record of the truth. */
type Fields = { readonly [name in Column]?: string };
/** A row of an answer, or a structure in it. */
type Row = { readonly [name in Column]?: unknown };

const hex = (address: string | undefined): string => `0x${BigInt(`0x${address}`).toString(16)}`;
const rows = (answer: Answer): readonly Row[] => answer.rows as readonly Row[];
const number = (value: unknown): string => `${BigInt(value as string | number)}`;

type Where = Readonly<Record<string, string>>;
const all = (truth: Truth, kind: string, where?: Where): readonly Fields[] => truth.all(kind, where);
const one = (truth: Truth, kind: string, where?: Where): Fields => truth.one(kind, where);

const members = 'lab_node.id,name,value';

/** A lab_node as the truth has it, and as a row shows it. */
const nodeOf = ({ address, id, name, value }: Fields): readonly unknown[] => [hex(address), Number(id), name, value];
const nodeIn = (row: Row): readonly unknown[] => [row.address, row.id, row.name, number(row.value)];

const nodes = (name: string, command: string, entries: readonly Fields[]): Check => ({
  name: `${name}: ${command.split(' ')[0]} ${entries.length} entries`,
  command: `${command} -s ${members}`,
  expected: entries.map(nodeOf),
  actual: (answer) => (answer.error === undefined ? rows(answer).map(nodeIn) : answer.error),
});

/** Entries of the list that can be read before the damage, and what the error says. */
const damaged = (name: string, command: string, entries: readonly Fields[], error: RegExp): Check => ({
  name: `${name}: entries, then an error`,
  command: `${command} -s ${members}`,
  expected: { entries: entries.map(nodeOf), says: true },
  actual: (answer) => ({ entries: rows(answer).map(nodeIn), says: error.test(answer.error ?? '') }),
});

const lists = (truth: Truth): readonly Check[] => {
  const at = (name: string): string => one(truth, 'container', { name }).address as string;
  const entries = (container: string): readonly Fields[] => all(truth, 'entry', { container });
  const plain = ['list', 'list_empty', 'list_long'].flatMap((name): readonly Check[] => [
    nodes(name, `list -H ${at(name)} -o lab_node.link`, entries(name)),
    nodes(`${name} backwards`, `list -r -H ${at(name)} -o lab_node.link`, entries(name).toReversed()),
    nodes(`${name} by its name`, `list -H lab_root.${name} -o lab_node.link`, entries(name)),
  ]);
  const inner = entries('list');
  const buckets = ['hlist', ...[0, 1, 2, 3].map((bucket) => `buckets[${bucket}]`)].map((name) =>
    nodes(name, `list -l lab_node.hash (lab_root.${name}.first)`, entries(name)),
  );
  const looped = entries('list_looped');
  const inLoop = looped[1]?.address as string;
  return [
    ...plain,
    ...buckets,
    nodes('list from an entry to another', `list lab_node.link -h ${inner[3]?.address} -e ${inner[7]?.address}`, [
      ...inner.slice(3, 7),
    ]),
    nodes('the list of an object', `list -h lab_root -O lab_root.list -o lab_node.link`, inner),
    nodes('llist', 'list -l lab_node.lockless (lab_root.llist.first)', entries('llist')),
    damaged('a looped list', `list -H ${at('list_looped')} -o lab_node.link`, looped, /loops at entry 4/),
    {
      name: 'a loop is described',
      command: `list -B -H ${at('list_looped')} -o lab_node.link`,
      expected: [4, true],
      actual: (answer) => [
        rows(answer).length,
        answer.notices.some((text) => text.startsWith('loop of 3 entries that begins at entry 1')),
      ],
    },
    {
      name: 'the poisoned list has the entries before the poison',
      command: `list -H ${at('list_poisoned')} -o lab_node.link -s lab_node.name`,
      expected: ['poison-0', 'poison-1', 'poison-2', true],
      actual: (answer) => [...rows(answer).map(({ name }) => name), /entry 3 .*LIST_POISON1/.test(answer.error ?? '')],
    },
    {
      name: 'the looped list goes on at its second entry',
      command: `p container_of(lab_root.list_looped.prev->next, struct lab_node, link)`,
      expected: hex(inLoop),
      actual: (answer) => rows(answer)[0]?.value,
    },
  ];
};

/** xa_multi's ranges by first index, which is all that the kernel's iterator tells. */
const RANGES = new Map([
  ['2', '2-2'],
  ['8', '8-15'],
  ['200', '512-1023'],
]);

const trees = (truth: Truth): readonly Check[] => {
  const at = (name: string): string => one(truth, 'container', { name }).address as string;
  const entries = (container: string): readonly Fields[] => all(truth, 'entry', { container });
  const rb = ['rbtree', 'rbtree_cached', 'rbtree_empty'].flatMap((name): readonly Check[] => [
    nodes(name, `tree -t rb -o lab_node.tree ${at(name)}`, entries(name)),
    nodes(`${name} of an object`, `tree -o lab_node.tree -r lab_root.${name} lab_root`, entries(name)),
  ]);
  const slots = truth
    .all('container')
    .filter(({ kind }) => ['xarray', 'radix', 'idr', 'maple'].includes(kind as string))
    .map((container) => slotsOf(truth, container));
  return [
    ...rb,
    ...slots,
    {
      name: 'ida',
      command: `tree -t ida ${at('ida')}`,
      expected: all(truth, 'id', { container: 'ida' }).map(({ number: id }) => id),
      actual: (answer) => rows(answer).map(({ id }) => number(id)),
    },
    {
      name: 'ranges of multi-index entries',
      command: `tree -t x ${at('xa_multi')}`,
      expected: truth.all('slot', { container: 'xa_multi' }).map(({ first }) => RANGES.get(first ?? '')),
      actual: (answer) => rows(answer).map(({ index, last }) => `${number(index)}-${number(last ?? index)}`),
    },
  ];
};

/** An XArray, radix tree, IDR or maple tree: its indices, and pointers or values. */
const slotsOf = (truth: Truth, { name = '', kind = '', address = '' }: Fields): Check => {
  const type = kind === 'radix' ? 'ra' : kind === 'idr' ? 'idr' : kind.slice(0, 1);
  const isMaple = kind === 'maple';
  return {
    name,
    command: `tree -t ${type} ${address}`,
    expected: all(truth, 'slot', { container: name }).map((slot) => ({
      first: hex(slot.first),
      ...(isMaple ? { last: hex(slot.last) } : {}),
      ...(slot.kind === 'value' ? { value: slot.value } : { address: hex(slot.address) }),
    })),
    actual: (answer) =>
      answer.error ??
      rows(answer).map((row) => ({
        first: isMaple ? row.first : row.index,
        ...(isMaple ? { last: row.last } : {}),
        ...(row.value === undefined ? { address: row.address } : { value: number(row.value) }),
      })),
  };
};

const perCpu = (truth: Truth): readonly Check[] => {
  const copies = (name: string): readonly Fields[] => all(truth, 'percpu', { name });
  const shown = (answer: Answer): unknown =>
    rows(answer).map(({ cpu, address, value }) => {
      const at = value as Row;
      return [cpu, address, at.name, number(at.value)];
    });
  const known = (name: string): unknown =>
    copies(name).map(({ cpu, address, label, value }) => [Number(cpu), hex(address), label, value]);
  return [
    {
      name: 'a per-CPU integer',
      command: 'p lab_counter:a',
      expected: copies('lab_counter').map(({ address, value }) => [hex(address), value]),
      actual: (answer) => rows(answer).map(({ address, value }) => [address, number(value)]),
    },
    {
      name: 'where a per-CPU variable is',
      command: 'p lab_pcpu',
      expected: ['struct lab_pcpu', copies('lab_pcpu').map(({ address }) => hex(address))],
      actual: (answer) => [
        rows(answer)[0]?.type,
        (rows(answer)[0]?.addresses as readonly Row[] | undefined)?.map(({ address }) => address),
      ],
    },
    {
      name: 'a per-CPU structure',
      command: 'struct lab_pcpu lab_pcpu:a',
      expected: known('lab_pcpu'),
      actual: shown,
    },
    ...copies('lab_root.pcpu').map(
      ({ cpu, address, label }): Check => ({
        name: `per-CPU memory that was allocated, CPU ${cpu}`,
        command: `p *per_cpu_ptr(lab_root.pcpu, ${cpu})`,
        expected: [hex(address), label],
        actual: (answer) => [rows(answer)[0]?.address, (rows(answer)[0]?.value as Row | undefined)?.name],
      }),
    ),
  ];
};

/** One value of an expression; 128-bit and floating point ones are left to the tests of types. */
const value = (
  name: string,
  expression: string,
  expected: string,
  enumeration?: Readonly<Record<string, unknown>>,
): Check => ({
  name,
  command: `p ${expression}`,
  expected,
  actual: (answer) => {
    const found = rows(answer)[0]?.value;
    if (typeof found === 'boolean') return found ? '1' : '0';
    // Integers of 64 bits are hex, of their two's complement.
    if (expected.startsWith('-') && /^0x[0-9a-f]{16}$/.test(`${found}`))
      return `${BigInt.asIntN(64, BigInt(`${found}`))}`;
    if (typeof found === 'string' && enumeration?.[found] !== undefined) return `${enumeration[found]}`;
    return found === undefined || typeof found === 'object' ? (answer.error ?? found) : number(found);
  },
});

const ENUMERATORS = {
  LAB_RED: 0,
  LAB_GREEN: 5,
  LAB_BLUE: -2,
  LAB_WIDE_ONE: 1,
  LAB_WIDE_HUGE: '9223372036854775809',
  LAB_DEEP_LOW: '-9223372036854775807',
};

const values = (truth: Truth): readonly Check[] => [
  ...truth
    .all('bitfield')
    .map(({ name = '', value: is = '' }) => value(`bit-field ${name}`, `lab_root.bitfields.${name}`, is, ENUMERATORS)),
  ...truth
    .all('value')
    // BTF has one dimension of an array only: it counts the elements of all of them (pahole, btf_encoder.c).
    .map(({ name = '', value: is = '' }) =>
      value(`member ${name}`, `lab_root.kinds->${name.replace('[1][2]', '[5]')}`, is, ENUMERATORS),
    ),
  ...truth
    .all('pointer')
    .map(({ name = '', address }) => value(`pointer ${name}`, `lab_root.kinds->${name}`, `${BigInt(hex(address))}`)),
  ...all(truth, 'flex_item').map(
    ({ index, number: is, letter }): Check => ({
      name: `item ${index} of a flexible array`,
      command: `p lab_root.flex->items[${index}]`,
      expected: [Number(is), letter?.charCodeAt(0)],
      actual: (answer) => {
        const item = rows(answer)[0]?.value as Row | undefined;
        return [item?.number, item?.letter];
      },
    }),
  ),
  {
    name: 'the bits of a bitmap',
    command: 'p lab_root.bits',
    expected: all(truth, 'bit', { bitmap: 'bits' }).map(({ number: bit }) => Number(bit)),
    actual: (answer) =>
      ((rows(answer)[0]?.value ?? []) as readonly string[]).flatMap((word, i) =>
        Array.from({ length: 64 }, (_, bit) => bit)
          .filter((bit) => (BigInt(word) >> BigInt(bit)) & 1n)
          .map((bit) => i * 64 + bit),
      ),
  },
  {
    name: 'text without an end is shown up to where memory ends',
    command: `rd -a ${one(truth, 'string', { name: 'unended' }).address}`,
    expected: [Number(one(truth, 'string', { name: 'unended' }).length), true],
    actual: (answer) => [
      rows(answer)
        .map(({ text }) => text)
        .join('')
        .replace(/[^A]/g, '').length,
      answer.error !== undefined,
    ],
  },
  {
    name: 'the object by its name',
    command: 'struct lab_root.magic,name lab_root',
    // The name has a blank, which no value of a record has.
    expected: { magic: hex(one(truth, 'root').magic), name: one(truth, 'root').name?.replace('_', ' ') },
    actual: (answer) => rows(answer)[0]?.value,
  },
];

const symbols = (truth: Truth): readonly Check[] =>
  all(truth, 'symbol').map(({ name = '', kind = '', address }) => ({
    name: `symbol ${name} at ${address}`,
    command: `sym ${name}`,
    expected: true,
    actual: (answer) =>
      rows(answer).some(
        (row) =>
          row.name === name &&
          row.module === 'kdbg_lab' &&
          row.address === hex(address) &&
          (kind === 'text' ? /^[tT]$/ : /^[aAdDbB]$/).test(row.type as string),
      ),
  }));

const types = (truth: Truth): readonly Check[] => [
  ...truth
    .all('type')
    // The module's struct worker has a namesake in the kernel, which is the one that the bare name means.
    .filter(({ name }) => name !== 'struct worker')
    .map(
      ({ name = '', size }): Check => ({
        name: `size of ${name}`,
        command: `whatis ${name}`,
        expected: Number(size),
        actual: (answer) => rows(answer)[0]?.size,
      }),
    ),
  ...truth
    .all('member')
    .filter(({ type }) => type !== 'struct worker')
    .map(
      ({ type = '', name = '', offset }): Check => ({
        name: `offset of ${type}.${name}`,
        command: `struct ${type.replace('struct ', '')}.${name}`,
        expected: Number(offset),
        actual: (answer) => (rows(answer)[0]?.members as readonly Row[] | undefined)?.[0]?.offset,
      }),
    ),
];

/** Every check that the truth allows. */
export const planted = (truth: Truth): readonly Check[] => [
  ...lists(truth),
  ...trees(truth),
  ...perCpu(truth),
  ...values(truth),
  ...symbols(truth),
  ...types(truth),
];
