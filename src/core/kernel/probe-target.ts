/**
 * What a probe is set at: a function of the kernel or of a module, an instruction in one, a tracepoint, or an
 * instruction of a program or library.
 *
 *     vfs_read   vfs_read+0x10   ext4:ext4_sync_file   ffffffff812a4b10   sched:sched_switch   /usr/bin/bash:readline
 */
import { NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import { formatAddress } from '../memory/address.ts';
import { isTextType, type KernelSymbol } from '../symbols/symbol-table.ts';
import { type CType, type FunctionType, VOID } from '../types/type.ts';
import type { Kernel } from './kernel.ts';
import { isPerCpuSymbol } from './percpu.ts';
import { type ProbeParameter, probeParameters } from './probe-parameters.ts';
import type { ProbeNames } from './probe-path.ts';
import { programPlace } from './program-place.ts';
import { tracefs } from './tracefs.ts';

export interface ProbeTarget {
  readonly kind: 'function' | 'tracepoint' | 'program';
  /** As the kernel takes it: `vfs_read`, `ext4:ext4_sync_file`, `0xffffffff812a4b10`, `/bin/sh:0x1000`. */
  readonly place: string;
  /** What the probe is called by, without what stands before a colon. */
  readonly name: string;
  /** Where in the kernel it is; undefined for a tracepoint and a program. */
  readonly address: bigint | undefined;
  /** True at the start of a function: only there its parameters are known and its return can be probed. */
  readonly isEntry: boolean;
  readonly parameters: readonly ProbeParameter[] | undefined;
  readonly returns: CType | undefined;
}

const PLACE = /^(?:(?<owner>[\w-]+):)?(?<name>[A-Za-z_][\w.$]*)(?:\+(?<offset>0x[0-9a-f]{1,6}|\d{1,7}))?$/i;
const ADDRESS = /^(?:0x)?[0-9a-f]{16}$/i;
const FILE_OFFSET = /^(?:0x[0-9a-f]{1,16}|\d{1,19})$/i;
const SHOWN_MAX = 5;
const NEAR_MAX = 20;

/** Throws UsageError for what is none, or several. */
export function probeTarget(kernel: Kernel, text: string): ProbeTarget {
  if (text.startsWith('/')) return programTarget(kernel, text);
  if (ADDRESS.test(text)) return addressTarget(kernel, BigInt(text.startsWith('0x') ? text : `0x${text}`));
  const { owner, name, offset } = PLACE.exec(text)?.groups ?? {};
  if (name === undefined) {
    const hint = 'a function as vfs_read or MODULE:FUNCTION, a tracepoint as SYSTEM:EVENT, a program as /PATH:SYMBOL';
    throw new UsageError(`"${text}" is nothing that can be probed`, { source: text, column: 0, hint });
  }
  if (owner !== undefined && isEvent(kernel, owner, name)) return tracepointTarget(kernel, name);
  return functionTarget(kernel, text, { owner, name, offset: Number(offset ?? 0) });
}

/** What the names in the arguments of its probes mean. */
export function probeNames(kernel: Kernel, { kind, name, parameters, returns }: ProbeTarget): ProbeNames {
  return {
    what: name,
    parameters,
    returns,
    get types() {
      return kernel.types;
    },
    global(variable) {
      const all = kind === 'program' ? [] : kernel.symbols.all(variable);
      const [symbol, ...others] = all;
      if (symbol === undefined || others.length > 0 || isPerCpuSymbol(kernel, symbol)) return undefined;
      return kernel.kernelTypes.typeOfGlobal(variable, symbol.module);
    },
  };
}

function isEvent(kernel: Kernel, system: string, event: string): boolean {
  const fs = tracefs(kernel);
  return fs.text(`${fs.root}/events/${system}/${event}/id`, 64) !== undefined;
}

/** By an offset in the file, or by a symbol of it. */
function programTarget(kernel: Kernel, text: string): ProbeTarget {
  const { path, place } = /^(?<path>\/[\w./+@-]*[\w+@-]):(?<place>\S+)$/.exec(text)?.groups ?? {};
  if (path === undefined || place === undefined) {
    throw new UsageError(`"${text}" is no place in a program: /PATH:SYMBOL, or /PATH:OFFSET in the file`, {
      source: text,
      column: Math.max(0, text.lastIndexOf(':') + 1),
      hint: 'the path is that of the file, as /usr/bin/bash:readline',
    });
  }
  const unknown = { address: undefined, parameters: undefined, returns: undefined };
  if (FILE_OFFSET.test(place)) {
    const offset = BigInt(place).toString(16);
    const name = `${path.slice(path.lastIndexOf('/') + 1)}_${offset}`;
    return { kind: 'program', place: `${path}:0x${offset}`, name, isEntry: true, ...unknown };
  }
  const { offset, name, within } = programPlace(kernel, path, place);
  return {
    kind: 'program',
    place: `${path}:0x${offset.toString(16)}`,
    name: within === 0 ? name : `${name}_${within.toString(16)}`,
    isEntry: within === 0,
    ...unknown,
  };
}

/**
 * A tracepoint's arguments are those of its callbacks but for their first, which the kernel does not count. They have
 * names in the functions that the tracepoint is made of: `__probestub_NAME`, which is what a probe of it hits, or
 * `__traceiter_NAME`, which calls several callbacks (d25e37d89dd2 "tracepoint: Optimize using static_call()", v5.10).
 */
function tracepointTarget(kernel: Kernel, name: string): ProbeTarget {
  const prototype = typesOf(
    kernel,
    (types) => types.function(`__probestub_${name}`) ?? types.function(`__traceiter_${name}`),
  );
  const parameters =
    prototype &&
    probeParameters(prototype)
      .slice(1)
      .map((each) => (each.number === undefined ? each : { ...each, number: each.number - 1 }));
  return { kind: 'tracepoint', place: name, name, address: undefined, isEntry: true, parameters, returns: VOID };
}

function functionTarget(
  kernel: Kernel,
  text: string,
  { owner, name, offset }: { readonly owner: string | undefined; readonly name: string; readonly offset: number },
): ProbeTarget {
  const module = owner?.replaceAll('-', '_');
  const named = kernel.symbols.all(name).filter(({ type }) => isTextType(type));
  const found = module === undefined ? named : named.filter((symbol) => (symbol.module ?? 'vmlinux') === module);
  const [symbol] = found;
  if (symbol === undefined) {
    if (named.length > 0) throw new UsageError(`${module} has no function ${name}`, { source: text, column: 0 });
    const near = kernel.symbols
      .near(name, NEAR_MAX)
      .filter((each) => isTextType(kernel.symbols.find(each)?.type ?? ''));
    const { message } = new NotFoundError('symbol', name, near, 'that is a function');
    const hint = 'a small function may be inlined in all that call it: probe one of those';
    throw new UsageError(message, { source: text, column: 0, hint });
  }
  const addresses = new Set(found.map(({ address }) => address));
  if (addresses.size > 1) throw ambiguous(text, name, found);
  const isAlone = new Set(named.map(({ address }) => address)).size === 1;
  const at = symbol.address + BigInt(offset);
  const prefix = symbol.module === undefined ? '' : `${symbol.module}:`;
  const place = isAlone || prefix !== '' ? `${prefix}${name}${offset === 0 ? '' : `+${offset}`}` : hex(at);
  return atFunction(kernel, symbol, offset, place);
}

function addressTarget(kernel: Kernel, address: bigint): ProbeTarget {
  const near = kernel.symbols.nearest(address);
  if (near === undefined || !isTextType(near.symbol.type)) {
    throw new UsageError(`${formatAddress(address)} is in no function of the kernel`);
  }
  return atFunction(kernel, near.symbol, near.offset, hex(address));
}

function atFunction(kernel: Kernel, symbol: KernelSymbol, offset: number, place: string): ProbeTarget {
  const isEntry = offset === 0;
  const prototype: FunctionType | undefined = isEntry
    ? typesOf(kernel, (types) => types.function(symbol.name, symbol.module ?? 'vmlinux'))
    : undefined;
  return {
    kind: 'function',
    place,
    name: isEntry ? symbol.name : `${symbol.name}_${offset.toString(16)}`,
    address: symbol.address + BigInt(offset),
    isEntry,
    parameters: prototype && probeParameters(prototype),
    returns: prototype?.returns,
  };
}

/** Without type information a probe still hits: only its arguments have no names. */
function typesOf<T>(kernel: Kernel, look: (types: Kernel['types']) => T | undefined): T | undefined {
  try {
    return look(kernel.types);
  } catch (error) {
    if (error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function ambiguous(text: string, name: string, found: readonly KernelSymbol[]): UsageError {
  const places = found.map(
    ({ address, module }) => `${formatAddress(address)}${module === undefined ? '' : ` [${module}]`}`,
  );
  const more = places.length - SHOWN_MAX;
  const shown = `${places.slice(0, SHOWN_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
  return new UsageError(`${found.length} functions are named ${name}: ${shown}`, {
    source: text,
    column: 0,
    hint: 'the address of one, or MODULE:FUNCTION, says which',
  });
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
