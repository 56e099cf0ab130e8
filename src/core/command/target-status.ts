/**
 * What a target offers to a debugger, thing by thing: where it comes from, or why it is not there and what would help.
 * Each is tried, not assumed.
 */
import { KdbgError } from '../errors.ts';
import { cpus } from '../kernel/cpu.ts';
import { directMap } from '../kernel/direct-map.ts';
import { type CheckResult, checkGlobals } from '../kernel/global-check.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { kernelLog } from '../kernel/kernel-log.ts';
import { modules } from '../kernel/module.ts';
import { perCpuOffset } from '../kernel/percpu.ts';
import { hasOrc, orcTables } from '../kernel/unwind-tables.ts';
import { kernelRelease } from '../kernel/uts.ts';
import { vmcoreinfo } from '../kernel/vmcoreinfo.ts';
import { formatAddress } from '../memory/address.ts';
import type { Capability } from '../memory/backend.ts';
import type { Scope } from './scope.ts';
import { isReplay } from './system-summary.ts';

/** One thing; `parts` are what it consists of where that is worth a line each. */
export interface TargetAspect extends Capability {
  readonly parts?: readonly string[];
}

type Answer = Omit<TargetAspect, 'name'>;

const NEEDS_MEMORY: Answer = { available: false, detail: 'it takes kernel memory' };

/** Every aspect in order; what the backend says of others comes last. Throws CancelledError. */
export function* targetAspects(scope: Scope): Generator<TargetAspect, void> {
  const { kernel } = scope;
  const declared = new Map(kernel.backend.capabilities().map((capability) => [capability.name, capability]));
  for (const [name, tell] of ASPECTS) {
    const capability = declared.get(name);
    declared.delete(name);
    yield { name, ...attempt(() => tell(scope, capability), capability) };
  }
  yield* declared.values();
  yield { name: 'recording', ...recordingOf(scope) };
  yield { name: 'traffic', ...trafficOf(kernel) };
}

const ASPECTS: readonly (readonly [string, (scope: Scope, capability: Capability | undefined) => Answer])[] = [
  ['target', ({ kernel }) => targetOf(kernel)],
  ['memory', ({ kernel }, capability) => memoryOf(kernel, capability)],
  ['files', ({ kernel }, capability) => filesOf(kernel, capability)],
  ['symbols', ({ kernel }) => symbolsOf(kernel)],
  ['types', ({ kernel }) => typesOf(kernel)],
  ['vmcoreinfo', ({ kernel }) => vmcoreinfoOf(kernel)],
  ['direct map', ({ kernel }) => directMapOf(kernel)],
  ['per-CPU', ({ kernel }) => perCpuOf(kernel)],
  ['unwinder', ({ kernel }) => unwinderOf(kernel)],
  ['modules', ({ kernel }) => modulesOf(kernel)],
  ['log', ({ kernel }) => logOf(kernel)],
  ['self-checks', ({ kernel }) => checksOf(kernel)],
];

/** What cannot be had is an answer too: the reason, and what the backend or the error says would help. */
function attempt(tell: () => Answer, capability: Capability | undefined): Answer {
  try {
    return tell();
  } catch (error) {
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    const help = error.hint ?? capability?.help;
    return { available: false, detail: error.message, ...(help === undefined ? {} : { help }) };
  }
}

function targetOf(kernel: Kernel): Answer {
  const release = kernelRelease(kernel);
  const was = isReplay(kernel.backend) ? 'a recording of a kernel that was ' : '';
  const liveness = `${was}${kernel.liveness === 'live' ? 'live' : 'frozen: nothing changes while you look'}`;
  const which = release === undefined ? '' : `, Linux ${release}`;
  return { available: true, detail: `${kernel.backend.name}, ${liveness}${which}` };
}

function memoryOf(kernel: Kernel, capability: Capability | undefined): Answer {
  if (!kernel.hasMemory) return capability ?? { available: false, detail: 'this target has no kernel memory' };
  const banner = kernel.addressOf('linux_banner');
  const from = capability?.detail ?? 'kernel memory can be read';
  if (banner === undefined) return { available: true, detail: from };
  const start = kernel.memory.cString(banner, 64, 'linux_banner');
  if (start.startsWith('Linux version ')) return { available: true, detail: from };
  return {
    available: false,
    detail: `${from}, but linux_banner at ${formatAddress(banner)} reads ${JSON.stringify(start.slice(0, 20))}`,
    help: 'the symbols belong to another kernel or another boot',
  };
}

function filesOf(kernel: Kernel, capability: Capability | undefined): Answer {
  if (capability !== undefined) return capability;
  return kernel.hasFiles
    ? { available: true, detail: '/proc and /sys' }
    : { available: false, detail: 'only memory is there: no /proc and no /sys' };
}

function symbolsOf(kernel: Kernel): Answer {
  const { symbols } = kernel;
  const detail = `${symbols.count} from ${symbols.source}`;
  if (!symbols.addressesHidden) {
    const isWhole = symbols.all('init_task').length > 0;
    return { available: true, detail: isWhole ? detail : `${detail}: functions only, CONFIG_KALLSYMS_ALL is off` };
  }
  const capability = kernel.backend.capabilities().find(({ name }) => name === 'symbols');
  return {
    available: false,
    detail: `${detail}; their addresses are hidden`,
    help: capability?.help ?? 'a reader with CAP_SYSLOG and kptr_restrict below 2 sees them',
  };
}

function typesOf({ types }: Kernel): Answer {
  let structs = 0;
  let others = 0;
  for (const { namespace } of types.names()) {
    if (namespace === 'struct' || namespace === 'union') structs++;
    else others++;
  }
  return { available: true, detail: `${structs} structs and unions, ${others} other types, from ${types.source}` };
}

function vmcoreinfoOf(kernel: Kernel): Answer {
  const info = vmcoreinfo(kernel);
  return info === undefined
    ? { available: false, detail: 'not found; it is needed where there is no /proc/kallsyms' }
    : { available: true, detail: `${info.keys.length} lines` };
}

function directMapOf(kernel: Kernel): Answer {
  if (!kernel.hasMemory) return NEEDS_MEMORY;
  const { base, levels } = directMap(kernel);
  return { available: true, detail: `at ${formatAddress(base)}, page tables of ${levels} levels` };
}

function perCpuOf(kernel: Kernel): Answer {
  const possible = cpus(kernel, 'possible');
  const online = cpus(kernel, 'online');
  const counts = `${plural(online.length, 'CPU')} online, ${possible.length} possible`;
  if (!kernel.hasMemory) return { available: false, detail: `${counts}; their data is in kernel memory` };
  for (const cpu of possible) perCpuOffset(kernel, cpu);
  return { available: true, detail: counts };
}

function unwinderOf(kernel: Kernel): Answer {
  if (!kernel.hasMemory) return NEEDS_MEMORY;
  if (!hasOrc(kernel)) return { available: true, detail: 'frame pointers: this kernel has no ORC tables' };
  if (isReplay(kernel.backend)) return { available: true, detail: 'ORC tables, as far as they were recorded' };
  const start = kernel.addressOf('schedule');
  const entry = start === undefined ? undefined : orcTables(kernel).find(start);
  if (typeof entry === 'string') return { available: false, detail: `ORC: ${entry}` };
  return { available: true, detail: 'ORC tables of vmlinux and modules' };
}

function modulesOf(kernel: Kernel): Answer {
  const all = modules(kernel);
  if (all.length === 0) return { available: true, detail: 'none are loaded' };
  const from = all[0]?.address === undefined ? '/proc/modules' : 'kernel memory';
  return { available: true, detail: `${all.length} loaded, from ${from}` };
}

function logOf(kernel: Kernel): Answer {
  const { records, source } = kernelLog(kernel);
  return { available: true, detail: `${plural(records.length, 'record')} from ${source}` };
}

function checksOf(kernel: Kernel): Answer {
  if (!kernel.hasMemory) return NEEDS_MEMORY;
  const results = checkGlobals(kernel);
  const wrong = results.filter(({ holds, unreadable }) => !holds && !unreadable);
  const unread = results.filter(({ unreadable }) => unreadable).length;
  const missing = unread === 0 ? '' : `; the memory for ${unread} is not there`;
  if (wrong.length === 0) {
    const held = results.length - unread;
    return {
      available: true,
      detail: `${held} of ${results.length} well-known variables are as they should be${missing}`,
    };
  }
  return {
    available: false,
    detail: `${wrong.length} of ${results.length} well-known variables are not as they should be${missing}`,
    help: 'their types as kdbg has them are wrong here, or the symbols are of another kernel; a recording helps to mend it',
    parts: wrong.map(describeCheck),
  };
}

function describeCheck({ check, found }: CheckResult): string {
  const member = 'member' in check && check.member !== undefined && check.member !== '' ? `.${check.member}` : '';
  return `${check.symbol}${member}: ${found ?? 'wrong'}`;
}

function recordingOf({ shell }: Scope): Answer {
  const status = shell.recording.status();
  if (status === undefined) return { available: false, detail: 'not recording', help: '"record start FILE" starts it' };
  const { path, commands, bytes } = status;
  return { available: true, detail: `to ${path}: ${plural(commands, 'command')}, ${Math.ceil(bytes / 1024)} KiB` };
}

function trafficOf(kernel: Kernel): Answer {
  const { roundTrips, bytes, wire } = kernel.backend.counters;
  const onWire = wire === undefined ? '' : ` (${Math.ceil(wire.received / 1024)} KiB on the wire)`;
  return {
    available: true,
    detail: `${plural(roundTrips, 'round trip')}, ${Math.ceil(bytes / 1024)} KiB${onWire} so far`,
  };
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
