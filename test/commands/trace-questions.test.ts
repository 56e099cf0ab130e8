/** Questions that a trace answers by itself, and commands that are traced, on a tracefs in a map. */
import { beforeEach, describe, expect, test } from 'vitest';
import type { CommandRequest, FileStream } from '../../src/core/memory/backend.ts';
import { encodeText } from '../../src/core/memory/text.ts';
import { FakeTracefs, ROOT, stepText } from '../support/fake-tracefs.ts';

const GRAPH = [
  '# tracer: function_graph',
  '#',
  '  100.000001 |   0)    cat-77     |               |  vfs_read() {',
  '  100.000002 |   0)    cat-77     |   2.000 us    |    rw_verify_area();',
  '  100.000003 |   0)    cat-77     |   5.000 us    |  }',
  '  100.000004 |   0)    cat-77     |               |  vfs_read() {',
  '',
].join('\n');
const OPTIONS = ['funcgraph-proc', 'funcgraph-cpu', 'funcgraph-duration', 'funcgraph-abstime', 'funcgraph-irqs'];

let fake: FakeTracefs;
beforeEach(() => {
  fake = new FakeTracefs();
  fake.trace = GRAPH;
  for (const name of OPTIONS) fake.files.set(`${ROOT}/options/${name}`, name === 'funcgraph-irqs' ? '1\n' : '0\n');
  fake.files.set(`${ROOT}/set_graph_function`, '#### all functions enabled ####\n');
  fake.files.set(`${ROOT}/max_graph_depth`, '0\n');
  fake.files.set(`${ROOT}/per_cpu/cpu1/stats`, 'entries: 0\noverrun: 0\ndropped events: 0\nbytes: 0\n');
});

describe('callees', () => {
  test('borrow the shared buffer when they may, and give it back', () => {
    const { rows } = fake.session().json('trace callees vfs_read --shared --for 0.05');
    expect(rows).toMatchObject([
      { function: 'vfs_read', depth: 0, count: 2, unfinished: 1, total: 5, self: 3, longest: 5 },
      { function: 'rw_verify_area', depth: 1, count: 1, total: 2, self: 2 },
    ]);
    const steps = fake.changes.map(
      (step) => `${step.kind} ${step.path.slice(ROOT.length + 1)} ${'text' in step ? step.text : ''}`,
    );
    expect(steps).toContain('append set_graph_function vfs_read');
    const back = steps.slice(steps.lastIndexOf('write current_tracer nop') - 1);
    expect(back).toEqual([
      'write tracing_on 0',
      'write current_tracer nop',
      'write max_graph_depth 0',
      'write options/funcgraph-irqs 1',
      'write options/funcgraph-abstime 0',
      'write options/funcgraph-duration 0',
      'write options/funcgraph-cpu 0',
      'write options/funcgraph-proc 0',
      'write trace_clock local',
      'write set_graph_function ',
      'write set_ftrace_notrace_pid ',
      'write trace ',
      'write tracing_on 1',
    ]);
    // Said before the first change, and taken back after the last.
    expect(fake.restores[0]?.after).toBe(0);
    expect(fake.restores[0]?.steps).toHaveLength(back.length);
    expect(fake.restores.at(-1)).toEqual({ steps: [], after: fake.changes.length });
    expect(fake.instances).toEqual([]);
  });

  test.each([
    ['current_tracer', 'function\n', /its tracer is function/],
    ['set_event', 'sched:sched_switch\n', /1 events are on/],
    ['set_ftrace_filter', 'vfs_read\n', /set_ftrace_filter are set/],
    ['per_cpu/cpu0/stats', 'entries: 3\n', /3 entries are in it/],
  ])('leave the shared buffer alone when somebody uses it: %s', (file, text, message) => {
    fake.files.set(`${ROOT}/${file}`, text);
    const { error, status } = fake.session().json('trace callees vfs_read --shared --for 0.05');
    expect(error).toMatch(message);
    expect(status).toBe(2);
    expect(fake.changes).toEqual([]);
  });

  test('give it back when a setting is refused', () => {
    fake.refusals.set('max_graph_depth', 'EINVAL');
    expect(fake.session().json('trace callees vfs_read --shared').error).toMatch(/max_graph_depth: EINVAL/);
    expect(fake.files.get(`${ROOT}/current_tracer`)).toBe('nop\n');
    expect(fake.files.get(`${ROOT}/options/funcgraph-proc`)).toBe('0\n');
  });

  test.each([
    ['trace callees', /wants one FUNCTION/],
    ['trace callees a b', /wants one FUNCTION/],
    ["trace callees 'vfs_*'", /without wildcards/],
    ['trace callees vfs_read', /callees of which tasks\?/],
    ['trace callees vfs_read --', /which command\?/],
    ['trace hist', /wants an EVENT/],
    ['trace hist sched', /no single event/],
    ["trace hist sched:sched_switch 'a b'", /is no key/],
    ['trace hist sched:sched_switch a b c d', /4 keys are too many/],
    ['trace hist sched:sched_switch -- ls', /follows no command/],
    ['trace mark', /wants the TEXT/],
    ['trace mark x', /no trace is on/],
    ['trace snapshot', /no trace is on/],
  ])('wrong usage: %s', (line, message) => {
    const { error, status } = fake.session().json(line);
    expect(error).toMatch(message);
    expect(status).toBe(2);
    expect(fake.changes).toEqual([]);
  });
});

describe('a command', () => {
  const asked: CommandRequest[] = [];
  const runs = (pieces: readonly string[], how: string): FakeTracefs => {
    asked.length = 0;
    const left = [...pieces];
    fake.run = (request): FileStream => {
      asked.push(request);
      return {
        take: () => encodeText(left.shift() ?? ''),
        wait: () => true,
        get ended() {
          return left.length === 0 ? how : undefined;
        },
        finish: () => new Uint8Array(),
        close: () => undefined,
      };
    };
    return fake;
  };

  test('is run with its words, when all is set up and nothing recorded yet', () => {
    fake.trace = '# tracer: function\n             cat-77      [001] .....   100.000001: vfs_read <-ksys_read\n';
    const { rows, notices } = runs(['one\ntw', 'o\nrest'], 'exit 3')
      .session()
      .json(`trace callers vfs_read -- cat 'a b' -n --for`);
    expect(asked[0]?.words).toEqual(['cat', 'a b', '-n', '--for']);
    expect(asked[0]?.pidFiles.map((path) => path.slice(path.lastIndexOf('/') + 1))).toEqual([
      'set_ftrace_pid',
      'set_event_pid',
      'tracing_on',
    ]);
    expect(rows.map(({ output, count }) => output ?? count)).toEqual(['one', 'two', 'rest', 1]);
    expect(notices).toEqual(['the command ended with status 3']);
    const steps = fake.changes.map(stepText);
    expect(steps).toContain('write options/function-fork 1');
    expect(steps).not.toContain('write tracing_on 1');
    // What is forked by a task that is left out is left out as well.
    expect(steps.filter((text) => text.includes('notrace_pid'))).toEqual([]);
    expect(fake.instances).toEqual([]);
  });

  test('that cannot be run leaves nothing', () => {
    expect(runs([], 'no shell').session().json('trace callers vfs_read -- x').error).toMatch(/cannot be run: no shell/);
    fake.run = undefined;
    expect(fake.session().json('trace start -f vfs_read -- x').error).toMatch(/no command can be run on fake/);
    expect(fake.instances).toEqual([]);
  });

  test('whose trace is kept, as of one that was stopped', () => {
    fake.trace = '# tracer: function\n             cat-77      [001] .....   100.000001: vfs_read <-ksys_read\n';
    const session = runs(['x\n'], 'exit 0').session();
    expect(session.json('trace start function -f vfs_read -- cat').rows.at(-1)).toMatchObject({
      command: ['cat'],
      entries: 1,
    });
    expect(session.json('trace show').rows).toMatchObject([{ function: 'vfs_read' }]);
  });
});

describe('completion', () => {
  test.each([
    ['trace start -o fun', ['funcgraph-proc', 'function-fork']],
    ['trace start -o nofunction-', ['nofunction-fork']],
    ['trace start -e sched:', ['sched:sched_switch', 'sched:sched_waking']],
    ['trace hist sysc', ['syscalls:sys_enter_openat']],
    ['trace callers vfs_read -- ca', []],
  ])('%s', (line, wanted) => {
    const names = fake
      .session()
      .completions(line)
      .map((each) => each.trim());
    if (wanted.length === 0) expect(names).toEqual([]);
    else expect(names).toEqual(expect.arrayContaining([...wanted]));
  });
});
