import { expect, test } from 'vitest';
import { Estimate } from '../../../src/app/tui/estimate.ts';

test('nothing is said of work whose extent is not known, or that has hardly begun', () => {
  const estimate = new Estimate();
  estimate.mark(undefined, 0);
  expect(estimate.leftMs).toBeUndefined();
  estimate.mark(0.1, 1000);
  estimate.mark(0.2, 1500);
  expect(estimate.leftMs).toBeUndefined();
  estimate.mark(0.2, 9000);
  expect(estimate.leftMs).toBeCloseTo(64_000);
});

test('the rest takes as long as the work of the last time did', () => {
  const estimate = new Estimate();
  // 1 % a second for 40 seconds, then four times as fast.
  for (let i = 0; i <= 40; i++) estimate.mark(i / 100, i * 1000);
  expect(estimate.leftMs).toBeCloseTo(60_000);
  for (let i = 1; i <= 10; i++) estimate.mark(0.4 + (i * 4) / 100, 40_000 + i * 1000);
  expect(estimate.leftMs).toBeGreaterThan(5_000);
  expect(estimate.leftMs).toBeLessThan(12_000);
});

test('less done than before is other work', () => {
  const estimate = new Estimate();
  estimate.mark(0.1, 0);
  estimate.mark(0.9, 10_000);
  estimate.mark(0.1, 11_000);
  expect(estimate.leftMs).toBeUndefined();
  estimate.mark(0.3, 13_000);
  expect(estimate.leftMs).toBeCloseTo(7_000);
});

test('nothing is left of what is done', () => {
  const estimate = new Estimate();
  estimate.mark(0.5, 0);
  estimate.mark(1, 2000);
  expect(estimate.leftMs).toBe(0);
});
