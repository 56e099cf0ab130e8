/** What undoes a trace when kdbg is gone, and the patience with an instance that is busy. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { applyPatiently } from '../../../src/backends/local/busy.ts';
import { createLocalControl, GUARD } from '../../../src/backends/local/control.ts';
import { createLocalStreams } from '../../../src/backends/local/streams.ts';
import type { ControlStep, FileFailure } from '../../../src/core/memory/backend.ts';

const OUTSIDE = [
  '/proc/sys/kernel/panic',
  '/sys/kernel/tracing',
  '/sys/kernel/tracing/../mm/ksm/run',
  '/sys/kernel/tracing/./tracing_on',
  '/sys/kernel/tracing//tracing_on',
  '/sys/kernel/tracing/a\0b',
  '/sys/kernel/tracingx/y',
  'sys/kernel/tracing/tracing_on',
  '',
];

describe('where nothing is changed', () => {
  test.each(OUTSIDE)('%j', (path) => {
    const control = createLocalControl();
    for (const step of [
      { kind: 'write', path, text: '1' },
      { kind: 'append', path, text: '1' },
      { kind: 'mkdir', path },
      { kind: 'rmdir', path },
    ] as const) {
      expect(control.apply([step])).toMatchObject({ path, reason: 'denied' });
    }
  });

  test('the first that fails ends it', () => {
    const steps = OUTSIDE.map((path): ControlStep => ({ kind: 'mkdir', path }));
    expect(createLocalControl().apply(steps)?.path).toBe(OUTSIDE[0]);
    expect(createLocalControl().apply([])).toBeUndefined();
  });

  test.each(['/sys/kernel/tracing/trace', '/dev/mem', '/sys/kernel/tracing/../x/trace_pipe', '/tmp/trace_pipe'])(
    'and nothing flows from %s',
    (path) => {
      const streams = createLocalStreams(() => undefined);
      expect(streams.open(path)).toMatchObject({ path, reason: 'denied' });
    },
  );
});

describe('a removal that is busy', () => {
  const remove: ControlStep = { kind: 'rmdir', path: '/i' };
  const busy: FileFailure = { path: '/i', reason: 'io', detail: 'Device or resource busy' };

  test('is tried again, what came before it is not', () => {
    const tried: number[] = [];
    const first: ControlStep = { kind: 'write', path: '/i/tracing_on', text: '0' };
    const failure = applyPatiently([first, remove], (steps) => {
      tried.push(steps.length);
      return tried.length < 3 ? busy : undefined;
    });
    expect(failure).toBeUndefined();
    expect(tried).toEqual([2, 1, 1]);
  });

  test('for about a second', () => {
    const started = performance.now();
    expect(applyPatiently([remove], () => busy)).toBe(busy);
    expect(performance.now() - started).toBeGreaterThan(500);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  test('other failures are not', () => {
    let tries = 0;
    const failing = (failure: FileFailure) => () => {
      tries++;
      return failure;
    };
    const other = { ...busy, detail: 'EINVAL' };
    expect(applyPatiently([remove], failing(other))).toBe(other);
    expect(applyPatiently([{ ...remove, path: '/j' }], failing(busy))).toBe(busy);
    expect(tries).toBe(2);
  });
});

describe('the guard', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'kdbg-guard-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  const guard = (words: readonly string[]) =>
    spawn('/bin/sh', ['-c', GUARD, 'kdbg-guard', ...words], { stdio: ['pipe', 'ignore', 'ignore'] });
  const ended = (child: ReturnType<typeof guard>): Promise<number | null> =>
    new Promise((done) => child.once('exit', done));

  test('does its steps in their order once the pipe ends, and nothing before', async () => {
    writeFileSync(join(folder, 'filter'), 'old\n');
    mkdirSync(join(folder, 'instance'));
    const evil = `$(touch ${folder}/evil) %s \\n "'`;
    const child = guard([
      ...['write', join(folder, 'tracer'), 'nop'],
      ...['append', join(folder, 'filter'), evil],
      ...['append', join(folder, 'missing/file'), 'x'],
      ...['rmdir', join(folder, 'instance'), ''],
    ]);
    await new Promise((later) => setTimeout(later, 200));
    expect(existsSync(join(folder, 'tracer'))).toBe(false);
    child.kill('SIGTERM');
    child.kill('SIGINT');
    child.stdin.end();
    await ended(child);
    expect(readFileSync(join(folder, 'tracer'), 'utf8')).toBe('nop\n');
    expect(readFileSync(join(folder, 'filter'), 'utf8')).toBe(`old\n${evil}\n`);
    expect(existsSync(join(folder, 'instance'))).toBe(false);
    expect(existsSync(join(folder, 'evil'))).toBe(false);
  });

  test('waits for whoever has the instance busy', async () => {
    const instance = join(folder, 'instance');
    mkdirSync(instance);
    writeFileSync(join(instance, 'open'), '');
    const child = guard(['rmdir', instance, '']);
    child.stdin.end();
    setTimeout(() => rmSync(join(instance, 'open')), 400);
    await ended(child);
    expect(existsSync(instance)).toBe(false);
  });
});
