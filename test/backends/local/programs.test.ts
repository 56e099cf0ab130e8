import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createLocalPrograms } from '../../../src/backends/local/programs.ts';
import { coreFile } from '../../support/elf-builder.ts';

const counted: number[] = [];
const programs = createLocalPrograms((bytes) => counted.push(bytes));
const folder = mkdtempSync(join(tmpdir(), 'kdbg-programs-'));
afterAll(() => rmSync(folder, { recursive: true }));

const made = (name: string, bytes: Uint8Array): string => {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
};
const linked = (name: string, to: string): string => {
  const path = join(folder, name);
  symlinkSync(to, path);
  return path;
};
const said = (path: string): string => {
  const result = programs.read(path, [{ offset: 0, length: 4 }]);
  return result.ok ? 'read' : `${result.failure.reason}: ${result.failure.detail}`;
};

describe('programs of this machine', () => {
  it('are read in ranges, through links and as those of processes', () => {
    const whole = readFileSync(process.execPath);
    const ranges = [
      { offset: 1, length: 3 },
      { offset: 100_000, length: 70_000 },
    ];
    for (const path of [process.execPath, linked('node', process.execPath), `/proc/${process.pid}/exe`]) {
      const result = programs.read(path, ranges);
      if (!result.ok) throw new Error(result.failure.detail);
      expect(result.bytes.map((bytes) => Buffer.compare(bytes, whole.subarray(1, 4)) === 0)[0]).toBe(true);
      expect(Buffer.compare(result.bytes[1] as Uint8Array, whole.subarray(100_000, 170_000))).toBe(0);
    }
    expect(counted.at(-1)).toBe(70_003);
  });

  it.each([
    ['/none', 'absent: no such file'],
    ['/etc', 'denied: it is no program'],
    ['/dev/null', 'denied: no path of a program'],
    ['/proc/kcore', 'denied: no path of a program'],
    ['/sys/kernel/tracing/trace_pipe', 'denied: no path of a program'],
    ['bin/sh', 'denied: no path of a program'],
    ['/bin/../bin/sh', 'denied: no path of a program'],
    [made('text', Buffer.from('#!/bin/sh\n'.repeat(20))), 'denied: it is no program'],
    [made('dump', coreFile({ segments: [], notes: new Uint8Array(64) })), 'denied: it is no program'],
    [linked('device', '/dev/zero'), 'denied: it is no program'],
    [linked('pipe', '/proc/self/stat'), 'denied: it is no program'],
  ])('are nothing else: %s', (path, expected) => {
    expect(said(path)).toBe(expected);
  });

  it('say where they end, and that too much is asked', () => {
    expect(programs.read(process.execPath, [{ offset: 2 ** 40, length: 1 }])).toMatchObject({
      failure: { reason: 'io', detail: 'the file ends' },
    });
    expect(programs.read(process.execPath, [{ offset: 0, length: 2 ** 31 }])).toMatchObject({
      failure: { reason: 'denied' },
    });
  });
});
