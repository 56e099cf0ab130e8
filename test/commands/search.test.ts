import { describe, expect, it } from 'vitest';
import { FakeKernel, U64 } from '../support/fake-kernel.ts';
import { fakeSession } from '../support/fake-session.ts';
import { FakeTasks } from '../support/fake-tasks.ts';

const IMAGE = 0xffff_ffff_8100_0000n;
const MAP = 0xffff_8880_0000_0000n;
const AREA = 0xffff_c900_0000_0000n;
const WANTED = 0xdead_beef_0000_0001n;
const TYPES = `
  struct list_head { struct list_head *next, *prev; };
  struct resource { unsigned long start, end; const char *name; unsigned long flags, desc;
    struct resource *parent, *sibling, *child; };
  struct vm_struct { void *addr; unsigned long size, flags; };
  struct vmap_area { unsigned long va_start, va_end; struct list_head list; struct vm_struct *vm; };
`;

/** Data of the image, 4 MiB of RAM of which a page is missing, a vmalloc area and one of device memory. */
function planted(options: { readonly ram?: bigint } = {}) {
  const fake = new FakeKernel();
  fake.c(TYPES);
  const { memory, symbols } = fake;
  memory.write(IMAGE, new Uint8Array(8192));
  symbols.add('_sdata', IMAGE);
  symbols.add('stored', IMAGE + 0x10n);
  symbols.add('_edata', IMAGE + 8192n);
  const ram = fake.place(fake.type('resource'), {
    start: 0x10_0000n,
    end: (options.ram ?? 0x20_0000n) - 1n,
    flags: 0x0100_0200n,
  });
  fake.global('iomem_resource', fake.type('resource'), { child: ram });
  fake.globalInteger('page_offset_base', U64, MAP);
  fake.globalInteger('phys_base', U64, 0n);
  memory.write(MAP + 0x10_0000n, new Uint8Array(0x10_0000));
  memory.fault(MAP + 0x18_0000n);
  const areas = [2n, 1n].map((flags, i) => {
    const start = AREA + BigInt(i) * 0x10_0000n;
    memory.write(start, new Uint8Array(4096));
    const vm = fake.place(fake.type('vm_struct'), { addr: start, size: 8192n, flags });
    return fake.place(fake.type('vmap_area'), { va_start: start, va_end: start + 8192n, vm });
  });
  fake.linkList(fake.global('vmap_area_list', fake.type('list_head')), areas, fake.type('vmap_area'), 'list');
  const places = [IMAGE + 0x18n, MAP + 0x10_0010n, MAP + 0x1f_fff8n, AREA + 0x20n];
  for (const place of places) memory.u64(place, WANTED);
  // Not aligned, in device memory, in what cannot be read: found nowhere.
  for (const place of [MAP + 0x10_0104n, AREA + 0x10_0000n, MAP + 0x18_0000n]) memory.u64(place, WANTED);
  return { fake, places };
}

const addresses = (rows: readonly Readonly<Record<string, unknown>>[]) =>
  rows.map(({ address }) => BigInt(String(address)));

describe('search', () => {
  const { fake, places } = planted();
  const session = fakeSession(fake);

  it('looks through data, RAM and vmalloc areas', () => {
    const { rows, notices } = session.json('search deadbeef00000001');
    expect(addresses(rows)).toEqual(places);
    expect(rows[0]).toEqual({ address: '0xffffffff81000018', value: '0xdeadbeef00000001', symbol: 'stored+0x8' });
    expect(notices).toEqual([
      'searched text, data, RAM, vmalloc and module areas: 1 MiB; 4 KiB of it could not be read',
    ]);
  });

  it.each([
    ['-k', [0, 1, 2, 3]],
    ['-K', [0, 1, 2]],
    ['-V', [3]],
    ['-s ffff888000100000', [1, 2, 3, 0]],
    ['-s ffff888000100018', [2, 3, 0]],
    ['-s ffff888000100010 -l 8', [1]],
    ['-s ffff888000100011 -l 8', []],
    ['-s ffff888000100018 -l 8', []],
    ['-s ffff888000100000 -e ffff888000200000', [1, 2]],
    ['-e ffffffff00000000', [1, 2, 3]],
  ])('%s looks through part of it', (options, found) => {
    const { rows } = session.json(`search ${options} deadbeef00000001`);
    const sorted = (all: readonly bigint[]) => [...all].sort((a, b) => (a < b ? -1 : 1));
    expect(sorted(addresses(rows))).toEqual(sorted(found.map((i) => places[i] as bigint)));
  });

  it('takes physical addresses', () => {
    const { rows } = session.json('search -p deadbeef00000001');
    expect(rows).toEqual([
      { address: '0x100010', value: '0xdeadbeef00000001', symbol: null },
      { address: '0x1ffff8', value: '0xdeadbeef00000001', symbol: null },
    ]);
    expect(addresses(session.json('search -p -s 100011 deadbeef00000001').rows)).toEqual([0x1f_fff8n]);
  });

  it('looks for narrower words, several at once, and leaves bits open', () => {
    expect(session.json('search -w -V deadbeef 1').rows.map(({ value }) => value)).toEqual(['0xdeadbeef', '0x1']);
    expect(session.json('search -h -V dead').rows).toMatchObject([{ address: '0xffffc90000000026' }]);
    expect(session.json('search -V -m ffff deadbeef00001234').rows.length).toBe(1);
    expect(session.json('search -V deadbeef00001234').rows.length).toBe(0);
  });

  it('shows what was asked for, and the words around', () => {
    fake.memory.u64(AREA + 0x40n, IMAGE + 0x10n);
    const lines = session.lines('search -V stored -x 1').map((line) => line.replace(/ {2}<.*>$/, ''));
    expect(lines).toEqual([
      'ffffc90000000040: ffffffff81000010 (stored)',
      'ffffc90000000038:  0000000000000000 ffffffff81000010   ................',
      'ffffc90000000048:  0000000000000000                    ........',
      '',
      '(searched vmalloc and module areas: 4 KiB)',
    ]);
  });

  it('finds strings, across pieces of memory too', () => {
    const seam = MAP + 0x18_1000n + 0xfffen;
    fake.memory.write(seam, new TextEncoder().encode('needle in\0'));
    const { rows } = session.json('search -c "needle in" -K');
    expect(addresses(rows)).toEqual([seam]);
    expect(session.json('search -c needle hay -s ffff888000181000 -l 0x20000').rows).toMatchObject([
      { value: 'needle in' },
    ]);
  });

  it.each([
    ['search', 'wants a VALUE'],
    ['search -k -V 1', 'contradict'],
    ['search -w -h 1', 'contradict'],
    ['search -w 123456789', 'does not fit'],
    ['search -c -m f x', 'not for strings'],
    ['search -c ""', 'everywhere'],
    ['search -s 2000 -e 1000 1', 'empty'],
    ['search -l 8 1', '-l wants -s'],
    ['search no_such_symbol', 'no symbol'],
    ['search -u 1', 'no type'],
  ])('%s is refused', (line, part) => {
    const { status, error } = session.json(line);
    expect(status).toBeGreaterThan(0);
    expect(error).toContain(part);
  });
});

describe('search of a live target', () => {
  it('leaves much RAM out unless it is asked for', () => {
    const { fake, places } = planted({ ram: 1n << 40n });
    const session = fakeSession(fake, { liveness: 'live' });
    const { rows, notices } = session.json('search deadbeef00000001');
    expect(addresses(rows)).toEqual([places[0], places[3]]);
    expect(notices[0]).toContain('are left out on a live target: -k');
  });

  it('can be interrupted', () => {
    const { fake } = planted({ ram: 1n << 40n });
    const reads = () => fake.memory.reads.length;
    const session = fakeSession(fake, { cancelled: () => reads() > 50 });
    expect(session.json('search -K 1234').status).toBe(130);
    expect(reads()).toBeLessThan(60);
  });
});

describe('search of a recording', () => {
  it('looks through the pages of the kernel that it holds, whatever it does not hold', () => {
    const fake = new FakeKernel();
    fake.memory.write(MAP, new Uint8Array(8192));
    fake.memory.u64(MAP + 0x1008n, WANTED);
    const page = (address: bigint) => ({ space: 'virtual', address, length: 4096 }) as const;
    Object.assign(fake.memory, { held: () => [page(0x40_0000n), page(MAP + 0x1000n), page(AREA)] });
    const session = fakeSession(fake);
    const { rows, notices } = session.json('search deadbeef00000001');
    expect(addresses(rows)).toEqual([MAP + 0x1008n]);
    expect(notices).toEqual([
      'searched the pages of kernel memory that are there: 8 KiB; 4 KiB of it could not be read',
    ]);
    expect(session.json('search -s ffffc90000000000 deadbeef00000001').rows).toEqual([]);
  });
});

describe('search of stacks', () => {
  it('says whose stack it is', () => {
    const tasks = new FakeTasks([{ pid: 7, comm: 'writer' }, { pid: 8 }]);
    const { fake } = tasks;
    const type = fake.type('task_struct');
    for (const pid of [7, 8]) {
      const stack = fake.allocate(16 * 1024, { page: true });
      fake.set(type, tasks.address(pid), 'stack', stack);
      if (pid === 7) {
        fake.memory.u64(stack + 0x3f00n, WANTED);
        fake.memory.fault(stack);
      }
    }
    const session = fakeSession(fake);
    const { rows, notices } = session.json('search -t deadbeef00000001');
    expect(rows).toMatchObject([{ pid: 7, comm: 'writer', value: '0xdeadbeef00000001' }]);
    expect(notices).toEqual(['searched the stacks of 4 tasks: 32 KiB; 4 KiB of it could not be read']);
    expect(session.lines('search -t deadbeef00000001')[0]).toMatch(
      /^PID: 7 {8}TASK: ffff8880\w{8} {2}CPU: 0 {4}COMMAND: "writer"$/,
    );
    expect(session.json('search -T deadbeef00000001').rows).toEqual([]);
    expect(session.json('search -t -s 1000 1').error).toContain('do not go with stacks');
  });
});

describe('search of a process', () => {
  it('passes over what is reserved and not there', () => {
    const tasks = new FakeTasks([{ pid: 7, comm: 'huge' }]);
    const { fake } = tasks;
    fake.c(`struct vm_area_struct { unsigned long vm_start, vm_end, vm_flags; struct vm_area_struct *vm_next; };
      struct mm_struct { void *pgd; struct vm_area_struct *mmap; };`);
    fake.globalInteger('page_offset_base', U64, MAP);
    const place = 0x1234_5678_9000n;
    // One page, behind a table of each level, in the middle of 32 TiB.
    for (const [i, level] of [3n, 2n, 1n, 0n].entries()) {
      const table = MAP + 0x10_0000n + BigInt(i) * 4096n;
      fake.memory.write(table, new Uint8Array(4096));
      const slot = (place >> (12n + 9n * level)) & 511n;
      fake.memory.u64(table + slot * 8n, 0x10_0067n + BigInt(i + 1) * 4096n);
    }
    fake.memory.write(MAP + 0x10_4000n, new Uint8Array(4096));
    fake.memory.u64(MAP + 0x10_4ff8n, WANTED);
    const area = { vm_start: 0x1000_0000_0000n, vm_end: 0x3000_0000_0000n, vm_flags: 3 };
    const device = fake.place(fake.type('vm_area_struct'), { ...area, vm_flags: 0x400 });
    const first = fake.place(fake.type('vm_area_struct'), { ...area, vm_next: device });
    const mm = fake.place(fake.type('mm_struct'), { pgd: MAP + 0x10_0000n, mmap: first });
    fake.set(fake.type('task_struct'), tasks.address(7), 'mm', mm);
    const session = fakeSession(fake, { pid: 7 });
    const { rows, notices } = session.json('search -u deadbeef00000001');
    expect(rows).toEqual([{ address: '0x123456789ff8', value: '0xdeadbeef00000001', symbol: null }]);
    expect(notices.at(-1)).toMatch(/^searched the memory of task 7 \(huge\): 32768 GiB; 32768 GiB of it/);
    expect(fake.memory.reads.length).toBeLessThan(100);
    expect(fakeSession(fake, { pid: 0 }).json('search -u 1').error).toContain('no memory of its own');
  });
});
