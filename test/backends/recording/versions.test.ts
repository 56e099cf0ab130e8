import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Versions } from '../../../src/backends/recording/versions.ts';

/** The rule as docs/recording.md states it, by plain search. */
function expected(
  entries: readonly { epoch: number; answer: number }[],
  position: number,
  nth: number,
): number | undefined {
  const here = entries.filter((entry) => entry.epoch === position);
  if (here.length > 0) return here[Math.min(nth, here.length - 1)]?.answer;
  return (entries.findLast((entry) => entry.epoch < position) ?? entries.find((entry) => entry.epoch > position))
    ?.answer;
}

describe('answers by epoch', () => {
  it('follow the rule, asked in any order', () => {
    const key = fc.nat(3);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(key, fc.nat(2)), { maxLength: 60 }),
        fc.array(fc.tuple(key, fc.nat(30), fc.integer({ min: 1, max: 4 })), { maxLength: 20 }),
        (added, asked) => {
          const versions = new Versions<number>();
          const model = new Map<number, { epoch: number; answer: number }[]>();
          let epoch = 0;
          for (const [answer, [to, step]] of added.entries()) {
            epoch += step;
            versions.add(to, epoch, answer);
            model.set(to, [...(model.get(to) ?? []), { epoch, answer }]);
          }
          for (const [of, position, times] of asked) {
            versions.rewind();
            for (let nth = 0; nth < times; nth++) {
              expect(versions.find(of, position)).toBe(expected(model.get(of) ?? [], position, nth));
            }
          }
          expect(versions.size).toBe(added.length);
        },
      ),
    );
  });
});
