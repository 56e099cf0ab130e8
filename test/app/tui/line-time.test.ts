import fc from 'fast-check';
import { expect, test } from 'vitest';
import { lineAt, timeOf } from '../../../src/app/tui/line-time.ts';

test('lines of the log and of a trace say when they are from', () => {
  expect(timeOf('[   31.406335] INFO: task lab_ab:136 blocked')).toBe(31.406335);
  expect(timeOf('            node-226     [001] d..2.   812.408117: vfs_read <-ksys_read')).toBe(812.408117);
  expect(timeOf([' kworker/u4:1-39      [000] .....  ', { text: '7.000001: ' }, 'sched_switch: prev'])).toBe(7.000001);
  expect(timeOf('      100.000001 [000]           cat-77        9.000 us  outer  + 4 within')).toBe(100.000001);
  expect(timeOf('      100.000002                               2.000 us    first')).toBe(100.000002);
  expect(timeOf('  100.000003 |   0)    cat-77     |   2.000 us    |    first();')).toBe(100.000003);
  expect(timeOf(' schedule+0x5a/0xd0')).toBeUndefined();
  expect(timeOf('# tracer: nop')).toBeUndefined();
});

test('the line of a time is the last one that is not later', () => {
  const lines = ['# head', '[    1.0] a', ' continued', '[    2.0] b', '[    2.0] c', ' continued', '[    4.0] d'];
  expect([0.5, 1, 1.9, 2, 3, 4, 9].map((time) => lineAt(lines, time))).toEqual([1, 1, 1, 4, 4, 6, 6]);
  expect(lineAt(['nothing', 'here'], 1)).toBeUndefined();
  expect(lineAt([], 1)).toBeUndefined();
});

test('whatever stands between, it is the line that a look at each of them finds', () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(steps, fc.nat(60), (records, time) => {
      let now = 1;
      const lines = records.map(([step, isRecord]) => {
        now += step;
        return isRecord ? `[ ${now}.0] x` : ' more';
      });
      const times = lines.map(timeOf);
      const last = times.findLastIndex((its) => its !== undefined && its <= time);
      const first = times.findIndex((its) => its !== undefined);
      expect(lineAt(lines, time)).toBe(last >= 0 ? last : first >= 0 ? first : undefined);
    }),
  );
});
