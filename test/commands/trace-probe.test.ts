import { beforeEach, describe, expect, test } from 'vitest';
import { encodeText } from '../../src/core/memory/text.ts';
import { FakeTracefs, ROOT } from '../support/fake-tracefs.ts';
import { typedKernel } from '../support/fake-types-kernel.ts';

const SOURCE = `
struct qstr { int len; const unsigned char *name; };
struct dentry { struct qstr d_name; int d_flags; };
struct file { int f_mode; struct dentry *f_dentry; };
long vfs_read(struct file *file, char *buf, unsigned long count, long long *pos);
void kfree(const void *object);
void __probestub_sched_switch(void *data, _Bool preempt, struct file *prev);
`;
const LINE = "trace probe vfs_read file->f_dentry->d_name.name:string count ret if 'count > 10'";

let fake: FakeTracefs;
const session = (options: Parameters<FakeTracefs['session']>[0] = {}): ReturnType<FakeTracefs['session']> => {
  const { fake: kernel } = typedKernel(SOURCE);
  for (const [i, name] of ['vfs_read', 'vfs_readv', 'kfree', 't_show', 't_show'].entries()) {
    kernel.symbols.add(name, 0xffffffff81000000n + BigInt(i) * 0x100n, i < 3 ? 'T' : 't');
  }
  kernel.symbols.add('vfs_data', 0xffffffff82000000n, 'D');
  return fake.session({ kernel, ...options });
};
beforeEach(() => {
  fake = new FakeTracefs();
  fake.files.set(`${ROOT}/events/sched/sched_switch/id`, '300\n');
});

/** What the two events print of one call. */
const HITS = [
  '             cat-77      [001] .....   100.000010: vfs_read: (vfs_read+0x4/0x370) name="passwd" count=4096',
  '             cat-77      [000] .....   100.000030: vfs_read__return: (ksys_read+0x6f/0xf0 <- vfs_read) ret=-2',
  '',
].join('\n');

describe('a probe', () => {
  test('is set, listed, shown by its calls, removed', () => {
    const before = fake.snapshot();
    fake.trace = HITS;
    const kdbg = session();
    const [set] = kdbg.json(LINE).rows;
    const group = (fake.instances[0] ?? '').replace('-', '_');
    expect(set).toEqual({
      probe: 'vfs_read',
      definitions: [
        `p:${group}/vfs_read vfs_read name=+0(+8(+8($arg1))):string count=$arg3:u64`,
        `r256:${group}/vfs_read__return vfs_read ret=$retval:s64`,
      ],
      on: true,
    });
    fake.files.set(`${ROOT}/kprobe_profile`, '  vfs_read   7   0\n  vfs_read__return   6   1\n');
    expect(kdbg.json('trace probe').rows).toMatchObject([
      { name: 'vfs_read', hits: 7, misses: 1, filter: 'count > 10' },
    ]);
    expect(kdbg.json('trace show').rows).toMatchObject([
      {
        kind: 'probe',
        probe: 'vfs_read',
        function: 'vfs_read',
        pid: 77,
        comm: 'cat',
        caller: 'ksys_read',
        values: { name: 'passwd', count: 4096, ret: -2 },
        errno: 'ENOENT',
        microseconds: 20,
      },
    ]);
    expect(kdbg.lines('trace show').at(-1)).toMatch(
      /vfs_read name="passwd" count=4096 ret=-2 ENOENT 20 us <- ksys_read$/,
    );
    expect(kdbg.json('trace probe -d vfs_read').rows).toMatchObject([{ entries: 2 }]);
    expect(fake.snapshot().replace(/"[^"]*kprobe_profile","[^"]*"/, '')).toBe(
      before.replace(/"[^"]*kprobe_profile","[^"]*"/, ''),
    );
    expect(kdbg.json('trace show').rows).toMatchObject([{ values: { ret: -2 } }]);
    expect(kdbg.json('trace probe').notices).toEqual([expect.stringContaining('no probe is set')]);
  });

  test('joins a trace that is on, and leaves it on', () => {
    const kdbg = session();
    kdbg.json('trace start events -e sched:sched_switch');
    const [instance] = fake.instances;
    kdbg.json('trace probe vfs_read count');
    expect(fake.instances).toEqual([instance]);
    expect(kdbg.json('trace probe -d all').rows).toEqual([{ removed: 'vfs_read' }]);
    expect(fake.instances).toEqual([instance]);
    expect(fake.probes.definitions).toEqual([]);
  });

  test('with -n shows hits and removes itself', () => {
    const before = fake.snapshot();
    fake.flow = [HITS.slice(0, 150), HITS.slice(150), HITS, HITS];
    const { rows } = session().json(`${LINE} -n 2`);
    expect(rows).toMatchObject([{ on: true }, { values: { ret: -2 } }, { values: { ret: -2 } }]);
    expect(rows).toHaveLength(3);
    expect(fake.snapshot()).toBe(before);
  });

  test.each([false, true])(
    'that hits too often is removed, and its text kept; another trace goes on: %s',
    (isSecond) => {
      const before = fake.snapshot();
      fake.trace = HITS;
      const kdbg = session();
      if (isSecond) kdbg.json('trace start events -e sched:sched_switch');
      const { readMany } = fake.source;
      let asked = 0;
      fake.source.readMany = (paths, limit) =>
        readMany(paths, limit).map((result, i) => {
          if (!paths[i]?.endsWith('/per_cpu/cpu0/stats')) return result;
          const text = `entries: ${asked++ * 30_000}\noverrun: 0\ndropped events: 0\nbytes: 0\n`;
          return { ok: true, bytes: encodeText(text), truncated: false };
        });
      const { rows, notices } = kdbg.json(LINE);
      expect(notices[0]).toMatch(/^stopped: it wrote 1[0-9]{5} entries a second/);
      expect(rows).toMatchObject([{ probe: 'vfs_read', on: false }]);
      expect(fake.probes.definitions).toEqual([]);
      expect(fake.instances).toHaveLength(isSecond ? 1 : 0);
      if (isSecond) expect(fake.files.get(`${ROOT}/instances/${fake.instances[0]}/tracing_on`)).toBe('1\n');
      else expect(kdbg.json('trace show').rows).toMatchObject([{ values: { ret: -2 } }]);
      if (!isSecond) expect(fake.snapshot()).toBe(before);
    },
  );

  test('Ctrl-C while its hits are shown leaves nothing', () => {
    const before = fake.snapshot();
    fake.flow = [HITS];
    let reads = 0;
    const kdbg = session({ cancelled: () => fake.probes.definitions.length > 0 && ++reads > 40 });
    kdbg.json(`${LINE} --for 5s`);
    expect(fake.snapshot()).toBe(before);
  });

  test.each([
    ['trace probe vfs_read file->nosuch', /no member "nosuch"/],
    ['trace probe vfs_rea', /no symbol "vfs_rea" that is a function/],
    ['trace probe vfs_data', /no symbol "vfs_data" that is a function/],
    ['trace probe t_show', /2 functions are named t_show: ffffffff81000300, ffffffff81000400/],
    ['trace probe kfree ret', /kfree returns nothing/],
    ['trace probe vfs_read+4 ret', /only a whole function returns/],
    ['trace probe vfs_read count if', /"if" wants a filter/],
    ['trace probe vfs_read if count', /compares nothing/],
    ['trace probe "vfs read"', /nothing that can be probed/],
    ['trace probe /bin/sh:main', /has no programs/],
    ['trace probe /bin/sh', /no place in a program/],
    ['trace probe "/bin/s h:0x10"', /no place in a program/],
    ['trace probe 0x0000000000001000', /is in no function/],
    ['trace probe -d nosuch', /"nosuch" is no probe/],
  ])('%s: refused, and nothing stays', (line, message) => {
    const before = fake.snapshot();
    expect(session().json(line).error).toMatch(message);
    expect(fake.snapshot()).toBe(before);
  });

  test('an error is shown under its place in the line', () => {
    const [line, caret] = session().lines('trace probe vfs_read count file->f_dentry->d_nam.name:string');
    expect(line?.slice(caret?.indexOf('^'))).toMatch(/^d_nam/);
  });

  test.each([
    ['trace probe sched:sched_switch prev->f_mode', 't:G/sched_switch sched_switch f_mode=+0($arg2):s32'],
    ['trace probe ffffffff81000300', 'p:G/t_show 0xffffffff81000300'],
    ['trace probe vfs_read+0x10 %ax', 'p:G/vfs_read_10 vfs_read+16 ax=%ax:x64'],
    ["trace probe /bin/sh:4096 '$arg1:string' ret", 'r:G/sh_1000__return /bin/sh:0x1000 ret=$retval:x64'],
    ["trace probe /bin/sh:4096 '$arg1:string'", 'p:G/sh_1000 /bin/sh:0x1000 arg1=+0(%di):string'],
  ])('%s', (line, definition) => {
    const { rows, error } = session().json(line);
    expect(error).toBeUndefined();
    const definitions = JSON.stringify(rows[0]?.['definitions']).replace(/kdbg_\w{8}/g, 'G');
    expect(definitions).toContain(JSON.stringify(definition));
  });
});

describe('completion', () => {
  test.each([
    ['trace probe vfs_re', ['vfs_read text', 'vfs_readv text']],
    ['trace probe vfs_d', []],
    ['trace probe sched:sched_s', ['sched_switch event']],
    ['trace probe vfs_read f', ['file struct file *']],
    ['trace probe vfs_read c', ['count unsigned long', 'comm name of the task']],
    ['trace probe vfs_read r', ['ret long']],
    ['trace probe kfree r', []],
    ['trace probe vfs_read count file->f_', ['f_mode int', 'f_dentry struct dentry *']],
    ['trace probe vfs_read who=file->f_dentry->d_name.', ['len int', 'name const unsigned char *']],
    ['trace probe vfs_read file->f_dentry->d_name.name:str', ['string type']],
    ['trace probe vfs_read file->nosuch->', []],
    ['trace probe nosuch x', []],
    ['trace callers kfr', ['kfree text']],
  ])('%s', (line, expected) => expect(session().completions(line)).toEqual(expected));
});
