/**
 * What this machine lets the user see of its kernel, why not, and what would help. The facts are gathered elsewhere
 * (probe.ts); here is only what follows from them.
 */
import type { Capability } from '../../core/memory/backend.ts';

/** How an attempt to open and read a file ended: its first bytes came, it was empty, or the system's error. */
export type Attempt = 'ok' | 'empty' | 'absent' | 'denied' | 'error';

export interface Facts {
  readonly isRoot: boolean;
  /** How this user becomes root, where that is not by running kdbg on this machine. */
  readonly becomeRoot?: string;
  /** In a user namespace, where root is root of the namespace only. */
  readonly inUserNamespace: boolean;
  /** In a PID namespace below the first: a container, as a rule. */
  readonly inPidNamespace: boolean;
  /** The level in force: "none", "integrity", "confidentiality"; undefined where the kernel has no lockdown. */
  readonly lockdown: string | undefined;
  readonly kcore: Attempt;
  /** What was wrong with kcore, when it is 'error'. */
  readonly kcoreDetail: string;
  /** Segments of kcore. */
  readonly ranges: number;
  readonly kallsyms: Attempt;
  /** All addresses in kallsyms are zero. */
  readonly hidesAddresses: boolean;
  readonly kptrRestrict: string | undefined;
  readonly btf: Attempt;
  readonly moduleBtf: number;
  readonly log: Attempt;
  readonly dmesgRestrict: string | undefined;
  readonly stack: Attempt;
}

export function capabilitiesOf(facts: Facts): readonly Capability[] {
  const files: Capability = { name: 'files', available: true, detail: '/proc, /sys, /dev/kmsg' };
  return [memory(facts), files, symbols(facts), types(facts), log(facts), stacks(facts)];
}

function memory(facts: Facts): Capability {
  const no = (detail: string, help: string): Capability => ({ name: 'memory', available: false, detail, help });
  switch (facts.kcore) {
    case 'ok':
      return { name: 'memory', available: true, detail: `/proc/kcore, ${facts.ranges} ranges` };
    case 'absent':
      return isContainer(facts)
        ? no('there is no /proc/kcore in this container', 'run kdbg on the host itself')
        : no(
            'there is no /proc/kcore: the kernel was built without CONFIG_PROC_KCORE',
            'ps, bt, log, sym and type layouts work without it; memory needs a kernel with CONFIG_PROC_KCORE',
          );
    case 'empty':
      return no(
        '/proc/kcore is there but empty: a container runtime hides it',
        'run kdbg on the host itself, or in a privileged container',
      );
    case 'denied':
      if (facts.lockdown === 'confidentiality') {
        return no(
          'the kernel is locked down for confidentiality, which closes /proc/kcore to root as well',
          'boot it with lockdown=integrity or none; a policy of Secure Boot may set the level',
        );
      }
      if (!facts.isRoot) return no('only root may read /proc/kcore', asRoot(facts));
      return no(
        isContainer(facts)
          ? 'root of a container may not read /proc/kcore (CAP_SYS_RAWIO)'
          : 'this process may not read /proc/kcore (CAP_SYS_RAWIO)',
        isContainer(facts) ? 'run kdbg on the host itself, or in a privileged container' : 'run kdbg as full root',
      );
    case 'error':
      return no(
        `/proc/kcore cannot be used: ${facts.kcoreDetail}`,
        'ps, bt, log, sym and type layouts work without it',
      );
  }
}

function symbols(facts: Facts): Capability {
  const no = (detail: string, help: string): Capability => ({ name: 'symbols', available: false, detail, help });
  if (facts.kallsyms !== 'ok') {
    return facts.kallsyms === 'absent'
      ? no('there is no /proc/kallsyms: the kernel was built without CONFIG_KALLSYMS', 'names need CONFIG_KALLSYMS')
      : no('/proc/kallsyms cannot be read', asRoot(facts));
  }
  if (!facts.hidesAddresses) return { name: 'symbols', available: true, detail: '/proc/kallsyms' };
  const level = facts.kptrRestrict ?? '?';
  if (!facts.isRoot) {
    return no(`the kernel hides its addresses from this user (kernel.kptr_restrict=${level})`, asRoot(facts));
  }
  return level === '2'
    ? no(
        'the kernel hides its addresses from everybody (kernel.kptr_restrict=2)',
        'sysctl kernel.kptr_restrict=1 shows them to root',
      )
    : no(
        `the kernel hides its addresses from this process (CAP_SYSLOG; kernel.kptr_restrict=${level})`,
        isContainer(facts) ? 'run kdbg on the host itself' : 'run kdbg as full root',
      );
}

function types(facts: Facts): Capability {
  if (facts.btf === 'ok') {
    const modules = facts.moduleBtf === 1 ? '1 module' : `${facts.moduleBtf} modules`;
    return { name: 'types', available: true, detail: `BTF of vmlinux and ${modules}` };
  }
  return {
    name: 'types',
    available: false,
    detail:
      facts.btf === 'absent'
        ? 'there is no /sys/kernel/btf/vmlinux: the kernel was built without CONFIG_DEBUG_INFO_BTF'
        : '/sys/kernel/btf/vmlinux cannot be read',
    help:
      facts.btf === 'absent'
        ? 'struct, list and bt from memory need a kernel with CONFIG_DEBUG_INFO_BTF (distributions have it since 2020)'
        : 'run kdbg as root, with /sys mounted',
  };
}

function log(facts: Facts): Capability {
  if (facts.log === 'ok' || facts.log === 'empty') return { name: 'log', available: true, detail: '/dev/kmsg' };
  const detail =
    facts.log === 'absent'
      ? 'there is no /dev/kmsg here'
      : `this user may not read /dev/kmsg (kernel.dmesg_restrict=${facts.dmesgRestrict ?? '?'})`;
  const help = facts.log === 'absent' && isContainer(facts) ? 'run kdbg on the host itself' : asRoot(facts);
  return { name: 'log', available: false, detail, help };
}

function stacks(facts: Facts): Capability {
  if (facts.stack === 'ok') return { name: 'stacks', available: true, detail: '/proc/PID/stack' };
  if (facts.stack === 'absent') {
    const detail = 'there is no /proc/PID/stack: the kernel was built without CONFIG_STACKTRACE';
    return { name: 'stacks', available: false, detail, help: 'stacks then need kernel memory' };
  }
  return {
    name: 'stacks',
    available: false,
    detail: 'this user may not read /proc/PID/stack (CAP_SYS_ADMIN)',
    help: isContainer(facts) ? 'run kdbg on the host itself' : asRoot(facts),
  };
}

function asRoot(facts: Facts): string {
  return facts.becomeRoot ?? 'run kdbg as root: sudo kdbg';
}

function isContainer(facts: Facts): boolean {
  return facts.inUserNamespace || facts.inPidNamespace;
}
