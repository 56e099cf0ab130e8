import { statSync } from 'node:fs';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { Recorder, type RecordOptions } from '../../../src/backends/recording/record.ts';
import { openRecording, type Recording } from '../../../src/backends/recording/replay.ts';
import { verify } from '../../../src/backends/recording/verify.ts';
import type { FileResult } from '../../../src/core/memory/backend.ts';
import { Fault } from '../../../src/core/memory/fault.ts';
import { decodeText, encodeText } from '../../../src/core/memory/text.ts';
import { dump, FakeBackend, Folder, pageOf, request } from './fake-backend.ts';

const folder = new Folder();
afterAll(() => folder.remove());

const BASE = 0xffff888000001000n;
const OPTIONS: RecordOptions = { tool: 'kdbg 1.2.3', pid: 42, now: () => Date.UTC(2026, 10, 21) };

/** Records what `session` does on a fresh target and opens the result. */
function recorded(
  session: (recorder: Recorder, inner: FakeBackend) => void,
  options: Partial<RecordOptions> = {},
): { readonly replay: Recording; readonly path: string } {
  const path = folder.file();
  const inner = new FakeBackend();
  inner.texts.set('/proc/sys/kernel/osrelease', '6.1.0-fake\n');
  inner.texts.set('/proc/sys/kernel/random/boot_id', 'b00t\n');
  const recorder = new Recorder(inner);
  recorder.start(path, { ...OPTIONS, ...options });
  session(recorder, inner);
  recorder.stop();
  expect(verify(path)).toMatchObject({ ok: true, problems: [] });
  return { replay: openRecording(path), path };
}

const page = (replay: Recording, address: bigint, length?: number): Uint8Array | Fault =>
  replay.backend.memory?.read([request(address, length)])[0] as Uint8Array | Fault;
const text = (result: FileResult | undefined): string =>
  result?.ok === true ? decodeText(result.bytes) : `${result?.failure.reason}: ${result?.failure.detail}`;

describe('a recording', () => {
  it('says whose it is in a first line that is plain JSON', () => {
    const { replay, path } = recorded(() => undefined);
    expect(replay.header).toEqual({
      version: 2,
      tool: 'kdbg 1.2.3',
      created: '2026-11-21T00:00:00.000Z',
      target: { name: 'fake', liveness: 'live', serves: ['memory', 'files'], pid: 42 },
      kernel: { release: '6.1.0-fake', version: undefined, arch: undefined, buildId: undefined, bootId: 'b00t' },
      userData: false,
    });
    expect(dump(path).text).toMatch(/^\{"kdbg":2,"minReader":1,"tool":"kdbg 1\.2\.3",/);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(replay.backend.capabilities().map(({ name }) => name)).toEqual(['replay', 'memory']);
    expect(replay.backend.vmcoreinfo?.()).toBe('OSRELEASE=6.1.0-fake\nPAGESIZE=4096');
    expect(replay.notices).toEqual([]);
  });

  it('gives back pages, zeros, faults and long ranges', () => {
    const { replay } = recorded(({ backend }, inner) => {
      inner.place(BASE, pageOf(1));
      inner.place(BASE + 0x1000n, new Uint8Array(4096));
      inner.place(BASE + 0x2000n, pageOf(3));
      inner.place(0x1000n, pageOf(9), 'physical');
      backend.memory?.read([request(BASE, 3 * 4096), request(BASE + 0x9000n)]);
      backend.memory?.read([request(0x1000n, 4096, 'a test', 'physical')]);
    });
    expect(page(replay, BASE)).toEqual(pageOf(1));
    expect(page(replay, BASE, 3 * 4096)).toEqual(
      Uint8Array.from([...pageOf(1), ...new Uint8Array(4096), ...pageOf(3)]),
    );
    expect(page(replay, BASE + 0xffcn, 8)).toEqual(Uint8Array.from([...pageOf(1).subarray(0xffc), 0, 0, 0, 0]));
    expect(page(replay, BASE + 0x9000n)).toMatchObject({ reason: 'unmapped', what: 'a test' });
    expect(page(replay, 0x1000n)).toMatchObject({ reason: 'not-recorded' });
    expect(replay.backend.memory?.read([request(0x1000n, 4096, 'x', 'physical')])).toEqual([pageOf(9)]);
    expect(page(replay, BASE + 0x2000n, 8192)).toMatchObject({ reason: 'not-recorded', length: 8192 });
    expect((page(replay, BASE + 0x5000n) as Fault).message).toBe(
      'cannot read a test (4096 bytes at ffff888000006000): not recorded',
    );
    expect(page(replay, BASE, -1)).toMatchObject({ reason: 'truncated' });
    expect(page(replay, BASE, 2 ** 40)).toMatchObject({ reason: 'truncated' });
  });

  it('holds whole pages however little was asked for', () => {
    const { replay } = recorded(({ backend }, inner) => {
      inner.place(BASE, pageOf(1));
      inner.place(BASE + 0x1000n, pageOf(2));
      const [answer] = backend.memory?.read([request(BASE + 0xff0n, 32)]) ?? [];
      expect(answer).toEqual(Uint8Array.from([...pageOf(1).subarray(0xff0), ...pageOf(2).subarray(0, 16)]));
    });
    expect(page(replay, BASE, 8192)).toEqual(Uint8Array.from([...pageOf(1), ...pageOf(2)]));
  });

  it('knows which page of a long range was bad', () => {
    const { replay } = recorded(({ backend }, inner) => {
      inner.place(BASE, pageOf(1));
      inner.place(BASE + 0x2000n, pageOf(3));
      expect(backend.memory?.read([request(BASE, 3 * 4096)])[0]).toBeInstanceOf(Fault);
    });
    expect(page(replay, BASE)).toEqual(pageOf(1));
    expect(page(replay, BASE + 0x1000n)).toMatchObject({ reason: 'unmapped' });
    expect(page(replay, BASE + 0x2000n)).toEqual(pageOf(3));
    expect(page(replay, BASE, 3 * 4096)).toMatchObject({ reason: 'unmapped', address: BASE, length: 3 * 4096 });
  });

  it('holds a part of a page where the whole cannot be read', () => {
    const { replay } = recorded(({ backend }, inner) => {
      inner.place(BASE, pageOf(1));
      inner.lengths.set(`virtual ${BASE.toString(16)}`, 0x800);
      expect(backend.memory?.read([request(BASE + 0x10n, 16)])[0]).toEqual(pageOf(1).subarray(0x10, 0x20));
    });
    expect(page(replay, BASE + 0x14n, 8)).toEqual(pageOf(1).subarray(0x14, 0x1c));
    expect(page(replay, BASE + 0x18n, 16)).toMatchObject({ reason: 'truncated' });
    expect(page(replay, BASE)).toMatchObject({ reason: 'truncated' });
  });

  it('holds the whole pages of a list that was walked on the far side', () => {
    const { replay } = recorded(({ backend }, inner) => {
      const first = pageOf(1);
      new DataView(first.buffer).setBigUint64(0x18, BASE + 0x5000n, true);
      inner.place(BASE, first);
      inner.place(BASE + 0x5000n, new Uint8Array(4096));
      const walk = { start: BASE + 0x10n, nextOffset: 8, end: undefined, limit: 10, ranges: [], what: 'a list' };
      expect(backend.memory?.follow?.(walk).nodes.map((node) => node.address)).toEqual([BASE + 0x10n, BASE + 0x5000n]);
    });
    expect(replay.backend.memory?.follow).toBeUndefined();
    expect(page(replay, BASE)).toBeInstanceOf(Uint8Array);
    expect(page(replay, BASE + 0x5000n)).toEqual(new Uint8Array(4096));
  });

  it('gives back files, failures, directories and links', () => {
    const { replay } = recorded(({ backend }, inner) => {
      inner.texts.set('/proc/version', 'Linux\u00e9');
      inner.texts.set('/proc/empty', '');
      inner.names.set('/proc', ['1', 'a\nb']);
      inner.names.set('/proc/none', []);
      inner.links.set('/proc/1/exe', '/sbin/init');
      backend.files?.read('/proc/version', 5);
      backend.files?.readMany(['/proc/empty', '/proc/gone']);
      for (const path of ['/proc', '/proc/none', '/secret']) backend.files?.list(path);
      for (const path of ['/proc/1/exe', '/proc/2/exe']) backend.files?.link?.(path);
    });
    const { files } = replay.backend;
    expect(files?.read('/proc/version')).toEqual({ ok: true, bytes: encodeText('Linux'), truncated: true });
    expect(files?.read('/proc/version', 2)).toMatchObject({ ok: true, truncated: true });
    expect(text(files?.read('/proc/empty'))).toBe('');
    expect(text(files?.read('/proc/gone'))).toBe('absent: no such file');
    expect(text(files?.read('/proc/never'))).toBe('not-recorded: the recorded session never read it');
    expect(files?.list('/proc')).toEqual({ ok: true, names: ['1', 'a\nb'] });
    expect(files?.list('/proc/none')).toEqual({ ok: true, names: [] });
    expect(files?.list('/secret')).toMatchObject({ ok: false, failure: { reason: 'denied' } });
    expect(files?.list('/proc/version')).toMatchObject({ ok: false, failure: { reason: 'not-recorded' } });
    expect([files?.link?.('/proc/1/exe'), files?.link?.('/proc/2/exe')]).toEqual(['/sbin/init', undefined]);
  });

  it('gives back ranges of programs', () => {
    const ranges = [
      { offset: 0, length: 4 },
      { offset: 100, length: 3 },
    ];
    const { replay } = recorded(({ backend }, inner) => {
      inner.texts.set('/bin/sh', 'x'.repeat(100).concat('abc'));
      expect(backend.programs?.read('/bin/sh', ranges)).toMatchObject({ ok: true });
      expect(backend.programs?.read('/bin/none', ranges)).toMatchObject({ ok: false });
    });
    const read = (path: string, wanted = ranges) => replay.backend.programs?.read(path, wanted);
    expect(read('/bin/sh')).toMatchObject({ ok: true, bytes: ['xxxx', 'abc'].map(encodeText) });
    expect(read('/bin/none')).toMatchObject({ failure: { reason: 'denied', detail: 'it is no program' } });
    expect(read('/bin/sh', [{ offset: 0, length: 5 }])).toMatchObject({ failure: { reason: 'not-recorded' } });
  });

  it('gives back the session', () => {
    let clock = 1000;
    const { replay } = recorded(
      (recorder) => {
        clock = 1500;
        recorder.command('ps');
        recorder.output(['PID', ' 1 <init>\t"']);
        recorder.output([]);
        clock = 1750;
        recorder.end(0);
        recorder.note('who holds it?');
        recorder.command('  bt 7 ', 'pane');
        recorder.end(1);
        recorder.command('ps');
        recorder.output(['']);
      },
      { now: () => clock },
    );
    expect(replay.events.map((event) => (event.kind === 'note' ? event.text : event.line))).toEqual([
      'ps',
      'who holds it?',
      '  bt 7 ',
      'ps',
    ]);
    expect(replay.commands[0]).toMatchObject({ epoch: 1, by: 'user', at: 500, durationMs: 250, status: 0 });
    expect(replay.commands[1]).toMatchObject({ by: 'pane', status: 1, output: undefined });
    expect(replay.commands[2]).toMatchObject({ status: undefined });
    expect([1, 2, 3].map((epoch) => replay.output(epoch))).toEqual([['PID', ' 1 <init>\t"'], [], ['']]);
    expect([replay.epochsOf('ps'), replay.epochsOf('bt  7'), replay.epochsOf('sym')]).toEqual([[1, 3], [2], []]);
    expect(replay.position).toBe(3);
    expect(replay.epochFor('ps')).toBe(1);
    replay.seek(1);
    expect([replay.epochFor('ps'), replay.now()]).toEqual([3, 1500]);
    expect(() => replay.seek(4)).toThrow(/no command "4" in .*, which has 3/);
  });

  it('answers a line from where a person ran it, and only else from a start-up file', () => {
    const { replay } = recorded((recorder) => {
      for (const [line, by] of [
        ['ps', 'rc'],
        ['bt', 'rc'],
        ['ps', 'user'],
        ['ps', 'rc'],
        ['ps', 'pane'],
      ] as const) {
        recorder.command(line, by);
        recorder.end(0);
      }
    });
    const visited: (number | undefined)[] = [];
    for (let i = 0; i < 3; i++) {
      visited.push(replay.epochFor('ps'));
      replay.seek(replay.epochFor('ps') ?? 0);
    }
    expect(visited).toEqual([3, 5, 3]);
    expect([replay.epochFor('bt'), replay.epochFor('sym')]).toEqual([2, undefined]);
  });

  it('stores what is the same once', () => {
    const { path } = recorded(({ backend }, inner) => {
      const long = 'x'.repeat(5000);
      inner.texts.set('/a', long);
      inner.texts.set('/b', long);
      for (let i = 0; i < 100; i++) inner.place(BASE + BigInt(i * 4096), pageOf(i % 2));
      for (let round = 0; round < 3; round++) {
        backend.memory?.read([request(BASE, 100 * 4096)]);
        backend.files?.readMany(['/a', '/b']);
      }
    });
    // VMCOREINFO, two pages, one file.
    expect(verify(path).contents).toBe(4);
  });

  it('writes neighbours as one run and zeros as nothing', () => {
    const { path } = recorded(({ backend }, inner) => {
      for (let i = 0; i < 512; i++) inner.place(BASE + BigInt(i * 4096), i < 256 ? new Uint8Array(4096) : pageOf(i));
      backend.memory?.read([request(BASE, 512 * 4096)]);
    });
    const [line] = dump(path).journal.filter((each) => each.includes('"pages"'));
    expect(JSON.parse(line as string)).toEqual({
      k: 'pages',
      space: 'virtual',
      runs: [
        ['ffff888000001000', 0, 256],
        ['ffff888000101000', 2, 256],
      ],
    });
  });

  it('gives back any reads of any memory', () => {
    const reads = fc.array(fc.tuple(fc.nat(15), fc.nat(0x1fff), fc.integer({ min: 1, max: 9000 })), { maxLength: 12 });
    fc.assert(
      fc.property(fc.array(fc.nat(3), { minLength: 16, maxLength: 16 }), reads, (kinds, asked) => {
        const live: (Uint8Array | Fault | undefined)[] = [];
        const requests = asked.map(([page, offset, length]) => request(BASE + BigInt(page * 4096 + offset), length));
        const { replay } = recorded(({ backend }, inner) => {
          for (const [i, kind] of kinds.entries()) {
            if (kind > 0) inner.place(BASE + BigInt(i * 4096), kind === 1 ? new Uint8Array(4096) : pageOf(kind + i));
          }
          live.push(...(backend.memory?.read(requests) ?? []));
        });
        const again = replay.backend.memory?.read(requests) ?? [];
        for (const [i, answer] of live.entries()) {
          if (answer instanceof Fault) expect((again[i] as Fault).message).toBe(answer.message);
          else expect(Buffer.from(again[i] as Uint8Array).equals(answer as Uint8Array)).toBe(true);
        }
        replay.close();
      }),
      { numRuns: 40 },
    );
  });
});

describe('what changes while it is recorded', () => {
  const { replay } = recorded((recorder, inner) => {
    const { memory, files } = recorder.backend;
    const read = (seed: number, ...addresses: bigint[]): void => {
      for (const address of addresses) inner.place(address, pageOf(seed));
      inner.texts.set('/proc/uptime', String(seed));
      memory?.read(addresses.map((address) => request(address)));
      files?.read('/proc/uptime');
    };
    read(10, BASE);
    recorder.command('one');
    read(11, BASE, BASE + 0x1000n);
    recorder.end(0);
    recorder.command('two');
    recorder.end(0);
    recorder.command('three');
    read(31, BASE);
    read(32, BASE);
    read(31, BASE);
    recorder.end(0);
    recorder.command('four');
    read(41, BASE + 0x2000n);
    recorder.end(0);
  });
  const seedAt = (address: bigint): number => {
    const answer = page(replay, address);
    return [10, 11, 31, 32, 41].find((seed) => Buffer.compare(pageOf(seed), answer as Uint8Array) === 0) ?? -1;
  };

  it.each([
    // Before the first command; command one; two, which read nothing; four: the newest of three.
    [0, [10, 11, 41]],
    [1, [11, 11, 41]],
    [2, [11, 11, 41]],
    [4, [31, 11, 41]],
    ['end', [31, 11, 41]],
  ] as const)('is at position %s as it was then', (position, seeds) => {
    replay.seek(position);
    expect([BASE, BASE + 0x1000n, BASE + 0x2000n].map(seedAt)).toEqual(seeds);
    replay.seek(position);
    expect([BASE, BASE + 0x1000n, BASE + 0x2000n].map(seedAt)).toEqual(seeds);
  });

  it('changes within a command as it did, and then stays', () => {
    replay.seek('end');
    replay.seek(3);
    expect([1, 2, 3, 4].map(() => seedAt(BASE))).toEqual([31, 32, 31, 31]);
    expect([1, 2, 3, 4].map(() => text(replay.backend.files?.read('/proc/uptime')))).toEqual(['31', '32', '31', '31']);
    replay.seek(3);
    expect(seedAt(BASE)).toBe(31);
  });
});
