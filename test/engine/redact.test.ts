/** Redacting a recording: what was planted in it is gone, it replays as before, and a fault in replacing is noticed. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { commands } from '../../commands/index.ts';
import { MemoryText } from '../../src/backends/recording/redact/memory-text.ts';
import { verify } from '../../src/backends/recording/verify.ts';
import type { Redaction } from '../../src/core/command/recorded-session.ts';
import { CancelledError } from '../../src/core/errors.ts';
import { type MakeMemoryText, redact } from '../../src/engine/redact.ts';
import { plantRecording } from '../support/planted-recording.ts';
import { openReplay } from '../support/replay-session.ts';
import { unpackedRecording } from '../support/unpacked-recording.ts';

const SOURCE = resolve(import.meta.dirname, '../../recordings/oom-kill.kdbg');
/** Pages of the direct map that the recording does not have. */
const PAGE = 0xffff8b8000000000n;
const ADDRESS = PAGE + 0x7000n;

/** A dentry that holds its own name: what d_name.name points at stands behind it. */
function dentry(address: bigint, name: string): Buffer {
  const bytes = Buffer.alloc(192);
  bytes.writeUInt32LE(name.length, 0x24);
  bytes.writeBigUInt64LE(address + 0x38n, 0x28);
  bytes.write(name, 0x38, 'latin1');
  return bytes;
}

/** Every one of these must be gone, also as a part of another word. */
const SECRETS = [
  'qarnx',
  'brunhilde',
  'kowalski',
  'quarterly',
  'zarathustra',
  'hunter2pass',
  'xylophone17',
  'wolpertinger',
  'Łódź-żółw',
  'brzezinski',
  'tq7',
  '10.77.31.9',
  '52:54:00:ab:cd:ef',
  'hildegard',
];

const PLANTED = {
  target: 'ssh:kowalski@brunhilde',
  pages: [
    {
      address: ADDRESS,
      texts: {
        64: '/home/kowalski/quarterly.ods\0',
        200: '\x02\0\0\0qarnx\0',
        512: dentry(ADDRESS + 512n, 'tq7'),
        1024: 'connect 10.77.31.9:22 52:54:00:ab:cd:ef\0',
        2048: 'Łódź-żółw.txt\0',
        4090: 'zarath',
      },
    },
    { address: ADDRESS + 4096n, texts: { 0: 'ustra\0' } },
    { address: 0x7ffc00001000n, texts: { 0: 'password=hunter2pass\0', 3000: 'ab\0' } },
  ],
  files: {
    '/proc/cmdline': 'root=/dev/vda1 ro machine=hildegard ip=10.77.31.9:22\n',
    '/proc/1/environ': 'TOKEN=wolpertinger\0',
  },
  // The name of a task, and a word in the log.
  instead: { webshop: 'qarnx\0\0', 'Detected 26': 'xylophone17' },
  typed: {
    'database export': 'qarnx export',
    // A part of a word finds nothing any more when both are replaced.
    'log -i -g /kill/': 'log -g xylophon',
    anyone: 'brzezinski',
    alert: 'call to brzezinski of wolpertinger',
  },
};

/** Each redaction takes some seconds. */
vi.setConfig({ testTimeout: 180_000 });

let folder: string;
let planted: string;
const progress = { check: () => undefined, step: () => undefined, commands };

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'kdbg-redact-'));
  planted = join(folder, 'planted.kdbg');
  plantRecording(SOURCE, planted, PLANTED);
});
afterEach(() => rmSync(join(folder, 'fresh.kdbg'), { force: true }));
afterAll(() => rmSync(folder, { recursive: true }));

/** What is left in the folder besides what was there. */
function left(): readonly string[] {
  return readdirSync(folder).filter((name) => name !== 'planted.kdbg');
}

function failure(makeMemory: MakeMemoryText): string {
  try {
    redact(planted, join(folder, 'bad.kdbg'), progress, makeMemory);
  } catch (error) {
    return (error as Error).message;
  }
  return 'it was kept';
}

it('a trace goes on by the name that kdbg gave it, though a task of its own has that name as well', () => {
  const traced = join(folder, 'traced.kdbg');
  const target = join(folder, 'fresh.kdbg');
  const from = SOURCE.replace('oom-kill', 'who-ate-my-log');
  const nothing = { target: 'ssh:root@brunhilde', pages: [], files: {}, typed: {} };
  plantRecording(from, traced, { ...nothing, instead: { 'telemetry\0': 'kdbg-guard' } });
  expect(openReplay(traced).run('ps kdbg-guard').lines.join()).toContain('kdbg-guard');
  redact(traced, target, progress);
  rmSync(traced);
  const line = 'trace callers do_syslog';
  expect(openReplay(target).run(line).lines.join('\n')).toContain('__x64_sys_syslog');
});

describe('a recording', () => {
  it('says nothing any more of what was planted in it, and replays', () => {
    const target = join(folder, 'fresh.kdbg');
    const before = unpackedRecording(readFileSync(planted));
    const there = SECRETS.filter((secret) => before.includes(Buffer.from(secret).toString('latin1')));
    expect(SECRETS.filter((secret) => !there.includes(secret))).toEqual([]);
    const done: Redaction = redact(planted, target, progress);
    const after = unpackedRecording(readFileSync(target));
    expect(SECRETS.filter((secret) => after.includes(Buffer.from(secret).toString('latin1')))).toEqual([]);
    expect(after).not.toMatch(/zarath|ustra\0|xylophone|database/);
    expect(after.slice(0, after.indexOf('\n'))).toContain('"userData":false');
    expect(statSync(target).mode & 0o777).toBe(0o600);
    expect(left()).toEqual(['fresh.kdbg']);
    expect(done.replaced.map(({ kind }) => kind)).toEqual(
      expect.arrayContaining([
        'task names',
        'file names',
        'text in memory',
        'pages of processes',
        'files of processes',
      ]),
    );
    expect(done.notices).toEqual([
      expect.stringMatching(/^what "log -g [a-z]{8}" printed is left out: with its words/),
    ]);
    const old = openReplay(planted);
    const fresh = openReplay(target);
    for (const line of ['ps', 'foreach UN bt', 'kmsg readers', 'report 1']) {
      expect(fresh.run(line).lines).toHaveLength(old.run(line).lines.length);
    }
    // The name is the same one in what was typed, in memory and in what is printed.
    const [typed] = [...(fresh.session.shell.recorded?.lines ?? [])].filter(({ text }) => text.startsWith('ps '));
    const [first = '', second = ''] = (typed?.text ?? '').split(' ').slice(1);
    expect(first).toMatch(/^[a-z]{5}$/);
    expect(fresh.run(`ps ${first}`).lines).toHaveLength(old.run('ps qarnx').lines.length);
    expect(fresh.run('oom').lines.join('\n')).toContain(second);
    old.close();
    fresh.close();
  });

  it('that was cut off is redacted as far as it goes', () => {
    const cut = join(folder, 'fresh.kdbg');
    writeFileSync(cut, readFileSync(planted).subarray(0, -20_000));
    const target = join(folder, 'whole.kdbg');
    try {
      const { notices } = redact(cut, target, progress);
      expect(notices).toContainEqual(expect.stringMatching(/is cut off in chunk \d+/));
      expect(verify(target)).toMatchObject({ ok: true, problems: [] });
    } finally {
      rmSync(target, { force: true });
    }
  });

  it('is written to a new file only', () => {
    expect(() => redact(planted, planted, progress)).toThrow(/it exists/);
    expect(() => redact(planted, join(folder, 'none', 'x.kdbg'), progress)).toThrow(
      /none\/x\.kdbg: there is no directory/,
    );
    expect(left()).toEqual([]);
  });

  it('leaves nothing behind when it is stopped', () => {
    let asked = 0;
    const check = (): void => {
      if (++asked > 3000) throw new CancelledError();
    };
    expect(() => redact(planted, join(folder, 'stopped.kdbg'), { ...progress, check })).toThrow(CancelledError);
    expect(left()).toEqual([]);
  });
});

describe('a fault in replacing is noticed', () => {
  it('of one page that is left as it was', () => {
    const says = failure((layout, redactor) => {
      class Forgetful extends MemoryText {
        override redact(...[bytes, address, ...rest]: Parameters<MemoryText['redact']>): Uint8Array {
          return address === ADDRESS ? bytes : super.redact(bytes, address, ...rest);
        }
      }
      return new Forgetful(layout, redactor);
    });
    expect(says).toMatch(/still tells something.*page ffff8b8000007000 has "(kowalski|quarterly|qarnx|home)"/);
    expect(left()).toEqual([]);
  });

  it('of something else than text that is changed', () => {
    const says = failure((layout, redactor) => {
      class Careless extends MemoryText {
        override redact(...given: Parameters<MemoryText['redact']>): Uint8Array {
          const bytes = Buffer.from(super.redact(...given));
          for (let at = 0; at + 8 <= bytes.length; at += 8) {
            if (bytes.readUInt16LE(at + 6) === 0xffff) bytes.writeUInt8(0x41, at);
          }
          return bytes;
        }
      }
      return new Careless(layout, redactor);
    });
    expect(says).toMatch(/does not replay as this one does/);
    expect(existsSync(join(folder, 'bad.kdbg'))).toBe(false);
    expect(left()).toEqual([]);
  });
});
