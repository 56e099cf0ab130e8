import { describe, expect, it } from 'vitest';
import { CancelledError, DataError, FaultError } from '../../../src/core/errors.ts';
import { walkChain } from '../../../src/core/kernel/chain.ts';
import { walkHlist, walkHlistBl, walkHlistNulls } from '../../../src/core/kernel/hlist.ts';
import { isListEmpty, walkList, walkListOf } from '../../../src/core/kernel/list.ts';
import { walkLlist } from '../../../src/core/kernel/llist.ts';
import { walkPlist } from '../../../src/core/kernel/plist.ts';
import { FakeKernel, followOver, INT, LIST_HEAD, struct, U64 } from '../../support/fake-kernel.ts';

const ITEM = struct('item', { id: INT, link: LIST_HEAD, value: U64 });

function planted(count: number, options: { page?: boolean } = {}) {
  const fake = new FakeKernel();
  fake.types.add(ITEM);
  const head = fake.place(LIST_HEAD, {}, fake.allocate(16, { page: true }));
  const items = Array.from({ length: count }, (_, id) =>
    fake.place(ITEM, { id }, fake.allocate(ITEM.size, { page: options.page === true })),
  );
  fake.linkList(head, items, ITEM, 'link');
  return { fake, head, items };
}

/** What a walk gave before it ended, and the error that it ended with. */
function drain<T>(walk: Iterable<T>): { got: T[]; error: unknown } {
  const got: T[] = [];
  try {
    for (const entry of walk) {
      got.push(entry);
      if (got.length > 100_000) throw new Error('the walk does not end');
    }
  } catch (error) {
    return { got, error };
  }
  return { got, error: undefined };
}

describe('list_head', () => {
  it('gives the containers in order, and in reverse', () => {
    const { fake, head, items } = planted(5);
    const kernel = fake.kernel();
    expect([...walkListOf(kernel, head, 'item', 'link')]).toEqual(items);
    expect([...walkListOf(kernel, head, 'item', 'link', { reverse: true })]).toEqual(items.toReversed());
    expect([...walkList(kernel, head)]).toEqual(items.map((item) => item + 8n));
  });

  it('takes the newest name that the structure has', () => {
    const { fake, head, items } = planted(2);
    expect([...walkListOf(fake.kernel(), head, 'item', ['node', 'link'])]).toEqual(items);
    expect(() => [...walkListOf(fake.kernel(), head, 'item', ['a', 'b'])]).toThrow(
      'no member "a" or "b" in struct item'.replaceAll('"a" or "b"', '"a" or "b"'),
    );
  });

  it('knows an empty list', () => {
    const { fake, head } = planted(0);
    expect([...walkList(fake.kernel(), head)]).toEqual([]);
    expect(isListEmpty(fake.kernel(), head)).toBe(true);
  });

  it('ends with an error where the list loops, and keeps what came before', () => {
    const { fake, head, items } = planted(5);
    fake.set(ITEM, items[4] as bigint, 'link.next', (items[1] as bigint) + 8n);
    const { got, error } = drain(walkListOf(fake.kernel(), head, 'item', 'link'));
    expect(got).toEqual(items);
    expect(error).toBeInstanceOf(DataError);
    expect((error as Error).message).toBe(
      `the list at ${head.toString(16)} loops at entry 5 (back to ${((items[1] as bigint) + 8n).toString(16)})`,
    );
  });

  it('names a poisoned pointer', () => {
    const { fake, head, items } = planted(3);
    fake.set(ITEM, items[2] as bigint, 'link.next', 0xdead_0000_0000_0100n);
    const { got, error } = drain(walkListOf(fake.kernel(), head, 'item', 'link'));
    expect(got).toEqual(items);
    expect((error as Error).message).toContain('entry 3 of the list at');
    expect((error as Error).message).toContain('LIST_POISON1, a list entry that was deleted');
  });

  it('says that a zeroed head was never initialised', () => {
    const fake = new FakeKernel();
    const head = fake.allocate(16);
    expect(() => [...walkList(fake.kernel(), head)]).toThrow('is not circular');
  });

  it.each([0, 1, 2, 3, 4])('faults at entry %i with the entries before it', (at) => {
    const { fake, head, items } = planted(5, { page: true });
    fake.memory.fault(items[at] as bigint, 'excluded');
    const { got, error } = drain(walkListOf(fake.kernel(), head, 'item', 'link'));
    expect(got).toEqual(items.slice(0, at));
    expect(error).toBeInstanceOf(FaultError);
    expect((error as Error).message).toContain(`entry ${at} of the list at`);
    const told: string[] = [];
    const damaged = (damage: Error) => told.push(damage.message);
    expect([...walkListOf(fake.kernel(), head, 'item', 'link', { damaged })]).toEqual(items.slice(0, at));
    expect(told).toHaveLength(1);
  });

  it('faults at the head', () => {
    const { fake, head } = planted(1);
    fake.memory.fault(head, 'excluded');
    expect(drain(walkList(fake.kernel(), head)).error).toBeInstanceOf(FaultError);
  });

  it('tells of a back pointer that is wrong, once, and goes on', () => {
    const { fake, head, items } = planted(5);
    fake.set(ITEM, items[1] as bigint, 'link.prev', head);
    fake.set(ITEM, items[3] as bigint, 'link.prev', head);
    const notices: string[] = [];
    const kernel = fake.kernel({ notice: (text) => notices.push(text) });
    expect([...walkListOf(kernel, head, 'item', 'link')]).toEqual(items);
    expect(notices).toHaveLength(1);
    expect(notices[0]).toContain('is inconsistent at entry 1');
  });

  it('refuses more entries than the limit', () => {
    const { fake, head } = planted(5);
    expect(drain(walkList(fake.kernel(), head, { limit: 3 }))).toMatchObject({
      got: { length: 3 },
      error: { message: expect.stringContaining('has more than 3 entries') },
    });
  });

  it('stops when the command is cancelled', () => {
    const { fake, head } = planted(3000);
    let cancelled = false;
    const kernel = fake.kernel({ cancelled: () => cancelled });
    const walk = walkList(kernel, head);
    walk.next();
    cancelled = true;
    expect(drain(walk).error).toBeInstanceOf(CancelledError);
  });
});

describe('a live list', () => {
  it('follows a list that changed since its page was read', () => {
    const { fake, head, items } = planted(4, { page: true });
    const kernel = fake.kernel({ liveness: 'live' });
    const walk = walkListOf(kernel, head, 'item', 'link');
    expect(walk.next().value).toBe(items[0]);
    expect(walk.next().value).toBe(items[1]);
    // The kernel takes entry 2 out and frees it after entry 1 was read.
    fake.linkList(head, [items[0], items[1], items[3]] as bigint[], ITEM, 'link');
    fake.set(ITEM, items[2] as bigint, 'link.next', 0x6b6b_6b6b_6b6b_6b6bn);
    fake.set(ITEM, items[2] as bigint, 'link.prev', 0x6b6b_6b6b_6b6b_6b6bn);
    expect([...walk]).toEqual([items[3]]);
  });

  it('ends with an error, not with garbage, where the list stays inconsistent', () => {
    const { fake, head, items } = planted(4, { page: true });
    fake.set(ITEM, items[2] as bigint, 'link.prev', 0n);
    const { got, error } = drain(walkListOf(fake.kernel({ liveness: 'live' }), head, 'item', 'link'));
    expect(got).toEqual(items.slice(0, 2));
    expect(error).toBeInstanceOf(DataError);
    expect((error as DataError).hint).toContain('may have changed');
  });
});

describe('a source that follows lists', () => {
  it('reads a list of a thousand pages with few requests', () => {
    const { fake, head, items } = planted(1000, { page: true });
    fake.memory.follow = followOver(fake.memory);
    const kernel = fake.kernel();
    expect([...walkListOf(kernel, head, 'item', 'link')]).toEqual(items);
    // Two requests for each run of the far side (256, then 744), and one for the head.
    expect(kernel.memory.requests).toBeLessThanOrEqual(3);
  });

  it('meets a fault at the same entry', () => {
    const { fake, head, items } = planted(10, { page: true });
    fake.memory.follow = followOver(fake.memory);
    fake.memory.fault(items[6] as bigint);
    expect(drain(walkListOf(fake.kernel(), head, 'item', 'link')).got).toEqual(items.slice(0, 6));
  });
});

describe('chains', () => {
  const NODE = struct('node', { id: INT, next: U64 });
  function chained(count: number, last: (nodes: bigint[]) => bigint) {
    const fake = new FakeKernel();
    const nodes = Array.from({ length: count }, (_, id) => fake.place(NODE, { id }));
    for (const [i, node] of nodes.entries()) fake.set(NODE, node, 'next', nodes[i + 1] ?? last(nodes));
    return { fake, nodes };
  }
  function ends(fake: FakeKernel, node: bigint, end?: bigint) {
    const walk = walkChain(fake.kernel(), {
      place: 'chain',
      from: { node },
      nextOffset: 8,
      ...(end === undefined ? {} : { end }),
    });
    for (let count = 0; ; count++) {
      const step = walk.next();
      if (step.done === true) return { count, end: step.value };
    }
  }

  it('ends at NULL, at its first node, at the end that is named', () => {
    const open = chained(4, () => 0n);
    expect(ends(open.fake, open.nodes[0] as bigint)).toEqual({ count: 4, end: 'null' });
    expect(ends(open.fake, open.nodes[0] as bigint, open.nodes[2])).toEqual({ count: 2, end: 'end' });
    expect(ends(open.fake, 0n)).toEqual({ count: 0, end: 'null' });
    const round = chained(4, (nodes) => nodes[0] as bigint);
    expect(ends(round.fake, round.nodes[0] as bigint)).toEqual({ count: 4, end: 'first' });
    const self = chained(1, (nodes) => nodes[0] as bigint);
    expect(ends(self.fake, self.nodes[0] as bigint)).toEqual({ count: 1, end: 'first' });
  });

  it('throws where it loops elsewhere', () => {
    const { fake, nodes } = chained(4, (all) => all[2] as bigint);
    expect(() => ends(fake, nodes[0] as bigint)).toThrow('the chain loops at entry 4');
  });
});

describe('hlist, llist, plist', () => {
  const HNODE = struct('hnode', { id: INT, next: U64, pprev: U64 });

  function bucket(count: number, last = 0n, lock = 0n) {
    const fake = new FakeKernel();
    const head = fake.allocate(8);
    const nodes = Array.from({ length: count }, (_, id) => fake.place(HNODE, { id }) + 8n);
    fake.memory.u64(head, (nodes[0] ?? last) | lock);
    for (const [i, node] of nodes.entries()) {
      fake.memory.u64(node, nodes[i + 1] ?? last);
      fake.memory.u64(node + 8n, nodes[i - 1] ?? head);
    }
    return { fake, head, nodes };
  }

  it('reads buckets of all three kinds', () => {
    const plain = bucket(3);
    expect([...walkHlist(plain.fake.kernel(), plain.head)]).toEqual(plain.nodes);
    const nulls = bucket(3, 0x2bn);
    expect([...walkHlistNulls(nulls.fake.kernel(), nulls.head)]).toEqual(nulls.nodes);
    const emptyNulls = bucket(0, 0x2bn);
    expect([...walkHlistNulls(emptyNulls.fake.kernel(), emptyNulls.head)]).toEqual([]);
    const locked = bucket(3, 0n, 1n);
    expect([...walkHlistBl(locked.fake.kernel(), locked.head)]).toEqual(locked.nodes);
  });

  it('notices a wrong pprev and finds a loop', () => {
    const { fake, head, nodes } = bucket(3);
    fake.memory.u64((nodes[1] as bigint) + 8n, 0x1234n);
    const notices: string[] = [];
    expect([...walkHlist(fake.kernel({ notice: (text) => notices.push(text) }), head)]).toEqual(nodes);
    expect(notices).toHaveLength(1);
    fake.memory.u64(nodes[2] as bigint, nodes[1] as bigint);
    expect(drain(walkHlist(fake.kernel(), head)).error).toBeInstanceOf(DataError);
  });

  it('reads a lock-less list', () => {
    const { fake, head, nodes } = bucket(4);
    expect([...walkLlist(fake.kernel(), head)]).toEqual(nodes);
  });

  it('reads a plist with its priorities', () => {
    const fake = new FakeKernel();
    const node = fake.types.add(struct('plist_node', { prio: INT, prio_list: LIST_HEAD, node_list: LIST_HEAD }));
    const type = fake.types.add(struct('plist_head', { node_list: LIST_HEAD }));
    const head = fake.place(type);
    const nodes = [-5, 0, 120].map((prio) => fake.place(node, { prio }));
    fake.linkList(head, nodes, node, 'node_list');
    expect([...walkPlist(fake.kernel(), head)]).toEqual(
      nodes.map((address, i) => ({ address, priority: [-5, 0, 120][i] })),
    );
  });
});

describe('10,000 mutated lists', () => {
  it('all end, with entries or with an error of ours', () => {
    let seed = 12345;
    const random = (below: number) => {
      seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
      return seed % below;
    };
    const { fake, head, items } = planted(40);
    const kernelOf = () => fake.kernel({ liveness: random(2) === 0 ? 'live' : 'frozen' });
    for (let round = 0; round < 10_000; round++) {
      const item = items[random(items.length)] as bigint;
      const values = [
        0n,
        head,
        items[random(40)] as bigint,
        (items[random(40)] as bigint) + 8n,
        BigInt(random(1 << 30)),
      ];
      const path = random(2) === 0 ? 'link.next' : 'link.prev';
      fake.set(ITEM, item, path, values[random(values.length)] as bigint);
      const { got, error } = drain(walkListOf(kernelOf(), head, 'item', 'link', { reverse: random(2) === 0 }));
      expect(got.length).toBeLessThanOrEqual(80);
      if (error !== undefined && !(error instanceof DataError || error instanceof FaultError)) throw error;
      if (round % 7 === 0) fake.linkList(head, items, ITEM, 'link');
    }
  });
});
