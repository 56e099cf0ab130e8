import { describe, expect, it } from 'vitest';
import { followOver } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { typedKernel } from '../support/fake-types-kernel.ts';

const TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct item { int id; struct list_head link; struct item *chain; const char *label; char pad[4056]; };
  struct owner { int count; struct list_head items; };
`;
const hex = (address: bigint | undefined) => (address ?? 0n).toString(16);

/** An owner with items on its list, which a chain of pointers links as well. */
function planted(count: number) {
  const { fake } = typedKernel(TYPES);
  const item = fake.type('item');
  const owner = fake.global('the_owner', fake.type('owner'), { count });
  fake.symbols.add('plain_list', owner + 8n);
  const items = Array.from({ length: count }, (_, id) => fake.place(item, { id, label: fake.string(`item ${id}`) }));
  for (const [i, each] of items.entries()) fake.set(item, each, 'chain', items[i + 1] ?? 0n);
  const head = owner + 8n;
  fake.linkList(head, items, item, 'link');
  return { fake, item, owner, head, items, session: fakeSession(fake) };
}

const ids = (answer: { rows: readonly Readonly<Record<string, unknown>>[] }) => answer.rows.map(({ id }) => id);

describe('list', () => {
  const { session, head, owner, items } = planted(6);
  const link = (i: number) => hex((items[i] as bigint) + 8n);
  const of = (i: number) => hex(items[i]);

  it.each<[string, string, readonly number[]]>([
    ['from a head', `list -H ${hex(head)} -o item.link`, [0, 1, 2, 3, 4, 5]],
    ['from a head by name', 'list -H plain_list -o item.link', [0, 1, 2, 3, 4, 5]],
    ['with the offset in bytes before START', `list 8 -H ${hex(head)}`, [0, 1, 2, 3, 4, 5]],
    ['with the offset as a member before START', `list item.link -H ${hex(head)}`, [0, 1, 2, 3, 4, 5]],
    ['backwards', `list -r -H ${hex(head)} -o item.link`, [5, 4, 3, 2, 1, 0]],
    ['up to an end', `list -H ${hex(head)} -o item.link -e ${link(3)}`, [0, 1, 2]],
    ['from an entry to another', `list item.link -h ${of(1)} -e ${of(4)}`, [1, 2, 3]],
    ['from an entry backwards', `list item.link -r -h ${of(3)} -e ${of(0)}`, [3, 2, 1]],
    ['from the object that has the head', `list -h ${hex(owner)} -O owner.items -o item.link`, [0, 1, 2, 3, 4, 5]],
    ['along pointers of its own kind', `list item.chain ${of(2)}`, [2, 3, 4, 5]],
    ['along pointers up to an end', `list item.chain ${of(2)} -e ${of(4)}`, [2, 3]],
    ['from a list_head within an entry', `list -l item.link ${link(2)} -e ${hex(head)}`, [2, 3, 4, 5]],
  ])('%s', (_name, line, expected) => {
    const answer = session.json(`${line} -s item.id`);
    expect(answer).toMatchObject({ status: 0 });
    expect(ids(answer)).toEqual(expected);
    expect(answer.rows.map(({ address }) => address)).toEqual(expected.map((i) => `0x${of(i)}`));
  });

  it('goes once around from an entry to itself, and shows the head as if it were in an entry too', () => {
    const around = [1, 2, 3, 4, 5].map((i) => of(i));
    expect(session.lines(`list item.link -h ${of(1)} -e ${of(1)}`)).toEqual([...around, hex(owner), of(0)]);
    expect(session.lines(`list item.link -h ${of(1)}`)).toEqual([...around, hex(owner), of(0)]);
  });

  it('shows addresses, members, or whole structures', () => {
    expect(session.lines(`list -H ${hex(head)} -o item.link -e ${link(2)}`)).toEqual([of(0), of(1)]);
    expect(session.lines(`list -H ${hex(head)} -o item.link -e ${link(1)} -x -s item.id,label`)).toEqual([
      of(0),
      '  id = 0x0,',
      expect.stringMatching(/^ {2}label = 0x[0-9a-f]+ "item 0",$/),
    ]);
    const whole = session.lines(`list -H ${hex(head)} -o item.link -e ${link(1)} -S item`);
    expect(whole.slice(0, 3)).toEqual([of(0), 'struct item {', '  id = 0,']);
  });

  it('says what is wrong with its arguments', () => {
    const error = (line: string) => session.json(line).error;
    expect(error('list')).toMatch(/list wants/);
    expect(error(`list -h -H ${hex(head)}`)).toMatch(/exclude each other/);
    expect(error(`list -O 8 -H ${hex(head)}`)).toMatch(/-O goes with -h/);
    expect(error('list item.link')).toMatch(/list wants a START/);
    expect(error(`list -o 8 item.link ${hex(head)}`)).toMatch(/given twice/);
    expect(error(`list ${hex(head)} ${hex(head)}`)).toMatch(/the first is an offset/);
    expect(error('list 0')).toMatch(/START is NULL/);
    expect(error('list -H 0')).toMatch(/START is NULL/);
    expect(error('list -H nothing_here')).toMatch(/nothing_here/);
  });
});

describe('a damaged list', () => {
  it('shows what comes before a loop, and with -B where it is and how long', () => {
    const { fake, item, head, items, session } = planted(6);
    fake.set(item, items[5] as bigint, 'link.next', (items[2] as bigint) + 8n);
    const answer = session.json(`list -H ${hex(head)} -o item.link -s item.id`);
    expect(ids(answer)).toEqual([0, 1, 2, 3, 4, 5]);
    expect(answer).toMatchObject({ status: 1, error: expect.stringContaining('loops at entry 6') });
    expect(session.json(`list -B -H ${hex(head)} -o item.link`)).toMatchObject({
      status: 0,
      rows: { length: 6 },
      notices: [`loop of 4 entries that begins at entry 2 (${hex((items[2] as bigint) + 8n)})`],
    });
  });

  it('names a poison, and keeps the entries before a fault', () => {
    const { fake, item, head, items, session } = planted(6);
    fake.set(item, items[3] as bigint, 'link.next', 0xdead_0000_0000_0100n);
    const answer = session.json(`list -H ${hex(head)} -o item.link -s item.id`);
    expect(ids(answer)).toEqual([0, 1, 2, 3]);
    expect(answer.error).toMatch(/entry 4 .*LIST_POISON1/);
  });

  it('that ends with NULL was never a list, unless the user says so', () => {
    const { fake, item, head, items, session } = planted(3);
    fake.set(item, items[2] as bigint, 'link.next', 0n);
    const line = `list -H ${hex(head)} -o item.link -s item.id`;
    expect(session.json(line)).toMatchObject({ status: 1, error: expect.stringContaining('ends with a NULL') });
    session.json('set null-stop on');
    expect(session.json(line)).toMatchObject({ status: 0, rows: { length: 3 } });
  });

  it('is followed no further than the session allows', () => {
    const { head, session } = planted(6);
    session.json('set walk_max 4');
    expect(session.json(`list -H ${hex(head)}`)).toMatchObject({
      rows: { length: 4 },
      error: expect.stringContaining('more than 4 entries'),
    });
  });
});

describe('round trips', () => {
  it('a list of 1,000 entries on as many pages, with members and strings, takes 8 requests where the source follows', () => {
    const { fake, head } = planted(1000);
    const follow = followOver(fake.memory);
    let follows = 0;
    fake.memory.follow = (walk) => {
      follows++;
      return follow(walk);
    };
    const session = fakeSession(fake);
    const before = session.kernel.memory.requests;
    const answer = session.json(`list -H ${hex(head)} -o item.link -s item.id,label`);
    expect(ids(answer)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
    expect(session.kernel.memory.requests - before + follows).toBeLessThanOrEqual(8);
  });
});
