import { beforeEach, describe, expect, test } from 'vitest';
import { CancelledError } from '../../src/core/errors.ts';
import { FakeTracefs, ROOT, stepText } from '../support/fake-tracefs.ts';

const CALLS = [
  '# tracer: function',
  '#',
  '             cat-77      [001] .....   100.000001: vfs_read <-ksys_read',
  '             cat-77      [001] .....   100.000002: <stack trace>',
  ' => vfs_read',
  ' => ksys_read',
  '             cat-77      [000] d..2.   100.000009: vfs_read <-kernel_read',
  '',
].join('\n');

let fake: FakeTracefs;
beforeEach(() => {
  fake = new FakeTracefs();
  fake.trace = CALLS;
});

describe('wrong usage', () => {
  test.each([
    ['trace nosuch', /ACTION|nosuch/],
    ['trace start', /function without -f would trace every function/],
    ['trace start function_graph', /would trace every function/],
    ['trace start events', /which events/],
    ['trace start function vfs_read', /"vfs_read" is one word too many/],
    ["trace start events -e 'a b'", /"a b" is no event/],
    ["trace start events -e '../../x'", /is no event/],
    ["trace start function -f vfs_read -o '../tracing_on'", /is no option/],
    ['trace stop', /no trace is on/],
    ['trace clear', /no trace is on/],
    ['trace stat', /no trace is on/],
    ['trace follow', /no trace is on/],
    ['trace show', /no trace is on, and none was/],
    ['trace show -i nosuch', /no instance "nosuch"/],
    ['trace stat -i ..', /no instance ".."/],
    ['trace callers', /wants one FUNCTION/],
    ['trace callers a b', /wants one FUNCTION/],
    ['trace clean perf', /"perf" is no instance/],
  ])('%s', (line, message) => {
    const { error, status } = fake.session().json(line);
    expect(error).toMatch(message);
    expect(status).toBe(2);
    expect(fake.changes).toEqual([]);
  });
});

describe('a trace', () => {
  test('starts, is shown, stops, and is still shown', () => {
    const before = fake.snapshot();
    const session = fake.session();
    const [started] = session.json('trace start function -f vfs_read -s').rows;
    expect(started).toEqual({ instance: fake.instances[0], tracer: 'function', on: true });
    expect(fake.stackOption).toBe('1\n');
    const { rows } = session.json('trace show');
    expect(rows).toEqual([
      expect.objectContaining({
        kind: 'function',
        time: 100.000001,
        cpu: 1,
        pid: 77,
        comm: 'cat',
        function: 'vfs_read',
        caller: 'ksys_read',
        stack: [
          { symbol: 'vfs_read', offset: null, module: null },
          { symbol: 'ksys_read', offset: null, module: null },
        ],
      }),
      expect.objectContaining({ cpu: 0, flags: 'd..2.', caller: 'kernel_read' }),
    ]);
    expect(session.json('trace start function -f vfs_read').error).toMatch(/a trace is on already/);
    expect(session.json('trace stat').rows[1]).toMatchObject({ cpu: 1, entries: 3, overrun: 2, dropped: 1 });
    expect(session.json('trace stop').rows).toMatchObject([{ entries: 2 }]);
    expect(fake.snapshot()).toBe(before);
    expect(session.json('trace show -n 1').rows).toMatchObject([{ caller: 'kernel_read' }]);
  });

  test('starts beside what an earlier session has left, and says so', () => {
    fake.makeInstance('kdbg-0123abcd');
    const { notices, status } = fake.session().json('trace start function -f vfs_read');
    expect(status).toBe(0);
    expect(notices).toEqual([expect.stringMatching(/"trace clean" removes .*: kdbg-0123abcd$/)]);
  });

  test('leaves out kdbg and all above it', () => {
    fake.session().json('trace start events -e sched:sched_switch');
    expect(fake.changes.map(stepText).filter((text) => text.includes('set_event_notrace_pid'))).toEqual([
      'append set_event_notrace_pid 500',
      'append set_event_notrace_pid 501',
      'append set_event_notrace_pid 400',
    ]);
  });

  test('that writes too much is stopped within its probation', () => {
    const session = fake.session();
    const { readMany } = fake.source;
    let asked = 0;
    fake.source.readMany = (paths, limit) => {
      if (paths[0]?.endsWith('/per_cpu/cpu0/stats')) {
        fake.files.set(paths[0], `entries: ${asked++ * 30_000}\noverrun: 0\ndropped events: 0\nbytes: 0\n`);
      }
      return readMany(paths, limit);
    };
    const { rows, notices } = session.json('trace start function --all');
    expect(rows).toMatchObject([{ on: false }]);
    expect(notices[0]).toMatch(/^stopped: it wrote 1[0-9]{5} entries a second, more than 50000/);
    expect(fake.files.get(`${ROOT}/instances/${fake.instances[0]}/tracing_on`)).toBe('0\n');
    expect(session.json('trace show').rows).toHaveLength(2);
  });

  test('that cannot be watched does not stay', () => {
    let isCancelled = false;
    const session = fake.session({ cancelled: () => isCancelled });
    const { apply } = fake.control;
    fake.control.apply = (steps) => {
      const failure = apply(steps);
      isCancelled = steps.at(-1)?.path.endsWith('/tracing_on') === true;
      return failure;
    };
    expect(session.json('trace start function -f vfs_read').status).toBe(130);
    expect(fake.instances).toEqual([]);
  });

  test('is followed until it ends', () => {
    const session = fake.session();
    session.json('trace start function -f vfs_read');
    fake.flow = [CALLS.slice(0, 60), CALLS.slice(60)];
    const { rows, notices } = session.json('trace follow');
    expect(rows.map(({ caller }) => caller)).toEqual(['ksys_read', 'kernel_read']);
    expect(notices).toEqual(['the trace ended: no more']);
    expect(new FakeTracefs().session({ streams: false }).json('trace follow').error).toMatch(/no trace is on/);
  });
});

describe('calls of function_graph that are followed', () => {
  const line = (us: number, task: string, rest: string) =>
    `  100.${String(us).padStart(6, '0')} |   0)    ${task}     |${rest}\n`;
  const GRAPH = [
    '# tracer: function_graph\n',
    line(1, 'cat-77', '               |  outer() {'),
    line(2, 'dog-78', '   1.000 us    |  leaf();'),
    line(3, 'cat-77', '   2.000 us    |    inner();'),
    line(4, 'cat-77', '   9.000 us    |  }'),
    'CPU:0 [LOST 5 EVENTS]\n',
    line(5, 'dog-78', '               |  open() {'),
  ].join('');

  const following = (flow: readonly string[]) => {
    const session = fake.session();
    session.json('trace start function_graph -f vfs_read');
    fake.flow = [...flow];
    return session;
  };
  const told = (rows: readonly Readonly<Record<string, unknown>>[]) =>
    rows.map((row) => [row['kind'], row['function'] ?? row['lost'], row['microseconds'], row['folded']]);

  test('are joined as they return, however the text is cut', () => {
    const expected = [
      ['call', 'leaf', 1, 0],
      ['call', 'outer', 9, 1],
      ['lost', 5, undefined, undefined],
      ['call', 'open', null, 0],
    ];
    for (const size of [1, 7, 100, 1000]) {
      const pieces = Array.from({ length: Math.ceil(GRAPH.length / size) }, (_, i) =>
        GRAPH.slice(i * size, (i + 1) * size),
      );
      expect(told(following(pieces).json('trace follow').rows), `${size}`).toEqual(expected);
      fake = new FakeTracefs();
    }
  });

  test('are shown with those within, or as the kernel writes them', () => {
    const { rows } = following([GRAPH]).json('trace follow --unfold');
    expect(told(rows).slice(1, 3)).toEqual([
      ['call', 'outer', 9, 0],
      ['call', 'inner', 2, 0],
    ]);
    fake = new FakeTracefs();
    const raw = following([GRAPH]).json('trace follow --raw').rows;
    expect(raw.map(({ kind }) => kind)).toEqual(['call', 'leaf', 'leaf', 'return', 'lost', 'call']);
    fake = new FakeTracefs();
    fake.trace = GRAPH;
    const session = following([]);
    expect(session.json('trace show --raw').rows.map(({ kind }) => kind)).toEqual(raw.map(({ kind }) => kind));
  });

  test('go on in a pane where they were when something else went first', () => {
    fake.flowEnds = false;
    let isFollowing = false;
    const session = fake.session({ cancelled: () => isFollowing && fake.flow.length === 0 });
    session.json('trace start function_graph -f vfs_read');
    const follow = (line: string, flow: readonly string[], pane = true) => {
      fake.flow = [...flow];
      isFollowing = true;
      const lines = session.lines(line, { pane }).map((each) => each.trim().split(/ {2,}/).slice(2).join(' '));
      isFollowing = false;
      return lines.filter((each) => each !== '');
    };
    const cut = GRAPH.indexOf('inner');
    expect(follow('trace follow', [GRAPH.slice(0, cut)])).toEqual([]);
    // Entries wait for their stacks until as many others came.
    const others = Array.from({ length: 80 }, (_, i) => line(100 + i, 'fox-79', '   1.000 us    |  next();')).join('');
    const came = follow('trace follow', [`${GRAPH.slice(cut)}${line(6, 'dog-78', '   7.000 us    |  }')}${others}`]);
    expect(came.slice(0, 4)).toEqual(['1.000 us leaf', '9.000 us outer + 1 within', '7.000 us open', '1.000 us next']);
    // What still waits when it is followed no more stands before what came since.
    const since = line(200, 'fox-79', '   1.000 us    |  since();');
    fake.files.set(`${ROOT}/instances/${fake.instances[0]}/trace`, `# tracer: function_graph\n${since}`);
    expect(follow('trace show', [])).toEqual([...Array(64).fill('1.000 us next'), '1.000 us since']);
    expect(follow('trace show', [])).toEqual(['1.000 us since']);
    // The user's own shows what there is when it is stopped, and leaves nothing behind.
    expect(follow('trace follow', [GRAPH.slice(0, GRAPH.indexOf('  100.000003'))], false)).toEqual([
      '1.000 us leaf',
      '... us outer (its end is missing)',
    ]);
    expect(follow('trace follow --raw', [GRAPH.slice(cut)])).toEqual([]);
  });
});

describe('callers', () => {
  test('are counted, and nothing of it stays', () => {
    fake.files.set(`${ROOT}/options/sym-offset`, '1\n');
    const before = fake.snapshot();
    const { rows } = fake.session().json('trace callers vfs_read --for 0.05');
    expect(rows).toMatchObject([
      { function: 'vfs_read', count: 1, stack: ['ksys_read'], pids: [77] },
      { function: 'vfs_read', count: 1, stack: ['kernel_read'], pids: [77] },
    ]);
    expect(fake.snapshot()).toBe(before);
  });

  test('of a function that nobody called', () => {
    fake.trace = '# tracer: function\n';
    expect(fake.session().json('trace callers vfs_read --for 0.05').notices).toEqual([
      'vfs_read was not called: what ran may do without it, or has it inlined; try a function that calls it',
    ]);
  });

  test('of a function that the kernel cannot trace', () => {
    const before = fake.snapshot();
    const session = fake.session();
    expect(session.json('trace callers nosuch').error).toMatch(/traces no function "nosuch"/);
    expect(fake.snapshot()).toBe(before);
  });

  test('Ctrl-C while they are counted leaves nothing', () => {
    const end = performance.now() + 400;
    const isCancelled = (): boolean => performance.now() > end;
    const session = fake.session({ cancelled: isCancelled });
    const { read, list } = fake.source;
    fake.source.read = (path, limit) => {
      if (isCancelled()) throw new CancelledError();
      return read(path, limit);
    };
    fake.source.list = (path) => {
      if (isCancelled()) throw new CancelledError();
      return list(path);
    };
    expect(session.json('trace callers vfs_read --for 9').status).toBe(130);
    expect(fake.instances).toEqual([]);
  });
});

describe('what is there', () => {
  test('status: the shared buffer, instances of others, what was left', () => {
    const perf = fake.makeInstance('perf');
    fake.makeInstance('kdbg-0123abcd');
    fake.files.set(`${perf}/current_tracer`, 'function\n');
    fake.files.set(`${perf}/set_ftrace_filter`, 'vfs_read\n');
    fake.files.set(`${ROOT}/dynamic_events`, 'p:kprobes/mine vfs_read\n');
    fake.files.set(`${ROOT}/enabled_functions`, 'vfs_read (1) R \ttramp: 0xffffffffc0\n');
    const session = fake.session();
    const { rows, notices } = session.json('trace');
    expect(rows.map(({ whose, what, tracer }) => [whose ?? what, tracer])).toEqual([
      ['shared buffer', 'nop'],
      ['instance perf', 'function'],
      ['left behind', 'nop'],
      ['probes', undefined],
      ['hooked functions', undefined],
    ]);
    expect(rows.at(-1)).toMatchObject({ entries: ['vfs_read'], count: 1 });
    expect(rows[1]).toMatchObject({ filters: { set_ftrace_filter: ['vfs_read'] } });
    expect(notices.join('\n')).toMatch(/kdbg traces nothing.*\n.*"trace clean" removes .*kdbg-0123abcd/);
    session.json('trace start function -f vfs_read');
    expect(session.json('trace').rows.map(({ whose }) => whose)).toContain('own trace');
  });

  test('clean removes what does not record, and by name the rest', () => {
    const [still, records] = [fake.makeInstance('kdbg-00000001'), fake.makeInstance('kdbg-00000002')];
    fake.files.set(`${still}/tracing_on`, '0\n');
    fake.makeInstance('perf');
    const session = fake.session();
    const { rows, notices } = session.json('trace clean');
    expect(rows).toEqual([{ removed: 'kdbg-00000001' }]);
    expect(notices[0]).toMatch(/kdbg-00000002 still records/);
    expect(fake.directories).toContain(records);
    expect(session.json('trace clean kdbg-00000002').rows).toEqual([{ removed: 'kdbg-00000002' }]);
    expect(session.json('trace clean').notices).toEqual(['nothing is left of earlier sessions']);
    expect(fake.instances).toEqual(['perf']);
  });

  test('functions, events and options, by pattern', () => {
    const session = fake.session();
    const names = (line: string): unknown => session.json(line).rows.map(({ name }) => name);
    expect(names("trace functions 'do_sys_open*'")).toEqual(['do_sys_open', 'do_sys_openat2']);
    expect(names('trace functions lab_')).toEqual(['lab_sleep [kdbg_lab]']);
    expect(names("trace events '*switch' syscalls")).toEqual(['sched:sched_switch', 'syscalls:sys_enter_openat']);
    expect(names('trace options')).toEqual(['print-parent', 'nosym-offset']);
    expect(session.json("trace functions '(((('").notices[0]).toMatch(/none of available_filter_functions/);
  });

  test('the shared buffer is read, never changed', () => {
    fake.files.set(`${ROOT}/trace`, CALLS);
    expect(fake.session().json('trace show --shared').rows).toHaveLength(2);
    expect(fake.session().json('trace stat --shared').rows).toHaveLength(2);
    expect(fake.changes).toEqual([]);
  });

  test('a frozen target without tracefs says what is missing', () => {
    fake.files.delete(`${ROOT}/current_tracer`);
    expect(fake.session().json('trace').error).toMatch(/gives no access to tracefs/);
    expect(new FakeTracefs().session({ control: false }).json('trace start function -f x').error).toMatch(
      /only a live target/,
    );
  });
});
