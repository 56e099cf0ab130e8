/** A target behind a link: what opening it costs, what a second visit spares, and a connection that is lost. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { BackendError, CancelledError, OpenError } from '../../../src/core/errors.ts';
import type { FileResult } from '../../../src/core/memory/backend.ts';
import { decodeText } from '../../../src/core/memory/text.ts';
import { FakeMemory, fakeFiles } from '../../support/fake-kernel.ts';
import { FakeLink, type FakeLinkOptions, fakeRemote } from '../../support/fake-link.ts';

const folder = mkdtempSync(join(tmpdir(), 'kdbg-remote-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const KALLSYMS = `ffffffff81000000 T _stext\n${'ffffffff81000010 t name\n'.repeat(1000)}`;
const FILES: Readonly<Record<string, string>> = {
  '/proc/kallsyms': KALLSYMS,
  '/proc/self/uid_map': '         0          0 4294967295\n',
  '/proc/self/status': 'NSpid:\t4242\n',
  '/proc/sys/kernel/osrelease': '6.12.0-test\n',
  '/proc/sys/kernel/random/boot_id': 'boot-1\n',
  '/sys/kernel/btf/vmlinux': 'BTF of vmlinux',
  '/sys/kernel/btf/xfs': 'BTF of xfs',
  '/proc/sched_debug': 'now',
};

function open(
  options: FakeLinkOptions & { readonly cache?: string; readonly texts?: Readonly<Record<string, string>> } = {},
) {
  const link = new FakeLink(new FakeMemory(), { files: fakeFiles(options.texts ?? FILES), ...options });
  const { backend, notices } = fakeRemote(link, options.cache);
  const { files } = backend;
  if (files === undefined) throw new Error('the test has no files');
  return { link, backend, files, notices };
}

const textOf = (result: FileResult): string => (result.ok ? decodeText(result.bytes) : result.failure.reason);

describe('opening a target behind a link', () => {
  it('is one exchange, and symbols and types are on their way with it', () => {
    const { backend, link, files } = open();
    expect(backend.counters.roundTrips).toBe(1);
    expect(link.requests.filter(({ op }) => op === 'files')).toHaveLength(5);
    // What never changes is known from then on.
    expect(textOf(files.read('/proc/sys/kernel/osrelease'))).toBe('6.12.0-test\n');
    expect(backend.counters.roundTrips).toBe(1);
    expect(textOf(files.read('/proc/kallsyms'))).toBe(KALLSYMS);
    expect(textOf(files.read('/sys/kernel/btf/vmlinux'))).toBe('BTF of vmlinux');
    expect(backend.counters.roundTrips).toBeLessThanOrEqual(2);
  });

  it('tells what a reader sees as a local one would, and what root would add', () => {
    const told = (uid: number) =>
      open({ facts: { uid } })
        .backend.capabilities()
        .map(({ name, available, help }) => [name, available, help]);
    expect(told(0)).toContainEqual(['memory', true, undefined]);
    expect(told(0)).toContainEqual(['reader', true, undefined]);
    const user = new FakeLink(new FakeMemory(), { facts: { uid: 1000 }, files: fakeFiles(FILES), kcore: 'denied' });
    const { backend } = fakeRemote(user);
    expect(backend.memory).toBeUndefined();
    expect(backend.capabilities().find(({ name }) => name === 'memory')).toMatchObject({
      available: false,
      detail: 'only root may read /proc/kcore',
    });
    expect(backend.capabilities().find(({ name }) => name === 'reader')?.help).toContain('--sudo');
  });

  it('is refused in words', () => {
    const link = new FakeLink(new FakeMemory());
    link.refusals.push(new OpenError('web7: connection refused'));
    expect(() => fakeRemote(link)).toThrow(OpenError);
  });

  it('fetches nothing again at a second visit, and what changed', () => {
    const cache = join(folder, 'visits');
    const first = open({ cache });
    for (const path of ['/proc/kallsyms', '/sys/kernel/btf/vmlinux', '/sys/kernel/btf/xfs']) first.files.read(path);
    const second = open({ cache });
    for (const path of Object.keys(FILES)) expect(textOf(second.files.read(path))).toBe(FILES[path]);
    expect(second.backend.counters.bytes).toBeLessThan(first.backend.counters.bytes / 2);
    const changed = { ...FILES, '/proc/kallsyms': `${KALLSYMS}ffffffffc0000000 t late\t[xfs]\n` };
    const third = open({ cache, texts: changed });
    expect(textOf(third.files.read('/proc/kallsyms'))).toBe(changed['/proc/kallsyms']);
    // A kernel of another build has nothing to do with it.
    const other = open({ cache, facts: { buildId: 'ffffffffffffffff' } });
    expect(other.link.requests.some((request) => request.op === 'files' && request.known !== undefined)).toBe(false);
  });

  it('fetches what was kept and is damaged', () => {
    const cache = join(folder, 'damaged');
    open({ cache }).files.read('/proc/kallsyms');
    const { files, backend } = open({ cache });
    rmSync(cache, { recursive: true });
    expect(textOf(files.read('/proc/kallsyms'))).toBe(KALLSYMS);
    expect(backend.counters.roundTrips).toBeLessThanOrEqual(3);
  });

  it('reads many files with one request, and no file that is none of the kernel', () => {
    const { files, backend, link } = open();
    const before = backend.counters.roundTrips;
    link.requests.length = 0;
    const results = files.readMany([
      '/proc/sched_debug',
      '/etc/shadow',
      '/proc/1/root/etc/shadow',
      '/sys/nothing',
      '/proc/kcore',
    ]);
    expect(results.map(textOf)).toEqual(['now', 'denied', 'denied', 'absent', 'denied']);
    expect(backend.counters.roundTrips - before).toBe(1);
    expect(link.requests).toMatchObject([{ op: 'files', paths: ['/proc/sched_debug', '/sys/nothing'] }]);
    expect(files.list('/etc').ok).toBe(false);
    expect(files.link?.('/etc/localtime')).toBeUndefined();
  });

  it('changes nothing but tracefs', () => {
    const { backend, link } = open();
    const inside = { kind: 'write', path: '/sys/kernel/tracing/instances/kdbg/tracing_on', text: '0' } as const;
    expect(backend.control?.apply([inside])).toBeUndefined();
    expect(backend.control?.apply([inside, { kind: 'write', path: '/proc/sysrq-trigger', text: 'b' }])).toMatchObject({
      reason: 'denied',
    });
    expect(link.controlled).toEqual([inside]);
    expect(backend.streams?.open('/proc/kmsg')).toMatchObject({ reason: 'denied' });
  });
});

describe('a connection that is lost', () => {
  it('fails what runs, and is made again with all that was said before', () => {
    const { backend, link, files } = open();
    const steps = [{ kind: 'write', path: '/sys/kernel/tracing/tracing_on', text: '0' }] as const;
    backend.control?.restore(steps);
    expect(backend.regain?.()).toBeUndefined();
    link.lost = 'the connection was reset';
    link.restore = [];
    expect(() => files.read('/proc/sched_debug')).toThrow(BackendError);
    expect(() => files.read('/proc/sched_debug')).toThrow(/web7 was lost: the connection was reset/);
    expect(backend.regain?.()).toBe('same boot');
    expect(textOf(files.read('/proc/sched_debug'))).toBe('now');
    expect(link.restore).toEqual(steps);
  });

  it('is tried again, each time a little later, and given up in words', () => {
    const { backend, link } = open();
    link.lost = 'gone';
    link.refusals.push(...[1, 2, 3].map(() => new OpenError('no route to host')));
    expect(() => backend.regain?.()).toThrow('web7 cannot be reached: no route to host');
    expect(link.rested).toBeGreaterThan(1000);
    link.refusals.push(new OpenError('no route to host'));
    expect(backend.regain?.()).toBe('same boot');
  });

  it('is not tried again when the user does not want it', () => {
    const { backend, link } = open();
    link.lost = 'gone';
    link.refusals.push(new CancelledError());
    expect(() => backend.regain?.()).toThrow(CancelledError);
    expect(link.rested).toBe(0);
  });

  it('notices a reboot by the boot id', () => {
    const { backend, link, files } = open();
    link.lost = 'gone';
    link.facts = { ...link.facts, bootId: 'boot-2' };
    expect(backend.regain?.()).toBe('rebooted');
    expect(textOf(files.read('/proc/kallsyms'))).toBe(KALLSYMS);
  });
});
