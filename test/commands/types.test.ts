import { describe, expect, it } from 'vitest';
import { U32, U64 } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { typedKernel } from '../support/fake-types-kernel.ts';

const TYPES = `
  typedef unsigned int u32;
  typedef int pid_t;
  enum colour { RED, GREEN = 5 };
  struct list_head { struct list_head *next, *prev; };
  struct point { int x, y; };
  union either { unsigned long word; struct point at; };
  struct item {
    int id;
    u32 flags : 3;
    char name[8];
    struct list_head link;
    struct point at, *where;
    enum colour colour;
    union { int small; long large; };
    void (*act)(struct item *item);
  };
  struct counters { unsigned long total; int shard[4]; };
  struct big_state { int level; char rest[124]; };
  struct handle { long a[16]; };
  int do_things(struct item *item, pid_t pid);
  struct counters hits;
`;
const MODULES = {
  lab: 'struct lab_thing { int here; struct point at; };',
  other: 'struct other_thing { int there; };',
};
const hex = (address: bigint) => address.toString(16);

function planted() {
  const { fake, modulesRead } = typedKernel(TYPES, MODULES);
  const { symbols, memory } = fake;
  memory.write(0xffff_ffff_8100_0000n, new Uint8Array(64));
  symbols.add('do_things', 0xffff_ffff_8100_0000n, 'T');
  const point = fake.place(fake.type('point'), { x: 3, y: -4 });
  const items = [0, 1].map((i) =>
    fake.place(fake.type('item'), {
      id: i + 7,
      name: 'first',
      'at.x': 16,
      where: point,
      colour: 5,
      act: 0xffff_ffff_8100_0000n,
    }),
  );
  const [item = 0n] = items;
  symbols.add('an_item', item);
  const state = fake.place(fake.type('big_state'), { level: 9 });
  symbols.add('big_state', state, 'D', undefined, 128);
  // Called as a type, and too small to be one: a pointer.
  symbols.add('handle', fake.place(U64, {}), 'D', undefined, 8);
  const array = fake.allocate(400);
  fake.place(fake.type('point'), { x: 1, y: 2 }, array);
  fake.place(fake.type('point'), { x: 3, y: 4 }, array + 8n);
  // Two CPUs: the per-CPU area is linked at 0, as before 6.15.
  symbols.add('__per_cpu_start', 0n);
  symbols.add('hits', 0x1000n);
  symbols.add('__per_cpu_end', 0x2000n);
  fake.globalInteger('nr_cpu_ids', U32, 2);
  symbols.add('__cpu_possible_mask', fake.globalInteger('mask', U64, 3n));
  const offsets = fake.allocate(16);
  symbols.add('__per_cpu_offset', offsets);
  const copies = [0, 1].map((cpu) => {
    const copy = fake.place(fake.type('counters'), { total: 100 + cpu }, fake.allocate(64));
    memory.u64(offsets + BigInt(8 * cpu), copy - 0x1000n);
    return copy;
  });
  return { fake, modulesRead, session: fakeSession(fake), item, items, point, array, copies, state };
}

describe('struct, union, *', () => {
  const { session, item, array, point, copies } = planted();

  it.each([
    ['struct point', ['struct point {', '    int x;', '    int y;', '}', 'SIZE: 0x8']],
    ['point', ['struct point {', '    int x;', '    int y;', '}', 'SIZE: 0x8']],
    ['*point', ['struct point {', '    int x;', '    int y;', '}', 'SIZE: 0x8']],
    ['struct -d point', ['struct point {', '    int x;', '    int y;', '}', 'SIZE: 8']],
    ['struct -o point', ['struct point {', '  [0x0] int x;', '  [0x4] int y;', '}', 'SIZE: 0x8']],
    ['point.y', ['struct point {', '   [0x4] int y;', '}']],
    [`struct point ${hex(point)}`, ['struct point {', '  x = 3,', '  y = -4', '}']],
    [`struct -x point ${hex(point)}`, ['struct point {', '  x = 0x3,', '  y = 0xfffffffc', '}']],
    [`struct point.y,x ${hex(point)}`, ['  y = -4,', '  x = 3,']],
    ['struct item.colour,act an_item', ['  colour = GREEN,', '  act = 0xffffffff81000000 <do_things>,']],
    [
      `struct -p item.where an_item`,
      [`  where = 0x${hex(point)},`, '  -> struct point {', '    x = 3,', '    y = -4', '  }'],
    ],
    [`union either.at.x ${hex(point)}`, ['  at.x = 3,']],
    [
      `struct point ${hex(array)} 2`,
      ['struct point {', '  x = 1,', '  y = 2', '}', '', 'struct point {', '  x = 3,', '  y = 4', '}'],
    ],
    [`struct point.x -c -2 ${hex(array + 8n)}`, ['  x = 3,', '', '  x = 1,']],
    [`struct item.id -l item.at (&((struct item *)an_item)->at)`, ['  id = 7,']],
    [
      'struct counters.total hits:a',
      [`[0]: ${hex(copies[0] as bigint)}`, '  total = 100,', `[1]: ${hex(copies[1] as bigint)}`, '  total = 101,'],
    ],
    ['struct counters.total hits:1', [`[1]: ${hex(copies[1] as bigint)}`, '  total = 101,']],
    ['item.id an_item', ['  id = 7,']],
  ])('%s', (line, expected) => {
    expect(session.lines(line)).toEqual(expected);
  });

  it('shows the address of each member, and raw bytes', () => {
    expect(session.lines(`struct -o point ${hex(point)}`).slice(1, 3)).toEqual([
      `  [${hex(point)}] int x;`,
      `  [${hex(point + 4n)}] int y;`,
    ]);
    expect(session.lines(`struct -r point ${hex(point)}`)).toEqual([
      `${hex(point)}:  fffffffc00000003                    ........`,
    ]);
  });

  it('gives types and values as JSON', () => {
    expect(session.json('struct point').rows).toEqual([
      {
        type: 'struct point',
        size: 8,
        members: [
          { name: 'x', offset: 0, type: 'int' },
          { name: 'y', offset: 4, type: 'int' },
        ],
      },
    ]);
    expect(session.json(`struct point ${hex(point)}`).rows).toEqual([
      { type: 'struct point', address: `0x${hex(point)}`, value: { x: 3, y: -4 } },
    ]);
    expect(session.json('struct item.name,at an_item').rows[0]).toMatchObject({
      value: { name: 'first', at: { x: 16 } },
    });
  });

  it('takes addresses from a pipe', () => {
    expect(session.json(`tree -t x ${hex(point)} | struct point`).error).toBeDefined();
    const piped = session.json(`struct item.id ${hex(item)} | struct item.id`);
    expect(piped).toMatchObject({ rows: [{ value: { id: 7 } }] });
  });

  it('says what is wrong', () => {
    const error = (line: string) => session.json(line).error;
    expect(error('struct nothing_like_it')).toMatch(/nothing_like_it/);
    expect(error('struct point.z')).toMatch(/no member "z"/);
    expect(error('struct pid_t')).toMatch(/not a struct or union/);
    expect(error('struct point 10')).toMatch(/cannot read/);
    expect(error(`struct point ${hex(point)} 0`)).toMatch(/0 structures/);
    expect(error('struct counters hits')).toMatch(/every CPU has its own/);
    expect(error('struct counters hits:7')).toMatch(/7/);
  });
});

describe('p', () => {
  const { session, point, copies, state } = planted();

  it.each([
    ['1 + 2', 3],
    ['sizeof(struct point)', '0x8'],
    ['offsetof(struct item, at.y)', expect.anything()],
    [`((struct point *)0x${hex(point)})->y`, -4],
    [`*(struct point *)0x${hex(point)}`, { x: 3, y: -4 }],
    ['GREEN', 'GREEN'],
    ['big_state.level', 9],
  ])('%s', (expression, value) => {
    expect(session.json(`p ${expression}`)).toMatchObject({ status: 0, rows: [{ value }] });
  });

  it('keeps values', () => {
    const { session: fresh } = planted();
    expect(fresh.lines('p 40')).toEqual(['$1 = 40']);
    expect(fresh.lines('p $1 + 2')).toEqual(['$2 = 42']);
    expect(fresh.lines('p -x $2')).toEqual(['$3 = 0x2a']);
  });

  it('takes a variable that is called as its type for one where the room is right, and says so', () => {
    const answer = session.json('p big_state');
    expect(answer).toMatchObject({
      rows: [{ type: 'struct big_state', address: `0x${hex(state)}`, value: { level: 9 } }],
    });
    expect(answer.notices).toEqual([
      'the type of big_state is not known: taken as struct big_state, which has its name and its size',
    ]);
    expect(session.json('p handle')).toMatchObject({ rows: [{ type: 'unsigned long' }], notices: [] });
  });

  it('lets a declaration of the user win', () => {
    const { session: fresh } = planted();
    fresh.json('whatis -D "struct point big_state;"');
    expect(fresh.json('p big_state')).toMatchObject({ rows: [{ type: 'struct point' }], notices: [] });
  });

  it('shows a per-CPU variable on every CPU, on some, or where it is', () => {
    expect(session.lines('p hits')).toEqual([
      'PER-CPU DATA TYPE:',
      '  struct counters hits;',
      'PER-CPU ADDRESSES:',
      ...copies.map((copy, cpu) => `  [${cpu}]: ${hex(copy)}`),
    ]);
    const values = (line: string) => session.json(line).rows.map(({ value }) => value);
    expect(values('p hits:a')).toMatchObject([{ total: '0x64' }, { total: '0x65' }]);
    expect(values('p hits:1.total')).toEqual(['0x65']);
  });

  it('says what is wrong', () => {
    const error = (line: string) => session.json(line).error;
    expect(error('p')).toMatch(/wants an expression/);
    expect(error('p 1 +')).toBeDefined();
    expect(error('p no_such_symbol')).toMatch(/no_such_symbol/);
    expect(error('p *(int *)8')).toMatch(/cannot read/);
  });
});

describe('whatis', () => {
  const { session } = planted();

  it.each([
    ['whatis do_things', ['int do_things(struct item *item, pid_t pid);']],
    ['whatis pid_t', ['typedef int pid_t;', 'SIZE: 0x4']],
    ['whatis GREEN', ['GREEN = 5 of enum colour']],
    ['whatis hits', ['struct counters hits;']],
    ['whatis struct point', ['struct point {', '    int x;', '    int y;', '}', 'SIZE: 0x8']],
    ['whatis lab_thing.at', undefined],
  ])('%s', (line, expected) => {
    if (expected === undefined) expect(session.json(line).status).toBe(1);
    else expect(session.lines(line)).toEqual(expected);
  });

  it('finds types by size and by member', () => {
    const names = (line: string) => session.json(line).rows.map(({ type }) => type);
    expect(names('whatis -r 8')).toEqual(expect.arrayContaining(['struct point', 'union either']));
    expect(names('whatis -m shard')).toEqual(['struct counters']);
    expect(names('whatis -m point')).toEqual(expect.arrayContaining(['struct item', 'struct lab_thing']));
    expect(session.json('whatis -r 8-x').error).toMatch(/not a size/);
  });

  it('says that a symbol has no known type', () => {
    expect(session.json('whatis an_item').error).toMatch(/it is a symbol whose type is not known/);
    expect(session.json('whatis').error).toMatch(/wants a name/);
  });
});

describe('the BTF of modules', () => {
  it('is read for a type that vmlinux lacks, and not for symbols, members and kernel types', () => {
    const { session, modulesRead, point } = planted();
    session.json('p big_state.level');
    session.json(`p (an_item)`);
    session.json(`struct point ${hex(point)}`);
    session.json(`list item.link -h ${hex(point)}`);
    expect(modulesRead).toEqual([]);
    expect(session.json('struct lab_thing').rows).toMatchObject([{ size: 12 }]);
    expect(modulesRead).toContain('lab');
  });
});
