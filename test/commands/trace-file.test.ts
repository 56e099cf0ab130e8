/** Files of trace-cmd as commands see them: opened, shown, filtered, saved. */
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import type { FileStream } from '../../src/core/memory/backend.ts';
import { FakeKernel } from '../support/fake-kernel.ts';
import { type FakeSession, fakeSession } from '../support/fake-session.ts';
import { FakeTracefs, ROOT } from '../support/fake-tracefs.ts';
import { asZlibV7, datBytes, openDat } from '../support/trace-dat-fixture.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-trace-'));
afterAll(() => rmSync(folder, { recursive: true }));
const SYSLOG = join(folder, 'syslog.dat');
writeFileSync(SYSLOG, datBytes('syslog-6.18'));

describe('a file that is opened', () => {
  let session: FakeSession;
  beforeEach(() => {
    session = new FakeTracefs().session();
  });

  test('says what it is, and is shown', () => {
    const { rows, notices } = session.json(`trace open ${SYSLOG}`);
    expect(rows).toEqual([
      expect.objectContaining({ file: SYSLOG, version: 7, compression: 'zstd', formats: 20 }),
      { instance: null, clock: 'local', cpus: [0, 1] },
    ]);
    expect(notices).toEqual([expect.stringContaining('"trace show" shows it')]);
    expect(session.lines('trace show -n 2').at(-1)).toMatch(/^ +<idle>-0 +\[000\] d\.\.2\. +7\.322622: sched_switch: /);
    expect(session.json('trace show').rows).toHaveLength(8);
  });

  test.each<readonly [string, readonly string[]]>([
    ['-f do_syslog', ['do_syslog', 'do_syslog']],
    ["-f 'do_*' -p 1", []],
    ['-e sched:sched_switch -p 163', ['sched_switch']],
    ["-e 'sys_enter_*' -f nosuch", ['sys_enter_syslog', 'sys_enter_syslog']],
    ['-pid 15', ['sched_switch']],
  ])('show %s', (options, names) => {
    session.json(`trace open ${SYSLOG}`);
    const { rows } = session.json(`trace show ${options}`);
    expect(rows.map(({ event, function: called }) => event ?? called)).toEqual(names);
  });

  test('gives way to a trace that starts, or is closed', () => {
    expect(session.json('trace open').error).toMatch(/wants a FILE of trace-cmd/);
    session.json(`trace open ${SYSLOG}`);
    expect(session.json('trace open').notices).toEqual(['closed']);
    expect(session.json('trace show').error).toMatch(/no trace is on/);
    session.json(`trace open ${SYSLOG}`);
    session.json('trace start function -f vfs_read');
    expect(session.json('trace show').rows).toEqual([]);
  });

  test('has the buffers of instances', () => {
    const path = join(folder, 'mine.dat');
    writeFileSync(path, asZlibV7(openDat(datBytes('syslog-6.18')), 'mine'));
    expect(session.json(`trace open ${path}`).rows[1]).toEqual({ instance: 'mine', clock: 'mono', cpus: [0, 1] });
    expect(session.json('trace show -i mine -n 3').rows).toHaveLength(3);
    expect(session.json('trace show -i other').error).toMatch(/has no instance "other"/);
  });

  test.each([
    ['trace open nosuch.dat', /cannot read nosuch.dat: no such file/],
    [`trace open ${folder}`, /it is no regular file|it is a directory/],
    [`trace open ${import.meta.filename}`, /no file of trace-cmd/],
    [`trace open ${SYSLOG} more`, /wants one FILE/],
    ['trace save', /wants one FILE/],
    ['trace save x.dat', /no trace is on/],
  ])('%s', (line, message) => {
    expect(session.json(line).error).toMatch(message);
  });
});

describe('a trace that is saved', () => {
  const HEADER = openDat(datBytes('syslog-6.18')).headerPage;
  const FUNCTION = openDat(datBytes('syslog-6.18')).formats.find(({ text }) =>
    text.startsWith('name: function\n'),
  )?.text;

  /** A page with one call, of vfs_read. */
  function page(): Uint8Array {
    const view = new DataView(new ArrayBuffer(4096));
    view.setBigUint64(0, 5_000_000_000n, true);
    view.setUint32(8, 4 + 24, true);
    view.setUint32(16, 6 + 32 * 7, true);
    view.setUint16(20, 1, true);
    view.setInt32(24, 77, true);
    view.setBigUint64(28, 0xffff_ffff_8100_0000n, true);
    view.setBigUint64(36, 0xffff_ffff_8200_0010n, true);
    return new Uint8Array(view.buffer);
  }

  function machine(): { readonly fake: FakeTracefs; readonly session: FakeSession; readonly opened: string[] } {
    const fake = new FakeTracefs();
    fake.files.set(`${ROOT}/events/header_page`, HEADER);
    fake.files.set(`${ROOT}/events/header_event`, '# compressed entry header\n');
    fake.files.set(`${ROOT}/events/ftrace/function/format`, FUNCTION ?? '');
    fake.files.set(`${ROOT}/saved_cmdlines`, '77 cat\n');
    fake.files.set('/proc/sys/kernel/osrelease', '6.1.0-fake\n');
    const opened: string[] = [];
    const open = (path: string): FileStream => {
      opened.push(path);
      let pieces = path.includes('/cpu1/') ? [page()] : [];
      return {
        take: () => {
          const [first = new Uint8Array()] = pieces;
          pieces = [];
          return first;
        },
        wait: () => pieces.length > 0,
        ended: undefined,
        finish: () => new Uint8Array(),
        close: () => undefined,
      };
    };
    const kernel = new FakeKernel();
    kernel.symbols.add('vfs_read', 0xffff_ffff_8100_0000n, 'T');
    kernel.symbols.add('ksys_read', 0xffff_ffff_8200_0000n, 'T');
    kernel.symbols.add('after', 0xffff_ffff_8200_1000n, 'T');
    const session = fakeSession(kernel, { backend: { ...fake.backend(), streams: { open } }, pid: 500 });
    return { fake, session, opened };
  }

  test('holds its pages, and is read again', () => {
    const { fake, session, opened } = machine();
    const path = join(folder, 'saved.dat');
    session.json('trace start function -f vfs_read');
    const instance = `${ROOT}/instances/${fake.instances[0]}`;
    const { rows, notices, error } = session.json(`trace save ${path}`);
    expect(error).toBeUndefined();
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(rows).toMatchObject([{ file: path, entries: 1, bytes: readFileSync(path).length }]);
    expect(notices).toEqual([expect.stringMatching(/^2 entries more/), expect.stringMatching(/out of the buffer now/)]);
    // Only of the CPU that has entries; and recording goes on.
    expect(opened).toEqual([`${instance}/per_cpu/cpu1/trace_pipe_raw`]);
    expect(fake.files.get(`${instance}/tracing_on`)).toBe('1\n');
    session.json(`trace open ${path}`);
    expect(session.json('trace show').rows).toMatchObject([
      { kind: 'function', function: 'vfs_read', caller: 'ksys_read', pid: 77, comm: 'cat', cpu: 1, time: 5 },
    ]);
  });

  test('is saved after it was stopped', () => {
    const { fake, session, opened } = machine();
    const path = join(folder, 'stopped.dat');
    session.json('trace start function -f vfs_read');
    const instance = `${ROOT}/instances/${fake.instances[0]}`;
    session.json('trace stop');
    expect(fake.instances).toEqual([]);
    expect(opened).toEqual([`${instance}/per_cpu/cpu1/trace_pipe_raw`]);
    for (const _ of ['once', 'twice']) {
      const { rows, notices } = session.json(`trace save ${path}`);
      expect(rows).toMatchObject([{ file: path, entries: 1, bytes: readFileSync(path).length }]);
      expect(notices).toEqual([expect.stringMatching(/^2 entries more/)]);
    }
    session.json(`trace open ${path}`);
    expect(session.json('trace show').rows).toMatchObject([{ kind: 'function', function: 'vfs_read', comm: 'cat' }]);
  });

  test.each([
    ['too large', 'entries: 500000\nbytes: 20000000\n', /only its text is left: its buffer had 20000000 bytes/],
    ['empty', 'entries: 0\n', /only its text is left: the buffer was empty/],
  ])('is not when it was %s as it was stopped', (_, stats, message) => {
    const { fake, session, opened } = machine();
    session.json('trace start function -f vfs_read');
    fake.files.set(`${ROOT}/instances/${fake.instances[0]}/per_cpu/cpu1/stats`, stats);
    expect(session.json('trace stop').error).toBeUndefined();
    expect([fake.instances, opened]).toEqual([[], []]);
    expect(session.json('trace save x.dat').error).toMatch(message);
  });

  test('is stopped as well where its pages cannot be read', () => {
    const { fake, session } = machine();
    fake.files.delete(`${ROOT}/events/header_page`);
    session.json('trace start function -f vfs_read');
    expect(session.json('trace stop').error).toBeUndefined();
    expect(fake.instances).toEqual([]);
    expect(session.json('trace save x.dat').error).toMatch(/only its text is left: its header_page has no commit/);
  });

  test('is left as it was where nothing can be saved', () => {
    const { fake, session, opened } = machine();
    session.json('trace start function -f vfs_read');
    expect(session.json('trace save /nosuch/x.dat').error).toMatch(/cannot write/);
    const instance = `${ROOT}/instances/${fake.instances[0]}`;
    // A file that stands there keeps what it holds when the kernel gives nothing.
    const kept = join(folder, 'kept.dat');
    writeFileSync(kept, 'what was saved before');
    fake.files.delete(`${ROOT}/events/header_page`);
    expect(session.json(`trace save ${kept}`).error).toMatch(/header_page/);
    expect(readFileSync(kept, 'utf8')).toBe('what was saved before');
    fake.files.set(`${instance}/per_cpu/cpu1/stats`, 'entries: 0\n');
    opened.length = 0;
    expect(session.json('trace save x.dat').error).toMatch(/the buffer is empty/);
    expect(opened).toEqual([]);
    expect(fake.files.get(`${instance}/tracing_on`)).toBe('1\n');
  });
});
