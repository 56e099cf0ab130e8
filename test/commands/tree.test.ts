import { describe, expect, it } from 'vitest';
import { fakeSession } from '../support/fake-session.ts';
import {
  INDEX_MAX,
  type PlantedEntry,
  plantMapleTree,
  plantRbtree,
  plantXarray,
  TREE_TYPES,
} from '../support/fake-trees.ts';
import { typedKernel } from '../support/fake-types-kernel.ts';

const TYPES = `${TREE_TYPES}
  struct rb_node { unsigned long __rb_parent_color; struct rb_node *rb_right, *rb_left; };
  struct rb_root { struct rb_node *rb_node; };
  struct item { int id; struct rb_node node; char pad[4064]; };
  struct owner { int count; struct rb_root tree; struct xarray array; };
`;
const hex = (address: bigint | undefined) => (address ?? 0n).toString(16);

function items(count: number) {
  const { fake } = typedKernel(TYPES);
  const item = fake.type('item');
  const placed = Array.from({ length: count }, (_, id) => fake.place(item, { id }));
  return { fake, item, items: placed, session: fakeSession(fake) };
}

function rbtree(count: number) {
  const planted = items(count);
  const owner = planted.fake.place(planted.fake.type('owner'), { count });
  plantRbtree(
    planted.fake,
    owner + 8n,
    planted.items.map((item) => item + 8n),
  );
  return { ...planted, owner, root: owner + 8n };
}

const ids = (answer: { rows: readonly Readonly<Record<string, unknown>>[] }) => answer.rows.map(({ id }) => id);

describe('red-black trees', () => {
  it('shows structures in order, from a root, an object or a node', () => {
    const { session, root, owner, items: all } = rbtree(7);
    expect(ids(session.json(`tree -o item.node -s item.id ${hex(root)}`))).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(ids(session.json(`tree -t rb -l -o 8 -r owner.tree -s item.id ${hex(owner)}`))).toHaveLength(7);
    const node = hex((all[1] as bigint) + 8n);
    expect(ids(session.json(`tree -t rbtree -o item.node -s item.id -N ${node}`))).toEqual([0, 1, 2]);
  });

  it('shows positions', () => {
    const { session, root, items: all } = rbtree(3);
    expect(session.lines(`tree -p -o item.node ${hex(root)}`)).toEqual([
      hex(all[0]),
      '  position: root/l',
      hex(all[1]),
      '  position: root',
      hex(all[2]),
      '  position: root/r',
    ]);
    expect(session.json(`tree -p -o item.node ${hex(root)}`).rows[0]).toEqual({
      address: `0x${hex(all[0])}`,
      position: 'root/l',
    });
  });

  it('shows what is sound of a damaged tree, then what is wrong', () => {
    const { fake, item, session, root, items: all } = rbtree(7);
    fake.set(item, all[1] as bigint, 'node.__rb_parent_color', 0x1230n);
    const answer = session.json(`tree -o item.node -s item.id ${hex(root)}`);
    expect(ids(answer)).toEqual([3, 4, 5, 6]);
    expect(answer).toMatchObject({ status: 1, error: expect.stringContaining('is inconsistent at root/l') });
  });

  it('of 1,000 nodes on pages of their own takes a request a level', () => {
    const { session, root } = rbtree(1000);
    const before = session.kernel.memory.requests;
    expect(ids(session.json(`tree -o item.node -s item.id ${hex(root)}`))).toHaveLength(1000);
    expect(session.kernel.memory.requests - before).toBeLessThanOrEqual(14);
  });
});

describe('xarrays, radix trees, IDRs', () => {
  function xarray(entries: (items: readonly bigint[]) => readonly PlantedEntry[], count = 6) {
    const planted = items(count);
    const array = planted.fake.place(planted.fake.type('idr'), { idr_base: 10 });
    const nodes = plantXarray(planted.fake, array, entries(planted.items));
    return { ...planted, array, nodes };
  }

  it('shows pointers as structures and values as numbers', () => {
    const {
      session,
      array,
      items: all,
    } = xarray(([a, b]) => [
      { index: 0n, entry: a as bigint },
      { index: 70n, entry: (42n << 1n) | 1n },
      { index: 512n, entry: b as bigint, order: 6 },
    ]);
    const at = hex(array);
    expect(session.json(`tree -t x -p -s item.id ${at}`).rows).toEqual([
      { address: `0x${hex(all[0])}`, index: '0x0', position: 'root/0/0', id: 0 },
      { value: '0x2a', index: '0x46', position: 'root/1/6' },
      { address: `0x${hex(all[1])}`, index: '0x200', last: '0x23f', position: 'root/8', id: 1 },
    ]);
    expect(session.lines(`tree -t ra -p ${at}`)).toEqual([
      hex(all[0]),
      '  index: 0  position: root/0/0',
      'value 0x2a',
      '  index: 70  position: root/1/6',
      hex(all[1]),
      '  index: 512-575  position: root/8',
    ]);
    expect(session.json(`tree -t idr ${at}`).rows.map(({ index }) => index)).toEqual(['0xa', '0x50', '0x20a']);
  });

  it('starts at a node', () => {
    const { session, nodes } = xarray((all) => all.map((entry, i) => ({ index: BigInt(i * 50), entry })));
    expect(ids(session.json(`tree -t x -s item.id -N ${hex(nodes[1])}`))).toEqual([0, 1]);
  });

  it('reads scattered structures together', () => {
    const { session, array } = xarray((all) => all.map((entry, i) => ({ index: BigInt(i), entry })), 1000);
    const before = session.kernel.memory.requests;
    expect(ids(session.json(`tree -t idr -s item.id ${hex(array)}`))).toHaveLength(1000);
    expect(session.kernel.memory.requests - before).toBeLessThanOrEqual(8);
  });

  it('shows the IDs of an IDA', () => {
    const { fake, session } = items(0);
    const ida = fake.place(fake.type('ida'));
    plantXarray(fake, ida, [{ index: 0n, entry: (0b1001n << 1n) | 1n }]);
    expect(session.json(`tree -t ida ${hex(ida)}`).rows).toEqual([{ id: 0 }, { id: 3 }]);
  });
});

describe('maple trees', () => {
  it('shows ranges, and with -v the nodes', () => {
    const { fake, session, items: all } = items(2);
    const tree = fake.place(fake.type('maple_tree'));
    const [node] = plantMapleTree(fake, tree, [
      { first: 0x10n, last: 0x1fn, entry: all[0] as bigint },
      { first: 0x20n, last: 0x20n, entry: (7n << 1n) | 1n },
      { first: 0x100n, last: INDEX_MAX, entry: all[1] as bigint },
    ]);
    const at = hex(tree);
    expect(session.json(`tree -t m -s item.id ${at}`).rows).toEqual([
      { address: `0x${hex(all[0])}`, first: '0x10', last: '0x1f', id: 0 },
      { value: '0x7', first: '0x20', last: '0x20' },
      { address: `0x${hex(all[1])}`, first: '0x100', last: '0xffffffffffffffff', id: 1 },
    ]);
    expect(session.lines(`tree -t maple -v ${at}`).slice(0, 3)).toEqual([
      `0-ffffffffffffffff: node ${hex(node)} depth 0 type maple_leaf_64`,
      hex(all[0]),
      '  range: 10-1f',
    ]);
  });
});

describe('tree', () => {
  it('says what is wrong with its arguments', () => {
    const { session, root } = rbtree(1);
    const error = (line: string) => session.json(line).error;
    expect(error('tree')).toMatch(/wants a START/);
    expect(error(`tree -N ${hex(root)} ${hex(root)}`)).toMatch(/wants a START, or a node/);
    expect(error(`tree -t m -N ${hex(root)}`)).toMatch(/-N goes with/);
    expect(error(`tree -t b ${hex(root)}`)).toMatch(/"b" is none of rb/);
  });

  it('stops at the most entries that the session allows', () => {
    const { session, root } = rbtree(50);
    session.json('set walk_max 10');
    expect(session.json(`tree ${hex(root)}`).error).toMatch(/more than 10 entries/);
  });
});
