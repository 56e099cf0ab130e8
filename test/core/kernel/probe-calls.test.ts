import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { TraceEntry } from '../../../src/core/formats/trace-entry.ts';
import { TraceText } from '../../../src/core/formats/trace-text.ts';
import type { ProbeArgument } from '../../../src/core/kernel/probe-argument.ts';
import { ProbeCalls } from '../../../src/core/kernel/probe-calls.ts';
import { fieldTexts } from '../../../src/core/kernel/probe-hit.ts';
import type { Probe, ProbeEvent } from '../../../src/core/kernel/probe-plan.ts';

const argument = (name: string, kernelType: string): ProbeArgument => ({
  name,
  source: name,
  fetch: name === 'ret' ? '$retval' : '$arg1',
  kernelType,
  type: undefined,
});
const NAME = argument('name', 'string');
const TITLE = argument('title', 'string');
const COUNT = argument('count', 'u64');
const RET = argument('ret', 's64');
const SYMBOL = argument('at', 'symbol');
const BYTES = argument('bytes', 'x8[4]');

describe('the fields of an event', () => {
  test.each([
    [' name="passwd" count=65536', [NAME, COUNT], ['passwd', '65536']],
    [' name="" count=0', [NAME, COUNT], ['', '0']],
    [' name=(fault) count=0', [NAME, COUNT], [undefined, '0']],
    [' count=1 name=(fault)', [COUNT, NAME], ['1', undefined]],
    [' count=1 name="a b"', [COUNT, NAME], ['1', 'a b']],
    [' ret=-2', [RET], ['-2']],
    [' at=vfs_read+0x4/0x370 [mod] count=1', [SYMBOL, COUNT], ['vfs_read+0x4/0x370 [mod]', '1']],
    [' bytes={0x1,0x2,0x3,0x4} count=1', [BYTES, COUNT], [['0x1', '0x2', '0x3', '0x4'], '1']],
    // A file may have any name.
    [' name="x" count=7" count=1', [NAME, COUNT], ['x" count=7', '1']],
    [' count=1 name="x" count=7"', [COUNT, NAME], ['1', 'x" count=7']],
    [' name="(fault)" count=1', [NAME, COUNT], ['(fault)', '1']],
    [' name="two\nlines" count=1', [NAME, COUNT], ['two\nlines', '1']],
    [' name="a" title="b" count=2" count=1', [NAME, TITLE, COUNT], ['a', 'b" count=2', '1']],
    ['', [], []],
    [' name="passwd', [NAME], undefined],
    [' name="passwd" count=', [NAME, COUNT], undefined],
    [' name="passwd" count=x', [NAME, COUNT], undefined],
    [' count=1', [NAME, COUNT], undefined],
    [' count=1 more', [COUNT], undefined],
  ])('%j', (text, fields, expected) => expect(fieldTexts(text, fields)).toEqual(expected));

  test("whatever a string holds, the numbers after it are the kernel's", () => {
    const hostile = fc.string({
      unit: fc.constantFrom('"', ' count=', ' ret=', '1', '-2', ' ', '(fault)', '\n', 'x'),
      maxLength: 40,
    });
    fc.assert(
      fc.property(hostile, fc.nat(), (name, count) => {
        expect(fieldTexts(` name="${name}" count=${count} ret=-1`, [NAME, COUNT, RET])).toEqual([
          name,
          String(count),
          '-1',
        ]);
      }),
      { numRuns: 2000 },
    );
  });

  test('a long text of borders costs no time', () => {
    const text = ` name="${'" title="" count='.repeat(4000)}" title="x" count=1`;
    const fields = [NAME, TITLE, COUNT];
    const started = performance.now();
    for (let i = 0; i < 20; i++) fieldTexts(text, fields);
    expect(performance.now() - started).toBeLessThan(2000);
  });
});

const event = (name: string, isReturn: boolean, fields: readonly ProbeArgument[], filter?: string): ProbeEvent => ({
  name,
  isReturn,
  arguments: fields,
  filter,
  definition: '',
});
const probeOf = (...events: readonly ProbeEvent[]): Probe => ({
  target: {
    kind: 'function',
    place: 'vfs_read',
    name: 'vfs_read',
    address: undefined,
    isEntry: true,
    parameters: undefined,
    returns: undefined,
  },
  arguments: events.flatMap((each) => each.arguments),
  filter: undefined,
  fprobe: false,
  stack: false,
  name: 'vfs_read',
  events,
});
const TWO = probeOf(event('vfs_read', false, [NAME, COUNT]), event('vfs_read__return', true, [RET]));

function run(probe: Probe, ...lines: readonly string[]): readonly unknown[] {
  const parser = new TraceText();
  const entries = [...lines.flatMap((line) => parser.push(line)), ...parser.flush()];
  const calls = new ProbeCalls([probe]);
  const shown = [...entries.flatMap((entry) => calls.push(entry)), ...calls.end()];
  return shown.map((each) =>
    'probe' in each
      ? [
          ...each.values.map(({ text }) => text),
          each.hasReturned ? Number(each.nanoseconds ?? -1) : 'open',
          each.at?.name,
        ]
      : (each as TraceEntry).raw,
  );
}

const entry = (pid: number, time: string, name: string): string =>
  `             cat-${pid}      [001] .....   100.${time}: vfs_read: (vfs_read+0x4/0x370) name="${name}" count=1`;
const exit = (pid: number, time: string, ret: number): string =>
  `             cat-${pid}      [000] .....   100.${time}: vfs_read__return: (ksys_read+0x6f/0xf0 <- vfs_read) ret=${ret}`;
const OTHER = '             cat-7       [001] .....   100.000001: sched_waking: comm=x pid=1';

describe('calls', () => {
  test('an entry and a return of one task are one call, whatever other tasks do between', () => {
    expect(
      run(TWO, entry(7, '000010', 'a'), entry(8, '000012', 'b'), OTHER, exit(8, '000013', -2), exit(7, '000020', 5)),
    ).toEqual([OTHER, ['b', '1', '-2', 1000, 'ksys_read'], ['a', '1', '5', 10_000, 'ksys_read']]);
  });

  test('a task that is in it twice returns in the opposite order', () => {
    expect(
      run(TWO, entry(7, '000010', 'outer'), entry(7, '000020', 'inner'), exit(7, '000021', 1), exit(7, '000030', 2)),
    ).toEqual([
      ['inner', '1', '1', 1000, 'ksys_read'],
      ['outer', '1', '2', 20_000, 'ksys_read'],
    ]);
  });

  test('a call that has not returned is shown at the end, a return without its entry is not', () => {
    expect(run(TWO, exit(9, '000001', 1), entry(7, '000010', 'a'))).toEqual([['a', '1', 'open', 'vfs_read']]);
  });

  test('where a filter picks returns, calls without one are those that it left out', () => {
    const probe = probeOf(event('vfs_read', false, [NAME, COUNT]), event('vfs_read__return', true, [RET], 'ret < 0'));
    expect(run(probe, entry(7, '000010', 'a'), entry(7, '000011', 'b'), exit(7, '000012', -2))).toEqual([
      ['b', '1', '-2', 1000, 'ksys_read'],
    ]);
  });

  test('a string of several lines is one', () => {
    const [first = '', second = ''] = entry(7, '000010', 'two\nlines').split('\n');
    expect(run(TWO, first, second, exit(7, '000012', 4))).toEqual([['two\nlines', '1', '4', 2000, 'ksys_read']]);
    // It ends somewhere else than it should: nothing is lost.
    expect(run(TWO, first, OTHER)).toEqual([first, OTHER]);
    expect(run(TWO, first)).toEqual([first]);
  });

  test('calls that never return do not pile up', () => {
    const calls = new ProbeCalls([TWO]);
    const parser = new TraceText();
    let shown = 0;
    for (let pid = 1; pid <= 10_000; pid++) {
      for (const each of parser.push(entry(pid, '000010', 'a'))) shown += calls.push(each).length;
    }
    expect(shown).toBeGreaterThan(4000);
  });
});
