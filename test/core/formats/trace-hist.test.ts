import { describe, expect, test } from 'vitest';
import { parseHistogram } from '../../../src/core/formats/trace-hist.ts';
import { decodeText, encodeText } from '../../../src/core/memory/text.ts';
import { mutate, seededRandom } from '../../support/mutations.ts';

const CALLS = `# event histogram
#
# trigger info: hist:keys=id.syscall,common_pid.execname:vals=hitcount:sort=hitcount.descending:size=2048 [active]
#

{ id: sys_wait4                     [ 61], common_pid: sh              [       211] } hitcount:         28
{ id: unknown_syscall               [18446744073709551615], common_pid: a, b: } c       [       212] } hitcount:          3

Totals:
    Hits: 31
    Entries: 2
    Dropped: 7
`;
/** Linux 6.12 prints its own name of the key; the entries are as 6.1 and 6.12 print them. */
const STACKS = `# event histogram
{ common_stacktrace:
         __schedule+0x5bc/0xbf0
         do_wait+0x5d/0x110
         lab_wait+0x10/0x20 [kdbg_lab]
, common_pid:        211} hitcount:         13
{ stacktrace:
         schedule_idle+0x23/0x40
} hitcount:          2
`;

describe('a histogram', () => {
  test('by fields, whose values may hold what separates keys', () => {
    const { entries, dropped } = parseHistogram(CALLS, ['id.syscall', 'common_pid.execname']);
    expect(dropped).toBe(7);
    expect(entries.map(({ keys, count }) => [...keys.values(), count])).toEqual([
      ['sys_wait4 [61]', 'sh [211]', 28],
      ['unknown_syscall [18446744073709551615]', 'a, b: } c [212]', 3],
    ]);
  });

  test('by stacks', () => {
    const { entries } = parseHistogram(STACKS, ['stacktrace', 'common_pid']);
    expect(entries.map(({ keys }) => keys.get('common_pid'))).toEqual(['211', undefined]);
    expect(entries[0]?.keys.get('stacktrace')).toEqual([
      { name: '__schedule', offset: 0x5bc },
      { name: 'do_wait', offset: 0x5d },
      { name: 'lab_wait', offset: 0x10, module: 'kdbg_lab' },
    ]);
    expect(entries[1]?.keys.get('stacktrace')).toEqual([{ name: 'schedule_idle', offset: 0x23 }]);
  });

  test('that is damaged is bounded', () => {
    expect(parseHistogram('', ['id'])).toEqual({ entries: [], dropped: 0 });
    expect(parseHistogram(`{ id:\n${' x\n'.repeat(100_000)}} hitcount: 1`, ['id']).entries).toHaveLength(1);
    const random = seededRandom(7);
    const whole = encodeText(CALLS + STACKS);
    for (let i = 0; i < 10_000; i++) {
      const { entries } = parseHistogram(decodeText(mutate(whole, random)), ['id', 'stacktrace', 'common_pid']);
      expect(entries.length).toBeLessThan(20);
    }
  });
});
