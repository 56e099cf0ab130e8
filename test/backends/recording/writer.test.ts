import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { afterAll, describe, expect, it } from 'vitest';
import { Recorder, record } from '../../../src/backends/recording/record.ts';
import { openRecording } from '../../../src/backends/recording/replay.ts';
import type { Sink } from '../../../src/backends/recording/sink.ts';
import { createRecording, RecordingWriter } from '../../../src/backends/recording/writer.ts';
import { dump, FakeBackend, Folder, pageOf, request } from './fake-backend.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const BASE = 0xffff888000001000n;
const HEADER = {
  tool: 'kdbg',
  target: { name: 'fake', liveness: 'live', serves: ['memory', 'files'] },
  kernel: { release: undefined, version: undefined, arch: undefined, buildId: undefined, bootId: undefined },
  userData: false,
} as const;

/** Bytes that do not compress: each page is its own. */
function noise(seed: number): Uint8Array {
  let state = seed + 1;
  return Uint8Array.from({ length: 4096 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 24;
  });
}

describe('a file to record into', () => {
  it('is never written over', () => {
    const path = folder.file();
    writeFileSync(path, 'precious');
    expect(() => createRecording(path, { header: HEADER })).toThrow(/cannot record to .*: it exists/);
    expect(readFileSync(path, 'utf8')).toBe('precious');
    expect(() => createRecording(`${folder.path}/no/where.kdbg`, { header: HEADER })).toThrow(/no such directory/);
  });

  it('is its owner’s only, whatever the umask', () => {
    const before = process.umask(0);
    try {
      const writer = createRecording(folder.file(), { header: HEADER });
      writer.close();
      expect(statSync(writer.path).mode & 0o777).toBe(0o600);
      expect(statSync(writer.path).size).toBe(writer.bytes);
    } finally {
      process.umask(before);
    }
  });
});

describe('while it is written', () => {
  it('can be read up to the last command that ended', () => {
    const inner = new FakeBackend();
    const path = folder.file();
    const writer = createRecording(path, { header: HEADER });
    const { memory } = record(inner, writer);
    for (let i = 1; i <= 5; i++) {
      writer.command(`command ${i}`);
      inner.place(BASE, pageOf(i));
      memory?.read([request(BASE)]);
      const during = openRecording(path);
      expect(during.commands).toHaveLength(i - 1);
      during.close();
      writer.end(0);
      const after = openRecording(path);
      expect(after.commands).toHaveLength(i);
      expect(after.backend.memory?.read([request(BASE)])).toEqual([pageOf(i)]);
      expect(after.notices).toEqual([expect.stringMatching(/was not ended: it is still being written/)]);
      after.close();
    }
    writer.close();
  });

  it('keeps what a long command read, but for the last megabyte', () => {
    const inner = new FakeBackend();
    const path = folder.file();
    const writer = createRecording(path, { header: HEADER });
    const { memory } = record(inner, writer);
    writer.command('foreach bt');
    for (let i = 0; i < 1000; i++) {
      inner.place(BASE + BigInt(i * 4096), noise(i));
      memory?.read([request(BASE + BigInt(i * 4096))]);
    }
    const replay = openRecording(path);
    const answers = replay.backend.memory?.read(
      Array.from({ length: 1000 }, (_, i) => request(BASE + BigInt(i * 4096))),
    );
    const there = answers?.filter((answer) => answer instanceof Uint8Array).length ?? 0;
    expect(there).toBeGreaterThan(1000 - 300);
    expect(answers?.[there - 1]).toEqual(noise(there - 1));
    expect(replay.commands).toHaveLength(1);
    replay.close();
    writer.close();
  });

  it('takes no more memory the longer it is', () => {
    const inner = new FakeBackend();
    const writer = createRecording(folder.file(), { header: HEADER, compression: 'none' });
    const { memory } = record(inner, writer);
    const grown: number[] = [];
    for (let i = 0; i < 8; i++) {
      writer.command(`command ${i}`);
      inner.pages.clear();
      const requests = Array.from({ length: 1000 }, (_, k) => request(BASE + BigInt(k * 4096)));
      for (const [k, { address }] of requests.entries()) inner.place(address, noise(i * 1000 + k));
      memory?.read(requests);
      inner.asked.length = 0;
      writer.output(['x'.repeat(5_000_000), 'y']);
      writer.end(0);
      grown.push(process.memoryUsage().arrayBuffers);
    }
    // Each command read 4 MB; none of it is kept.
    expect((grown.at(-1) ?? 0) - (grown[2] ?? 0)).toBeLessThan(40 * 1024 * 1024);
    writer.close();
  });

  it('keeps of endless output its start, and how much was cut', () => {
    const path = folder.file();
    const writer = createRecording(path, { header: HEADER });
    writer.command('rd');
    for (let i = 0; i < 120; i++)
      writer.output(Array.from({ length: 1000 }, () => 'a line of fifty bytes.............................'));
    writer.end(0);
    writer.close();
    const replay = openRecording(path);
    const kept = replay.output(1)?.length ?? 0;
    expect(kept).toBeGreaterThan(80_000);
    expect(replay.commands[0]?.output).toMatchObject({ cut: 120_000 - kept });
    replay.close();
  });
});

describe('a disk that is full', () => {
  /** Takes this many bytes and then fails, after half of the write as disks do. */
  const fullSink = (room: number): { readonly sink: Sink; readonly bytes: () => Buffer } => {
    let bytes: Buffer = Buffer.alloc(0);
    const sink: Sink = {
      append(parts) {
        const all = Buffer.concat(parts);
        if (bytes.length + all.length > room) {
          bytes = Buffer.concat([bytes, all.subarray(0, all.length >> 1)]);
          throw new Error('no space left on device');
        }
        bytes = Buffer.concat([bytes, all]);
      },
      truncate(length) {
        bytes = bytes.subarray(0, length);
      },
      sync: () => undefined,
      close: () => undefined,
    };
    return { sink, bytes: () => bytes };
  };

  it('ends the recording with a whole chunk and a reason, and not the session', () => {
    const whole = fullSink(Number.POSITIVE_INFINITY);
    const run = (sink: Sink): { readonly failures: string[]; readonly writer: RecordingWriter } => {
      const failures: string[] = [];
      const writer = new RecordingWriter('/x.kdbg', sink, {
        header: HEADER,
        onFailure: (failure) => failures.push(`${failure.message} (${failure.hint})`),
        now: () => 0,
      });
      const inner = new FakeBackend();
      const { memory, files } = record(inner, writer);
      for (let i = 1; i <= 4; i++) {
        writer.command(`command ${i}`);
        inner.place(BASE, noise(i));
        expect(memory?.read([request(BASE)])).toEqual([noise(i)]);
        files?.list('/proc');
        writer.output(['x']);
        writer.end(0);
        writer.note('y');
      }
      writer.close();
      writer.close();
      return { failures, writer };
    };
    run(whole.sink);
    const path = folder.file();
    for (let room = 0; room < whole.bytes().length; room += 499) {
      const full = fullSink(room);
      const { failures, writer } = run(full.sink);
      expect(failures).toHaveLength(1);
      expect(failures[0]).toMatch(
        /^cannot write the recording \/x\.kdbg: no space left on device; it ends after \d commands \(the session goes on/,
      );
      expect(writer.isOpen).toBe(false);
      expect(writer.failure?.message).toContain('no space left');
      expect(full.bytes().equals(whole.bytes().subarray(0, full.bytes().length))).toBe(true);
      if (full.bytes().length === 0) continue;
      writeFileSync(path, full.bytes());
      expect(() => dump(path)).not.toThrow();
    }
  });
});

describe('a recorder', () => {
  it('does nothing while idle, and hands everything on', () => {
    const inner = new FakeBackend();
    inner.place(BASE, pageOf(1));
    const recorder = new Recorder(inner);
    recorder.command('ps');
    recorder.output(['x']);
    recorder.note('x');
    recorder.end(0);
    recorder.stop();
    expect(recorder.backend.memory?.read([request(BASE + 16n, 8)])).toEqual([pageOf(1).subarray(16, 24)]);
    expect(inner.asked).toEqual([request(BASE + 16n, 8)]);
    expect(recorder.backend).toMatchObject({ name: 'fake', liveness: 'live', counters: { bytes: 0 } });
    expect(recorder.backend.vmcoreinfo?.()).toContain('OSRELEASE');
    recorder.backend.close();
    expect(inner.closed).toBe(true);
  });

  it('goes from one file to the next', () => {
    const inner = new FakeBackend();
    inner.place(BASE, pageOf(1));
    const recorder = new Recorder(inner);
    const paths = [folder.file(), folder.file()];
    for (const path of paths) {
      recorder.start(path, { tool: 'kdbg' });
      recorder.command(path);
      recorder.backend.memory?.read([request(BASE)]);
    }
    expect(() => recorder.start(paths[0] as string, { tool: 'kdbg' })).toThrow(/it exists/);
    expect(recorder.writer?.path).toBe(paths[1]);
    recorder.stop();
    for (const path of paths) {
      const replay = openRecording(path);
      expect(replay.notices).toEqual([]);
      expect(replay.commands.map(({ line, status }) => [line, status])).toEqual([[path, undefined]]);
      expect(replay.backend.memory?.read([request(BASE)])).toEqual([pageOf(1)]);
      replay.close();
    }
  });
});
