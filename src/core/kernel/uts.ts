/** What `uname` tells: the UTS namespace of init, or the files of /proc/sys/kernel. */
import { NotFoundError, UnsupportedError } from '../errors.ts';
import type { Kernel } from './kernel.ts';
import { chars, defineStruct } from './struct.ts';
import { fileText } from './text-file.ts';
import { vmcoreinfo } from './vmcoreinfo.ts';

const UtsNamespace = defineStruct('uts_namespace', {
  sysname: chars('name.sysname'),
  nodename: chars('name.nodename'),
  release: chars('name.release'),
  version: chars('name.version'),
  machine: chars('name.machine'),
  domainname: chars('name.domainname'),
});

export interface Uts {
  readonly sysname: string;
  readonly nodename: string;
  /** `uname -r`. */
  readonly release: string;
  /** `#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)`. */
  readonly version: string;
  /** `x86_64`; empty where the target does not tell. */
  readonly machine: string;
  readonly domainname: string;
}

/** Throws UnsupportedError where the target tells nothing of it, FaultError. */
export function uts(kernel: Kernel): Uts {
  return kernel.memo('uts', 'session', () => {
    const found = fromMemory(kernel) ?? fromFiles(kernel);
    if (found !== undefined) return found;
    throw new UnsupportedError(`${kernel.backend.name} does not tell the kernel's release`);
  });
}

/** The release; also where only VMCOREINFO tells it. Undefined where nothing does. */
export function kernelRelease(kernel: Kernel): string | undefined {
  return vmcoreinfo(kernel)?.release ?? fileText(kernel, '/proc/sys/kernel/osrelease') ?? fromMemory(kernel)?.release;
}

function fromMemory(kernel: Kernel): Uts | undefined {
  if (!kernel.hasMemory) return undefined;
  try {
    const address = vmcoreinfo(kernel)?.symbol('init_uts_ns') ?? kernel.addressOf('init_uts_ns');
    if (address === undefined) return undefined;
    const { sysname, nodename, release, version, machine, domainname } = kernel.struct(UtsNamespace).at(address);
    return { sysname, nodename, release, version, machine, domainname };
  } catch (error) {
    if (error instanceof UnsupportedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

function fromFiles(kernel: Kernel): Uts | undefined {
  const text = (name: string) => fileText(kernel, `/proc/sys/kernel/${name}`, 4096);
  const release = text('osrelease');
  if (release === undefined) return undefined;
  return {
    sysname: text('ostype') ?? 'Linux',
    nodename: text('hostname') ?? '',
    release,
    version: text('version') ?? '',
    // Since bfca3dd3d068 "kernel/utsname_sysctl.c: print kernel arch" (v6.1).
    machine: text('arch') ?? '',
    domainname: text('domainname') ?? '',
  };
}
