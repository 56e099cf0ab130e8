import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createLocalFiles } from '../../../src/backends/local/files.ts';
import { failureOf, resolveLinkPath, resolveTargetPath } from '../../../src/backends/local/paths.ts';
import type { FileResult } from '../../../src/core/memory/backend.ts';

const counted: number[] = [];
const files = createLocalFiles((bytes) => counted.push(bytes));
const text = (result: FileResult | undefined): string => {
  if (result?.ok !== true) throw new Error(result?.failure.detail);
  return Buffer.from(result.bytes).toString('latin1');
};
const failure = (result: FileResult): string =>
  result.ok ? 'read' : `${result.failure.reason}: ${result.failure.detail}`;

describe('files of this kernel', () => {
  it('are read to their end, whatever size they claim', () => {
    expect(text(files.read('/proc/version'))).toBe(readFileSync('/proc/version', 'latin1'));
    const symbols = files.read('/proc/kallsyms');
    expect(text(symbols)).toMatch(/\n$/);
    expect(text(symbols).length).toBeGreaterThan(100_000);
  });

  it('are cut at a limit, and say so', () => {
    expect(files.read('/proc/version', 5)).toEqual({
      ok: true,
      bytes: new Uint8Array(Buffer.from('Linux')),
      truncated: true,
    });
    const { length } = text(files.read('/proc/version'));
    expect(files.read('/proc/version', length)).toMatchObject({ truncated: false });
    expect(files.read('/proc/version', 0)).toMatchObject({ ok: true, truncated: true });
  });

  it('are read many at once, each with its own outcome, in one round trip', () => {
    counted.length = 0;
    const results = files.readMany(['/proc/version', '/proc/4194999/stat', `/proc/${process.pid}/comm`]);
    expect(results.map((result) => result.ok)).toEqual([true, false, true]);
    expect(counted).toHaveLength(1);
    expect(counted[0]).toBeGreaterThan(20);
  });

  it('give their names and links', () => {
    const names = files.list('/proc/self/task');
    expect(names).toMatchObject({ ok: true });
    expect(names.ok && names.names).toContain(String(process.pid));
    expect(files.list('/proc/none')).toMatchObject({ ok: false, failure: { reason: 'absent' } });
    expect(files.link?.(`/proc/${process.pid}/exe`)).toBe(process.execPath);
    expect(files.link?.('/proc/version')).toBeUndefined();
    expect(files.link?.('/etc/mtab')).toBeUndefined();
  });

  it.each([
    ['/etc/passwd', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
    ['/proc/../etc/passwd', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
    ['/proc//version', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
    ['/procfs/version', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
    ['/proc/self/root/etc/passwd', "denied: it is a link that leaves the kernel's files"],
    ['/proc/self/cwd', "denied: it is a link that leaves the kernel's files"],
    [`/proc/${process.pid}/exe`, 'denied: it is a link'],
    ['/proc/kmsg', 'denied: reading it would take its records away from its other readers'],
    ['/sys/kernel/tracing/trace_pipe', 'denied: reading it would take its records away from its other readers'],
    [
      '/sys/kernel/tracing/per_cpu/cpu0/trace_pipe_raw',
      'denied: reading it would take its records away from its other readers',
    ],
    ['/proc/kcore', 'denied: kernel memory is read as memory'],
    ['/proc/self', 'denied: it is no plain file'],
    ['/proc/nothing-here', 'absent: no such file'],
    ['/proc/version\0', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
    ['version', 'denied: not a file of the kernel: /proc, /sys and /boot are'],
  ])('refuses %s', (path, said) => {
    expect(failure(files.read(path))).toBe(said);
  });
});

describe('paths', () => {
  it('resolve links within the roots', () => {
    expect(resolveTargetPath('/proc/self/comm')).toEqual({ path: `/proc/${process.pid}/comm` });
    expect(resolveLinkPath('/proc/self/exe')).toBe(`/proc/${process.pid}/exe`);
    expect(resolveLinkPath('/proc/self/root/etc/x')).toBeUndefined();
  });

  it.each([
    ['ESRCH', 'absent', 'the process has ended'],
    ['EACCES', 'denied', 'permission denied'],
    ['EPERM', 'denied', 'not permitted'],
    ['EIO', 'io', 'EIO'],
  ])('name the error %s', (code, reason, detail) => {
    expect(failureOf('/proc/x', Object.assign(new Error('x'), { code }))).toEqual({ path: '/proc/x', reason, detail });
  });
});
