/**
 * The far side's readers on a real kernel: memory, tracefs, streams, and what is put back when they end, in whatever way.
 */
import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openCommandChannel } from '../../src/backends/remote/command-channel.ts';
import { READER_KINDS } from '../../src/backends/remote/reader/programs.ts';
import { startReader } from '../../src/backends/remote/reader/start.ts';
import type { Reader, ReaderKind } from '../../src/backends/remote/reader.ts';
import { bootGuest, type Guest } from './guest.ts';
import { type LoginUser, loginUsers } from './logins.ts';

const TRACING = '/sys/kernel/tracing';

let guest: Guest;
let ssh: readonly string[];

beforeAll(async () => {
  guest = await bootGuest({ kernel: '6.12', logins: true, node: false, threads: 'single' });
  ssh = await guest.ssh();
});
afterAll(() => guest?.close());

const start = async (kind: ReaderKind): Promise<Reader> =>
  (await startReader(openCommandChannel(['ssh', ...ssh, 'sh']), { kind, timeoutMs: 60_000 })).reader;

const files = async (reader: Reader, paths: readonly string[], limit = 64 << 20): Promise<readonly Uint8Array[]> =>
  (await reader.request({ op: 'files', paths, limit })).map((result, i) => {
    if (result === 'same' || !result.ok) throw new Error(`${paths[i]}: ${JSON.stringify(result)}`);
    return result.bytes;
  });

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

const symbol = (kallsyms: Uint8Array, name: string): bigint => {
  const match = new RegExp(`^([0-9a-f]{16}) \\w ${name}$`, 'm').exec(Buffer.from(kallsyms).toString());
  if (match === null) throw new Error(`no symbol ${name}`);
  return BigInt(`0x${match[1]}`);
};

const word = (bytes: unknown): bigint => {
  if (!(bytes instanceof Uint8Array)) throw new Error(`no bytes: ${String(bytes)}`);
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
};

const until = async (holds: () => Promise<boolean>, milliseconds: number): Promise<boolean> => {
  const end = performance.now() + milliseconds;
  while (!(await holds())) {
    if (performance.now() > end) return false;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  return true;
};

/** The process of sshd that serves this reader. */
const sshdAbove = async (reader: Reader): Promise<string> => {
  for (const pid of reader.facts.pids) {
    if ((await guest.must(`cat /proc/${pid}/comm`)).startsWith('sshd')) return `${pid}`;
  }
  throw new Error(`no sshd among ${reader.facts.pids}`);
};

/** Processes in the guest besides its own: what a reader has left. */
const left = async (): Promise<string> =>
  guest.must(`ps -o pid,args | grep -E 'k[0-9a-f]{14}|kdbg-guard' | grep -v grep || true`);

describe.each(READER_KINDS)('%s', (kind) => {
  let reader: Reader;
  beforeAll(async () => {
    reader = await start(kind);
  });
  afterAll(() => reader?.close());

  test('knows where it is', () => {
    expect(reader.facts).toMatchObject({ kind, uid: 0, release: guest.kernel.release, compresses: true });
    expect(reader.facts.buildId).toMatch(/^[0-9a-f]{40}$/);
  });

  test('reads kernel memory and walks its lists', async () => {
    const [kallsyms, modules] = (await files(reader, ['/proc/kallsyms', '/proc/modules'])) as [Uint8Array, Uint8Array];
    const banner = { space: 'virtual', address: symbol(kallsyms, 'linux_banner'), length: 64, what: 'banner' } as const;
    const [bytes, nowhere] = await reader.request({ op: 'read', ranges: [banner, { ...banner, address: 0x1000n }] });
    expect(Buffer.from(bytes as Uint8Array).toString()).toContain(`Linux version ${guest.kernel.release}`);
    expect(nowhere).toMatchObject({ reason: 'unmapped' });
    const head = symbol(kallsyms, 'modules');
    const [first] = await reader.request({ op: 'read', ranges: [{ ...banner, address: head, length: 8 }] });
    const walk = { start: word(first), nextOffset: 0, end: head, limit: 1000, ranges: [{ offset: 16, length: 16 }] };
    const walked = await reader.request({ op: 'follow', walk: { ...walk, what: 'modules' } });
    expect(walked.stopped).toBe('end');
    // struct module: state, list, name.
    const names = walked.nodes.map(
      ({ bytes: [name] }) =>
        Buffer.from(name as Uint8Array)
          .toString('latin1')
          .split('\0')[0],
    );
    const listed = Buffer.from(modules)
      .toString()
      .trim()
      .split('\n')
      .map((line) => line.split(' ')[0]);
    expect(names.sort()).toEqual(listed.sort());
  });

  test('gives files as they are', async () => {
    // None that changes while nothing is asked: the times of /proc/1/stat do.
    const paths = ['/sys/kernel/btf/vmlinux', '/proc/cmdline', '/proc/1/limits', '/sys/kernel/notes'];
    const got = await files(reader, paths);
    for (const [i, path] of paths.entries()) {
      expect(sha256(got[i] as Uint8Array), path).toBe(sha256(await guest.get(path)));
    }
    const [log] = (await files(reader, ['/dev/kmsg'])) as [Uint8Array];
    const first = Buffer.from(log).toString().split('\n')[0];
    expect(first).toMatch(/^\d+,0,\d+,-.*;Linux version/);
    expect(Buffer.from(log).toString()).toContain('kdbg_lab: planted');
    const known = sha256(got[0] as Uint8Array);
    const again = await reader.request({ op: 'files', paths: paths.slice(0, 1), limit: 64 << 20, known: [known] });
    expect(again).toEqual(['same']);
  });

  test('changes tracefs, streams what it gives, and undoes it', async () => {
    const instance = `${TRACING}/instances/kdbg-${kind}`;
    const undo = [
      { kind: 'write', path: `${instance}/tracing_on`, text: '0' },
      { kind: 'rmdir', path: instance },
    ] as const;
    await reader.request({ op: 'restore', steps: undo });
    const made = await reader.request({
      op: 'control',
      steps: [
        { kind: 'mkdir', path: instance },
        { kind: 'write', path: `${instance}/buffer_size_kb`, text: '64' },
      ],
    });
    expect(made).toBeUndefined();
    // The kernel rounds up to whole pages of the ring buffer.
    expect(Number(await guest.must(`cat ${instance}/buffer_size_kb`))).toBeLessThan(100);
    const wrong = { kind: 'write', path: `${instance}/current_tracer`, text: 'no such tracer' } as const;
    expect(await reader.request({ op: 'control', steps: [wrong] })).toMatchObject({ reason: 'io', path: wrong.path });

    const stream = reader.open(`${instance}/trace_pipe`);
    let text = '';
    let ended: string | undefined;
    stream.onData = (bytes) => {
      text += Buffer.from(bytes).toString('latin1');
      stream.taken(bytes.length);
    };
    stream.onEnd = (why) => {
      ended = why;
    };
    await reader.request({ op: 'list', path: '/proc/1' });
    for (let i = 0; i < 20; i++)
      await guest.must(`echo "mark ${i} $(head -c 300 /dev/zero | tr '\\0' y)" > ${instance}/trace_marker`);
    expect(await until(async () => text.includes('mark 19'), 60_000), `${text.slice(-300)} ${ended}`).toBe(true);
    expect([...text.matchAll(/mark (\d+) y{300}\n/g)].map(([, i]) => Number(i))).toEqual([...Array(20).keys()]);
    // Requests are answered meanwhile.
    expect(await files(reader, ['/proc/1/comm'])).toHaveLength(1);
    stream.close();
    await until(async () => (await guest.run(`rmdir ${instance}`)).status === 0, 60_000);
    expect((await guest.run(`[ -e ${instance} ]`)).status).toBe(1);
    await reader.request({ op: 'restore', steps: [] });
  });
});

describe.each(READER_KINDS)('%s puts tracefs back', (kind) => {
  const instance = `${TRACING}/instances/kdbg-end`;

  test.each<readonly [string, (reader: Reader) => Promise<void>]>([
    ['when it is told to end', async (reader) => reader.close()],
    ['when it is killed', async (reader) => void (await guest.must(`kill -9 ${reader.facts.pids[0]}`))],
    ['when sshd is killed', async (reader) => void (await guest.must(`kill -9 ${await sshdAbove(reader)}`))],
  ])('%s', async (_name, end) => {
    const reader = await start(kind);
    const steps = [
      { kind: 'write', path: `${instance}/tracing_on`, text: '0' },
      { kind: 'rmdir', path: instance },
    ] as const;
    await reader.request({ op: 'restore', steps });
    expect(await reader.request({ op: 'control', steps: [{ kind: 'mkdir', path: instance }] })).toBeUndefined();
    const stream = reader.open(`${instance}/trace_pipe`);
    await reader.request({ op: 'list', path: instance });
    expect((await guest.run(`[ -d ${instance} ]`)).status).toBe(0);
    await end(reader);
    expect(await until(async () => (await guest.run(`[ -e ${instance} ]`)).status === 1, 60_000), await left()).toBe(
      true,
    );
    expect(await until(async () => (await left()) === '', 60_000), await left()).toBe(true);
    stream.close();
    reader.close();
  });
});

describe('sudo', () => {
  const as = async (user: LoginUser, password: string | undefined, kind?: ReaderKind): Promise<Reader> => {
    const argv = ['ssh', ...ssh.slice(0, -1), `${user}@127.0.0.1`, 'sh'];
    const sudo = { ask: async () => password };
    return (await startReader(openCommandChannel(argv), { kind, timeoutMs: 60_000, sudo })).reader;
  };

  test.each(['sudoer', 'ptysudoer'] as const)('%s becomes root without a password', async (user) => {
    const reader = await as(user, undefined);
    expect(reader.facts.uid).toBe(0);
    const [bytes] = await files(reader, ['/sys/kernel/btf/vmlinux']);
    expect(sha256(bytes as Uint8Array)).toBe(sha256(await guest.get('/sys/kernel/btf/vmlinux')));
    reader.close();
    expect(await until(async () => (await left()) === '', 60_000), await left()).toBe(true);
  });

  test.each(READER_KINDS)('asker becomes root with a password: %s', async (kind) => {
    const reader = await as('asker', loginUsers.asker.password, kind);
    expect(reader.facts.uid).toBe(0);
    expect((await files(reader, ['/sys/kernel/btf/vmlinux']))[0]?.length).toBeGreaterThan(1 << 20);
    expect((await guest.run('cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ 2>/dev/null')).stdout).not.toContain(
      loginUsers.asker.password,
    );
    reader.close();
    expect(await until(async () => (await left()) === '', 60_000), await left()).toBe(true);
  });

  test('what is wrong is said', async () => {
    await expect(as('asker', 'not-the-password')).rejects.toThrow(/did not accept the password/);
    await expect(as('tty', undefined)).rejects.toThrow(/wants a terminal/);
    await expect(as('plain', loginUsers.plain.password)).rejects.toThrow(/sudo there/);
  });
});
