import { describe, expect, test } from 'vitest';
import { functionSpan, parseTraceText, traceItem } from '../../../src/core/command/trace-view.ts';
import type { TraceEntry } from '../../../src/core/formats/trace-entry.ts';
import type { Line } from '../../../src/core/output/line.ts';
import { textOf } from '../../../src/core/output/line.ts';
import { FakeKernel } from '../../support/fake-kernel.ts';
import { parseTrace, TRACE_RELEASES, traceSections } from '../../support/trace-fixture.ts';

const fake = new FakeKernel();
fake.symbols.add('vfs_read', 0xffff_ffff_8100_0000n);
const kernel = fake.kernel();

function shown(entry: TraceEntry): {
  readonly row: Readonly<Record<string, unknown>>;
  readonly lines: readonly Line[];
} {
  const item = traceItem(kernel, entry);
  if (item.kind !== 'row' || typeof item.view !== 'function') throw new Error('not a row with lines of its own');
  return { row: item.data, lines: [...item.view()] };
}

describe.each(TRACE_RELEASES)('every entry of %s', (release) => {
  test.each([...traceSections(release).keys()])('%s: is shown as the kernel printed it, and is JSON', (name) => {
    for (const entry of parseTrace(traceSections(release).get(name) as readonly string[])) {
      const { row, lines } = shown(entry);
      if (entry.kind !== 'lost') expect(textOf(lines[0] as Line)).toBe(entry.raw);
      expect(lines).toHaveLength(1 + (entry.stack?.length ?? 0) + (entry.userStack?.length ?? 0));
      expect(JSON.parse(JSON.stringify(row))).toEqual(row);
    }
  });
});

describe('what can be followed', () => {
  test('the task and the functions that this kernel has', () => {
    const [entry] = parseTrace(['             cat-77      [001] .....   100.000001: vfs_read <-ksys_read']);
    const spans = shown(entry as TraceEntry)
      .lines.slice(0, 1)
      .flat()
      .filter((part) => typeof part !== 'string');
    expect(spans).toMatchObject([
      { text: 'cat-77', ref: { kind: 'task', pid: 77 } },
      { text: 'vfs_read', ref: { kind: 'symbol', name: 'vfs_read', address: 0xffff_ffff_8100_0000n } },
      { text: 'ksys_read' },
    ]);
    expect(spans[2]).not.toHaveProperty('ref.address');
  });

  test('a frame is written with its offset and module', () => {
    expect(functionSpan(kernel, { name: 'f', offset: 0x1a, module: 'm' })).toMatchObject({ text: 'f+0x1a [m]' });
  });

  test('lost entries are said, in a tone of their own', () => {
    const [entry] = parseTrace(['CPU:1 [LOST 42 EVENTS]']);
    expect(shown(entry as TraceEntry).lines).toMatchObject([
      [{ text: 'CPU 1: 42 entries are missing here', tone: 'warn' }],
    ]);
  });
});

test('the text of a whole buffer', () => {
  const { tracer, entries } = parseTraceText('# tracer: function\n#\nwhatever this is\n');
  expect(tracer).toBe('function');
  expect(entries.map(({ raw }) => raw)).toEqual(['whatever this is']);
  expect(parseTraceText('').entries).toEqual([]);
});
