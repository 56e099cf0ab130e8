import { describe, expect, it } from 'vitest';
import { capabilitiesOf, type Facts } from '../../../src/backends/local/capabilities.ts';
import { factsOf, lockdownLevel, probe } from '../../../src/backends/local/probe.ts';
import type { FileSource } from '../../../src/core/memory/backend.ts';
import { encodeText } from '../../../src/core/memory/text.ts';

/** A whole machine with root on it. */
const ALL: Facts = {
  isRoot: true,
  inUserNamespace: false,
  inPidNamespace: false,
  lockdown: undefined,
  kcore: 'ok',
  kcoreDetail: '',
  ranges: 7,
  kallsyms: 'ok',
  hidesAddresses: false,
  kptrRestrict: '0',
  btf: 'ok',
  moduleBtf: 3,
  log: 'ok',
  dmesgRestrict: '1',
  stack: 'ok',
};
const USER: Partial<Facts> = { isRoot: false };
const CONTAINER: Partial<Facts> = { inPidNamespace: true };

/** `detail -> help` of one capability. */
function told(name: string, facts: Partial<Facts>): string {
  const capability = capabilitiesOf({ ...ALL, ...facts }).find((each) => each.name === name);
  return `${capability?.available ? 'yes' : 'no'}: ${capability?.detail} -> ${capability?.help}`;
}

describe('what this machine offers', () => {
  it('is all of it on a whole machine, from where it comes', () => {
    expect(capabilitiesOf(ALL).map(({ name, available, detail }) => `${name} ${available}: ${detail}`)).toEqual([
      'memory true: /proc/kcore, 7 ranges',
      'files true: /proc, /sys, /dev/kmsg',
      'symbols true: /proc/kallsyms',
      'types true: BTF of vmlinux and 3 modules',
      'log true: /dev/kmsg',
      'stacks true: /proc/PID/stack',
    ]);
  });

  it.each<[string, Partial<Facts>, RegExp]>([
    ['memory', { kcore: 'absent' }, /built without CONFIG_PROC_KCORE -> .*work without it/],
    ['memory', { kcore: 'absent', ...CONTAINER }, /in this container -> run kdbg on the host/],
    ['memory', { kcore: 'empty' }, /empty: a container runtime hides it -> .*privileged container/],
    ['memory', { kcore: 'denied', ...USER }, /only root may read \/proc\/kcore -> .*sudo kdbg/],
    ['memory', { kcore: 'denied', lockdown: 'confidentiality' }, /locked down for confidentiality.* -> .*integrity/],
    ['memory', { kcore: 'denied', lockdown: 'confidentiality', ...USER }, /locked down for confidentiality/],
    ['memory', { kcore: 'denied', lockdown: 'integrity', ...USER }, /only root/],
    ['memory', { kcore: 'denied' }, /this process may not .*CAP_SYS_RAWIO.* -> run kdbg as full root/],
    ['memory', { kcore: 'denied', inUserNamespace: true }, /root of a container may not .* -> .*host itself/],
    ['memory', { kcore: 'error', kcoreDetail: 'EIO' }, /cannot be used: EIO -> /],
    ['symbols', { hidesAddresses: true, kptrRestrict: '2' }, /from everybody .*=2.* -> sysctl kernel\.kptr_restrict=1/],
    ['symbols', { hidesAddresses: true, kptrRestrict: '1', ...USER }, /from this user .*=1.* -> .*sudo/],
    ['symbols', { hidesAddresses: true, kptrRestrict: '1' }, /from this process \(CAP_SYSLOG/],
    ['symbols', { kallsyms: 'absent' }, /CONFIG_KALLSYMS/],
    ['symbols', { kallsyms: 'denied' }, /cannot be read -> run kdbg as root/],
    ['types', { btf: 'absent' }, /CONFIG_DEBUG_INFO_BTF -> /],
    ['types', { btf: 'error' }, /cannot be read -> /],
    ['log', { log: 'denied', ...USER }, /may not read \/dev\/kmsg \(kernel\.dmesg_restrict=1\) -> run kdbg as root/],
    ['log', { log: 'absent', ...CONTAINER }, /no \/dev\/kmsg here -> run kdbg on the host/],
    ['stacks', { stack: 'absent' }, /CONFIG_STACKTRACE/],
    ['stacks', { stack: 'denied', ...USER }, /CAP_SYS_ADMIN.* -> .*sudo/],
  ])('is no %s of a machine with %o, for a reason and with help', (name, facts, expected) => {
    expect(told(name, facts)).toMatch(/^no: /);
    expect(told(name, facts)).toMatch(expected);
  });
});

describe('the facts', () => {
  const machine = (texts: Readonly<Record<string, string>>): FileSource =>
    ({
      readMany: (paths: readonly string[], limit = 1e6) =>
        paths.map((path) => {
          const text = texts[path];
          const reason = text === 'EPERM' ? 'denied' : 'absent';
          return text === undefined || text === 'EPERM'
            ? { ok: false, failure: { path, reason, detail: '' } }
            : { ok: true, bytes: encodeText(text.slice(0, limit)), truncated: text.length > limit };
        }),
      list: () => ({ ok: true, names: ['vmlinux', 'xfs', 'fuse'] }),
    }) as unknown as FileSource;
  const kcore = { attempt: 'denied', detail: '', ranges: 0 } as const;

  it('tell a container from a machine', () => {
    const container = factsOf(
      probe(
        machine({
          '/proc/self/uid_map': '         0     100000      65536\n',
          '/proc/self/status': 'Name:\tnode\nNSpid:\t4242\t7\n',
          '/sys/kernel/security/lockdown': 'none [integrity] confidentiality\n',
          '/proc/kallsyms': '0000000000000000 A fixed_percpu_data\n0000000000000000 T _stext\n',
          '/proc/self/stack': 'EPERM',
        }),
      ),
      kcore,
      0,
    );
    expect(container).toMatchObject({
      inUserNamespace: true,
      inPidNamespace: true,
      lockdown: 'integrity',
      isRoot: true,
    });
    expect(container).toMatchObject({ hidesAddresses: true, stack: 'denied', btf: 'absent', moduleBtf: 2 });
    const host = factsOf(
      probe(
        machine({
          '/proc/self/uid_map': '         0          0 4294967295\n',
          '/proc/self/status': 'NSpid:\t4242\n',
          '/proc/kallsyms': '0000000000000000 A fixed_percpu_data\n0000000000001000 A cpu_debug_store\n',
        }),
      ),
      kcore,
      1000,
    );
    expect(host).toMatchObject({ inUserNamespace: false, inPidNamespace: false, hidesAddresses: false, isRoot: false });
  });

  it('read the level of lockdown', () => {
    expect(lockdownLevel('[none] integrity confidentiality')).toBe('none');
    expect(lockdownLevel('none integrity [confidentiality]')).toBe('confidentiality');
    expect(lockdownLevel(undefined)).toBeUndefined();
  });
});
