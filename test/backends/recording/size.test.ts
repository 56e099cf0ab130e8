import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { openLocal } from '../../../src/backends/local/local.ts';
import { Recorder } from '../../../src/backends/recording/record.ts';
import { openRecording } from '../../../src/backends/recording/replay.ts';
import { Folder } from './fake-backend.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const LARGE = ['/sys/kernel/btf/vmlinux', '/proc/kallsyms'];

describe.skipIf(!LARGE.every((path) => existsSync(path)))('types and symbols of this kernel', () => {
  it('are recorded once and small, and are there at once', () => {
    const path = folder.file();
    const recorder = new Recorder(openLocal());
    recorder.start(path, { tool: 'kdbg' });
    for (const line of ['sys', 'sys']) {
      recorder.command(line);
      for (const each of LARGE) recorder.backend.files?.read(each);
      recorder.end(0);
    }
    recorder.stop();
    const length = LARGE.reduce((sum, each) => sum + readFileSync(each).length, 0);
    expect(statSync(path).size).toBeLessThan(length / 3.5);

    const started = performance.now();
    const replay = openRecording(path);
    for (const each of LARGE) {
      const result = replay.backend.files?.read(each);
      expect(result?.ok && readFileSync(each).equals(result.bytes)).toBe(true);
    }
    // Some 60 ms; the budget of the whole start is 500.
    expect(performance.now() - started).toBeLessThan(1000);
    replay.close();
  });
});
