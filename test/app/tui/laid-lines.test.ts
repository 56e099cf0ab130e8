/** Lines of a pane that come by themselves, with calls that fold lines away. */
import { expect, test } from 'vitest';
import { type EngineTime, PANE_LINES_MAX, type PaneJob } from '../../../src/app/tui/engine-time.ts';
import { LaidLines } from '../../../src/app/tui/laid-lines.ts';
import { PaneFlow } from '../../../src/app/tui/pane-flow.ts';
import { PaneReading } from '../../../src/app/tui/pane-reading.ts';
import { Viewport } from '../../../src/app/tui/viewport.ts';
import { type Line, textOf } from '../../../src/core/output/line.ts';

/** A call by its number, with so many lines within. */
function call(n: number, within: number): Line {
  const lines = Array.from({ length: within }, (_, i): Line => [`  ${n}/${i}`]);
  if (within === 0) return [`${n}`];
  const fold = { kind: 'fold', key: `${n}`, lines, count: within, isOpen: false } as const;
  return [`${n}`, { text: `  + ${within} within`, ref: fold }];
}

function setUp() {
  const jobs: PaneJob[] = [];
  const forgotten: string[] = [];
  const time = { pane: (job: PaneJob) => void jobs.push(job), forget: (key: string) => void forgotten.push(key) };
  const viewport = new Viewport();
  const reading = new PaneReading('trace', time as unknown as EngineTime);
  const laid = new LaidLines(viewport, reading, () => undefined);
  return { jobs, forgotten, viewport, reading, laid };
}

const noUnfold = () => 'nothing to ask';

test('what is unfolded stays so while lines come, and is not followed away', () => {
  const { viewport, laid } = setUp();
  viewport.follows = true;
  laid.append([call(1, 2), call(2, 3)]);
  viewport.choose(0);
  expect(laid.toggle(noUnfold)).toBeUndefined();
  expect(viewport.follows).toBe(false);
  laid.append([call(3, 1)]);
  expect(viewport.lines.map(textOf)).toEqual(['1  - 2 within', '  1/0', '  1/1', '2  + 3 within', '3  + 1 within']);
  viewport.choose(4);
  laid.toggle(noUnfold);
  expect(viewport.lines.map(textOf).slice(3)).toEqual(['2  + 3 within', '3  - 1 within', '  3/0']);
  expect(viewport.chosen).toBe(4);
  viewport.choose(0);
  laid.toggle(noUnfold);
  expect(viewport.total).toBe(4);
  viewport.choose(3);
  expect(laid.toggle(noUnfold)).toBe('nothing to ask');
});

test('a pane that is paused unfolds what it shows, and shows what came when it goes on', () => {
  const { viewport, laid } = setUp();
  laid.append([call(1, 1)]);
  laid.pause();
  laid.append([call(2, 1)]);
  laid.toggleAll();
  expect(viewport.lines.map(textOf)).toEqual(['1  - 1 within', '  1/0']);
  laid.pause();
  expect(viewport.lines.map(textOf)).toEqual(['1  - 1 within', '  1/0', '2  + 1 within']);
});

test('no more is kept than a pane may hold, with what is folded away; what is looked at stays as long as it is kept', () => {
  const { viewport, reading, laid } = setUp();
  const weight = () => reading.lines.reduce((sum: number) => sum + 100, 0);
  const batch = (from: number) => Array.from({ length: 50 }, (_, i) => call(from + i, 99));
  let most = 0;
  for (let n = 0; n < 3000; n += 50) {
    laid.append(batch(n));
    if (n === 1000) viewport.choose(900);
    if (n === 1250) expect(textOf(viewport.line ?? '')).toBe('900  + 99 within');
    most = Math.max(most, weight());
  }
  expect(most).toBeLessThanOrEqual(PANE_LINES_MAX * 1.25);
  expect(weight()).toBeGreaterThanOrEqual(PANE_LINES_MAX / 2);
  expect(textOf(reading.lines.at(-1) ?? '')).toBe('2999  + 99 within');
  // 900 is long gone: the oldest that is left is shown.
  expect(viewport.chosen).toBe(0);
});

test('what flowed stays when another view goes on, and is there again after something else was looked at', () => {
  const { jobs, forgotten, reading } = setUp();
  const flow = new PaneFlow(reading, { take: (lines) => void reading.append(lines), ended: () => undefined });
  expect(flow.turnTo('trace follow')).toBe(false);
  expect(jobs).toEqual([]);
  flow.isFollowing = true;
  expect(flow.turnTo('trace follow')).toBe(false);
  jobs.at(-1)?.take(['a'], true);
  expect(flow.turnTo('trace follow --raw')).toBe(true);
  expect(jobs.map(({ line, endless }) => [line, endless])).toEqual([
    ['trace follow', true],
    ['trace follow --raw', true],
  ]);
  jobs.at(-1)?.take(['b'], true);
  expect(flow.turnTo(undefined)).toBe(false);
  expect(flow.holds).toBe(false);
  expect(forgotten).toContain('trace: stream');
  reading.put(['what is traced']);
  expect(flow.turnTo('trace follow')).toBe(true);
  expect(reading.lines).toEqual(['a', 'b']);
  jobs.at(-1)?.done(undefined);
  expect(flow.isFollowing).toBe(false);
});

test('what flowed stays when it ends, with what was left of it, until the pane is read anew', () => {
  const { jobs, reading } = setUp();
  const flow = new PaneFlow(reading, { take: (lines) => void reading.append(lines), ended: () => undefined });
  flow.isFollowing = true;
  flow.turnTo('trace follow');
  jobs.at(-1)?.take(['a'], true);
  flow.end('trace show');
  const [rest] = jobs.slice(-1);
  expect(rest).toMatchObject({ line: 'trace show' });
  rest?.take(['b'], true);
  // The user's command went first: it is read once more.
  rest?.take(['b'], true);
  rest?.take(['c'], false);
  rest?.done(undefined);
  expect(reading.lines).toEqual(['a', 'b', 'c']);
  expect(flow.holds).toBe(true);
  expect(flow.turnTo('trace follow --raw')).toBe(true);
  flow.end('trace show');
  expect(jobs).toHaveLength(2);
  flow.forget();
  expect(flow.holds).toBe(false);
});

test('what was read from the buffer gives way to what a stream takes out of it', () => {
  const { jobs, viewport, reading, laid } = setUp();
  const texts = () => viewport.lines.map(textOf);
  viewport.follows = true;
  reading.load(
    'trace show',
    false,
    () => laid.lay(),
    () => laid.lay(),
  );
  jobs[0]?.take(['1', '2'], true);
  jobs[0]?.done(undefined);
  const flow = new PaneFlow(reading, { take: (lines) => laid.append(lines), ended: () => undefined });
  flow.isFollowing = true;
  flow.turnTo('trace follow');
  // As long as nothing comes it stands there.
  jobs[1]?.take([], true);
  expect(texts()).toEqual(['1', '2']);
  jobs[1]?.take(['1', '2', '3'], false);
  jobs[1]?.take(['4'], false);
  expect(texts()).toEqual(['1', '2', '3', '4']);
  expect(viewport.follows).toBe(true);
  flow.end('trace show');
  jobs[2]?.take(['5', '6'], true);
  jobs[2]?.done(undefined);
  expect(texts()).toEqual(['1', '2', '3', '4', '5', '6']);
  flow.isFollowing = true;
  flow.turnTo('trace follow');
  jobs[3]?.take(['5', '6', '7'], false);
  expect(texts()).toEqual(['1', '2', '3', '4', '5', '6', '7']);
});
