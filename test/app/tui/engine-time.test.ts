import { expect, test } from 'vitest';
import { EngineTime, type PaneJob } from '../../../src/app/tui/engine-time.ts';
import type { Line } from '../../../src/core/output/line.ts';
import type { EngineClient } from '../../../src/engine/client.ts';
import type { Output } from '../../../src/engine/protocol.ts';

/** An engine whose lines print when they are told to; `log` is what it ran, in order. */
class FakeEngine {
  readonly log: string[] = [];
  #stop: (() => void) | undefined;
  #go: (() => void) | undefined;

  async *run(line: string): AsyncGenerator<Output> {
    this.log.push(line);
    yield { kind: 'lines', lines: [`${line}: first`] };
    const isStopped = await new Promise<boolean>((resolve) => {
      this.#stop = () => resolve(true);
      this.#go = () => resolve(false);
    });
    if (isStopped) {
      this.log.push(`${line} stopped`);
      yield { kind: 'lines', lines: [`${line}: late`] };
      yield { kind: 'error', lines: ['stopped'], status: 130 };
    } else yield { kind: 'lines', lines: [`${line}: last`] };
  }

  async complete(line: string) {
    this.log.push(`complete ${line}`);
    return { start: 0, end: 0, candidates: [], partial: false };
  }

  cancel(): void {
    this.#stop?.();
  }

  finish(): void {
    this.#go?.();
  }
}

function setUp() {
  const engine = new FakeEngine();
  const failures: unknown[] = [];
  const time = new EngineTime(engine as unknown as EngineClient, (error) => failures.push(error));
  return { engine, time, failures };
}

const settled = () => new Promise((resolve) => setTimeout(resolve, 5));

function job(line: string, key = line): PaneJob & { readonly shown: string[]; readonly ended: unknown[] } {
  const shown: string[] = [];
  const ended: unknown[] = [];
  return {
    key,
    line,
    shown,
    ended,
    take: (lines, first) => {
      if (first) shown.length = 0;
      shown.push(...lines.map(String));
    },
    done: (error) => ended.push(error),
  };
}

test('a pane is read in the time that is left, and again after what the user ran', async () => {
  const { engine, time } = setUp();
  const ps = job('ps');
  time.pane(ps);
  await settled();
  const run = time.user(async () => engine.log.push('user'));
  await run;
  await settled();
  engine.finish();
  await settled();
  expect(engine.log).toEqual(['ps', 'ps stopped', 'user', 'ps']);
  expect(ps.shown).toEqual(['ps: first', 'ps: last']);
  expect(ps.ended).toEqual([undefined]);
});

test('a pane that wants something else does not wait for what it wanted before', async () => {
  const { engine, time } = setUp();
  const [first, second] = [job('bt 1', 'stacks'), job('bt 2', 'stacks')];
  time.pane(first);
  await settled();
  time.pane(second);
  await settled();
  engine.finish();
  await settled();
  expect(engine.log).toEqual(['bt 1', 'bt 1 stopped', 'bt 2']);
  expect(first.ended).toEqual([]);
  expect(second.shown.at(-1)).toBe('bt 2: last');
});

test('panes wait for each other, and each is read once', async () => {
  const { engine, time } = setUp();
  for (const line of ['a', 'b', 'c', 'b']) time.pane(job(line));
  for (let i = 0; i < 3; i++) {
    await settled();
    engine.finish();
  }
  await settled();
  expect(engine.log).toEqual(['a', 'c', 'b']);
});

test('what never ends makes way for everything else, and goes on after it', async () => {
  const { engine, time } = setUp();
  const came: string[] = [];
  const follow = {
    ...job('trace follow'),
    endless: true,
    take: (lines: readonly Line[]) => void came.push(...lines.map(String)),
  };
  time.pane(follow);
  await settled();
  time.pane(job('ps'));
  await settled();
  expect(engine.log).toEqual(['trace follow', 'trace follow stopped', 'ps']);
  engine.finish();
  await settled();
  expect(engine.log.at(-1)).toBe('trace follow');
  // What it still had is nowhere else.
  expect(came).toEqual(['trace follow: first', 'trace follow: late', 'trace follow: first']);
  time.forget('trace follow');
  await settled();
  expect(came).toHaveLength(3);
});

test('completion goes before panes, and is not asked for while a line runs', async () => {
  const { engine, time } = setUp();
  time.pane(job('ps'));
  await settled();
  await time.complete('b', 1);
  expect(engine.log.slice(0, 3)).toEqual(['ps', 'ps stopped', 'complete b']);
  await settled();
  let end = (): void => undefined;
  const running = time.user(() => new Promise<void>((resolve) => (end = resolve)));
  await settled();
  expect(time.isRunning).toBe(true);
  expect((await time.complete('c', 1)).candidates).toEqual([]);
  end();
  await running;
  expect(engine.log).not.toContain('complete c');
});

test('lines of the user run one after the other; one that fails does not stop the next', async () => {
  const { time } = setUp();
  const order: string[] = [];
  const first = time.user(async () => {
    await settled();
    order.push('first');
    throw new Error('broken');
  });
  const second = time.user(async () => order.push('second'));
  await expect(first).rejects.toThrow('broken');
  await second;
  expect(order).toEqual(['first', 'second']);
});

test('two that ask the same question both get their answer', async () => {
  const { engine, time } = setUp();
  const answers = Promise.all([time.query('set'), time.query('set')]);
  for (let i = 0; i < 2; i++) {
    await settled();
    engine.finish();
  }
  expect((await answers).map((lines) => lines.length)).toEqual([2, 2]);
});

test('rows and lines can be asked for beside the session', async () => {
  const { engine, time } = setUp();
  const answer = time.query('help bt');
  await settled();
  engine.finish();
  expect(await answer).toEqual(['help bt: first', 'help bt: last']);
});
