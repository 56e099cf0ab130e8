import { afterAll, describe, expect, it } from 'vitest';
import { Recorder } from '../../../src/backends/recording/record.ts';
import { openRecording } from '../../../src/backends/recording/replay.ts';
import { isUserFile, isUserMemory } from '../../../src/backends/recording/user-data.ts';
import { USER_MEMORY } from '../../../src/core/memory/backend.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { dump, FakeBackend, Folder, request } from './fake-backend.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const SECRET = 'hunter2-the-password';
const USER_PAGE = 0x7654000n;
const PATHS = ['/proc/7/environ', '/proc/7/cmdline', '/proc/7/task/8/maps', '/proc/self/auxv', '/proc/7/map_files/1-2'];

/** A session that shows a process's arguments, and something else before and after. */
function recordSession(userData: boolean): string {
  const path = folder.file();
  const inner = new FakeBackend();
  inner.place(USER_PAGE, new Uint8Array(Buffer.from(`--password=${SECRET}`.padEnd(4096, '\0'))), 'physical');
  for (const each of PATHS) inner.texts.set(each, `TOKEN=${SECRET}`);
  inner.texts.set('/proc/7/comm', 'daemon\n');
  const recorder = new Recorder(inner);
  recorder.start(path, { tool: 'kdbg', userData });
  const { memory, files } = recorder.backend;
  for (const line of ['ps', 'ps -a 7', 'ps -m']) {
    recorder.command(line);
    if (line === 'ps -a 7') {
      const what = `${USER_MEMORY}: arguments of 7`;
      const [page, part] =
        memory?.read([request(USER_PAGE, 4096, what, 'physical'), request(USER_PAGE + 8n, 32, what, 'physical')]) ?? [];
      // Who uses the session sees all of it.
      expect(Buffer.from(page as Uint8Array).toString()).toContain(SECRET);
      expect(Buffer.from(part as Uint8Array).toString()).toContain(SECRET.slice(0, 8));
      for (const result of files?.readMany(PATHS) ?? []) expect(result.ok).toBe(true);
      recorder.output([`7 daemon --password=${SECRET}`]);
    } else {
      expect(files?.read('/proc/7/comm').ok).toBe(true);
      recorder.output([`7 daemon (${line})`]);
    }
    recorder.end(0);
  }
  recorder.stop();
  return path;
}

describe('data of users', () => {
  it('is nowhere in a recording that was not asked for it, the printed lines included', () => {
    const path = recordSession(false);
    expect(dump(path).text).not.toContain(SECRET.slice(0, 8));
    const replay = openRecording(path);
    expect(replay.header.userData).toBe(false);
    expect([1, 2, 3].map((epoch) => replay.output(epoch))).toEqual([
      ['7 daemon (ps)'],
      undefined,
      ['7 daemon (ps -m)'],
    ]);
    const [fault] = replay.backend.memory?.read([request(USER_PAGE, 4096, 'x', 'physical')]) ?? [];
    expect(fault).toBeInstanceOf(Fault);
    expect((fault as Fault).message).toMatch(/not recorded \(user data is recorded only with --record-user\)$/);
    for (const each of PATHS) {
      expect(replay.backend.files?.read(each)).toMatchObject({
        ok: false,
        failure: { reason: 'not-recorded', detail: 'user data is recorded only with --record-user' },
      });
    }
    replay.close();
  });

  it('is there when it was asked for', () => {
    const path = recordSession(true);
    const replay = openRecording(path);
    expect(replay.header.userData).toBe(true);
    expect(replay.output(2)).toEqual([`7 daemon --password=${SECRET}`]);
    const [page] = replay.backend.memory?.read([request(USER_PAGE, 4096, 'x', 'physical')]) ?? [];
    expect(Buffer.from(page as Uint8Array).toString()).toContain(SECRET);
    for (const each of PATHS) expect(replay.backend.files?.read(each).ok).toBe(true);
    replay.close();
  });

  it.each([
    ['/proc/1/environ', true],
    ['/proc/1/task/2/environ', true],
    ['/proc//1/./environ', true],
    ['/proc/1/../1/cmdline', true],
    ['/proc/thread-self/mem', true],
    ['/proc/1/smaps_rollup', true],
    ['/proc/1/stat', false],
    ['/proc/1/status', false],
    ['/proc/1/stack', false],
    ['/proc/1/comm', false],
    ['/proc/cmdline', false],
    ['/proc/1/environment', false],
    ['/sys/kernel/environ', false],
  ])('%s is such a file: %s', (path, expected) => {
    expect(isUserFile(path)).toBe(expected);
  });

  it('in memory is known by how its reads are named', () => {
    expect(isUserMemory({ what: `${USER_MEMORY}: argv` })).toBe(true);
    expect(isUserMemory({ what: 'task_struct.comm' })).toBe(false);
  });
});
