/**
 * What the kernel's own structures say of a recording that is to be redacted: which words are the kernel's and kdbg's,
 * which name a process or the machine, and where in memory those are.
 */
import { ENGLISH } from '../backends/recording/redact/english.ts';
import type { MemoryLayout, Place, Range } from '../backends/recording/redact/memory-text.ts';
import { partsOf, type Vocabulary } from '../backends/recording/redact/vocabulary.ts';
import type { Command } from '../core/command/define.ts';
import { KdbgError } from '../core/errors.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import { findStructMember, memberOffset } from '../core/kernel/member.ts';
import { modules } from '../core/kernel/module.ts';
import { printkTextRange } from '../core/kernel/printk.ts';
import { type TaskSummary, taskSummaries } from '../core/kernel/task-summary.ts';
import { type Uts, uts } from '../core/kernel/uts.ts';
import { decodeAscii, decodeCString } from '../core/memory/text.ts';
import { BUILTIN_ALIASES } from './aliases.ts';

const BTF_DIRECTORY = '/sys/kernel/btf';
const BTF_LENGTH_MAX = 64 * 1024 * 1024;
/** Tasks that are looked at over all moments of a session: those of later moments are found by their names only. */
const LOOKS_MAX = 400_000;
/** Sections of vmlinux that no machine changes, by the symbols at their ends (include/asm-generic/vmlinux.lds.h). */
const IMAGE_SECTIONS: readonly (readonly [string, string])[] = [
  ['_text', '_etext'],
  ['_stext', '_etext'],
  ['__start_rodata', '__end_rodata'],
  ['__start___ex_table', '__stop___ex_table'],
  ['__start_orc_unwind_ip', '__stop_orc_unwind_ip'],
  ['__start_orc_unwind', '__stop_orc_unwind'],
  ['orc_lookup', 'orc_lookup_end'],
  ['__start_BTF', '__stop_BTF'],
  ['__start_notes', '__stop_notes'],
];
const MODULE_IMAGE: ReadonlySet<string> = new Set(['text', 'rodata']);

/** Gathers names while the session is played: what is there at one moment may be gone at the next. */
export class NamesSeen {
  /** Whole names of processes and machines. */
  readonly secrets = new Set<string>();
  readonly kernelThreads = new Set<string>();
  readonly #places = new Map<bigint, Place[]>();
  readonly #known = new Set<bigint>();
  #looks = 0;

  /** Looks at the kernel as it is at this moment. What cannot be read names nobody. */
  see(kernel: Kernel): void {
    attempt(() => this.#tasks(kernel));
    attempt(() => {
      const { nodename, domainname } = uts(kernel);
      for (const name of [nodename, domainname]) this.#secret(name);
    });
  }

  /** Where those names are, by page. */
  places(kernel: Kernel): ReadonlyMap<bigint, readonly Place[]> {
    attempt(() => this.#machine(kernel, kernel.symbol('init_uts_ns').address));
    return this.#places;
  }

  add(name: string): void {
    this.#secret(name);
  }

  #tasks(kernel: Kernel): void {
    if (this.#looks > LOOKS_MAX) return;
    const comm = attempt(() => memberOffset(kernel, 'task_struct', 'comm'));
    for (const summary of taskSummaries(kernel)) {
      this.#looks++;
      if (summary.kernelThread) {
        this.kernelThreads.add(summary.comm);
        continue;
      }
      this.#secret(summary.comm);
      if (summary.task === undefined || comm === undefined) continue;
      this.#place(summary.task.address + BigInt(comm.offset), comm.size, 'task names');
      attempt(() => this.#namespace(kernel, summary));
    }
  }

  /** A container's host name is in a UTS namespace of its own. */
  #namespace(kernel: Kernel, { task }: TaskSummary): void {
    const pointer = findStructMember(kernel, 'task_struct', 'nsproxy')?.offset;
    const member = findStructMember(kernel, 'nsproxy', 'uts_ns')?.offset;
    if (task === undefined || pointer === undefined || member === undefined) return;
    const proxy = kernel.memory.u64(task.address + BigInt(pointer), 'task_struct.nsproxy');
    if (proxy === 0n) return;
    const namespace = kernel.memory.u64(proxy + BigInt(member), 'nsproxy.uts_ns');
    if (!this.#known.has(namespace)) this.#machine(kernel, namespace);
  }

  #machine(kernel: Kernel, namespace: bigint): void {
    this.#known.add(namespace);
    for (const member of ['name.nodename', 'name.domainname']) {
      const { offset, size } = memberOffset(kernel, 'uts_namespace', member);
      const address = namespace + BigInt(offset);
      this.#place(address, size, 'machine names');
      this.#secret(decodeCString(kernel.memory.read(address, size, `uts_namespace.${member}`)));
    }
  }

  #secret(name: string): void {
    // What an empty domain name is shown as tells nothing.
    if (name !== '' && name !== '(none)') this.secrets.add(name);
  }

  #place(address: bigint, length: number, kind: Place['kind']): void {
    const page = address >> 12n;
    const places = this.#places.get(page) ?? [];
    if (places.some((place) => place.address === address)) return;
    places.push({ address, length, kind });
    this.#places.set(page, places);
  }
}

/** Words that may stay, and those that may not. */
export function vocabularyOf(kernel: Kernel, commands: readonly Command[], seen: NamesSeen): Vocabulary {
  const names = new Set<string>();
  const words = new Set<string>(['kdbg', ...ENGLISH]);
  const typed = new Set<string>();
  const name = (text: string): void => {
    names.add(text);
    for (const part of partsOf(text)) words.add(part);
  };
  for (const symbol of attempt(() => kernel.symbols.names()) ?? []) {
    // A compiler's piece of a function (`__mutex_lock.constprop.0`) goes by the function's name as well.
    for (const text of [symbol, symbol.replace(/\..*$/, '')]) {
      name(text);
      typed.add(text);
    }
  }
  for (const type of attempt(() => [...kernel.types.names()]) ?? []) {
    name(type.name);
    typed.add(type.name);
  }
  for (const text of memberNames(kernel)) name(text);
  for (const module of attempt(() => modules(kernel)) ?? []) name(module.name);
  for (const comm of seen.kernelThreads) {
    // A queue's worker has the queue's name, cut off: kworker/R-rcu_g.
    for (const text of [comm, ...(comm.match(/\w+/g) ?? [])]) name(text);
  }
  for (const text of attempt(() => Object.values(buildOf(kernel))) ?? []) {
    for (const word of text.match(/\w+/g) ?? []) name(word);
  }
  for (const command of commands) {
    typed.add(command.name);
    for (const text of textsOf(command)) for (const part of partsOf(text)) words.add(part);
  }
  for (const alias of BUILTIN_ALIASES) typed.add(alias.name);
  const secrets = new Set<string>();
  for (const secret of seen.secrets) {
    for (const word of Buffer.from(secret)
      .toString('latin1')
      .match(/[A-Za-z0-9_\x80-\xff]{2,}/g) ?? []) {
      if (!/^\d+$/.test(word)) secrets.add(word);
    }
  }
  let symbols: string | undefined;
  return {
    names,
    words,
    typed,
    secrets,
    isPartOfSymbol(word) {
      symbols ??= [...typed].join('\n');
      return word.includes('_') && symbols.includes(word);
    },
  };
}

/** Where what is in the kernel's memory. */
export function layoutOf(kernel: Kernel, seen: NamesSeen): MemoryLayout {
  const log = attempt(() => printkTextRange(kernel));
  return {
    image: [...vmlinuxRanges(kernel), ...moduleRanges(kernel)],
    log: log === undefined ? [] : [{ start: log.address, end: log.address + BigInt(log.length) }],
    places: seen.places(kernel),
    dentry: attempt(() => {
      // The name was renamed by 61bc426d5ec3 "dcache: back inline names with a struct-wrapped array" (v6.14).
      const inline = findStructMember(kernel, 'dentry', 'd_shortname') ?? memberOffset(kernel, 'dentry', 'd_iname');
      const { size } = memberOffset(
        kernel,
        'dentry',
        findStructMember(kernel, 'dentry', 'd_shortname') === undefined ? 'd_iname' : 'd_shortname',
      );
      return { pointer: memberOffset(kernel, 'dentry', 'd_name.name').offset, name: inline.offset, size };
    }),
  };
}

function vmlinuxRanges(kernel: Kernel): readonly Range[] {
  const ranges: Range[] = [];
  for (const [first, last] of IMAGE_SECTIONS) {
    const start = attempt(() => kernel.addressOf(first));
    const end = attempt(() => kernel.addressOf(last));
    if (start !== undefined && end !== undefined && start < end) ranges.push({ start, end });
  }
  return ranges;
}

function moduleRanges(kernel: Kernel): readonly Range[] {
  const ranges: Range[] = [];
  // Before 6.4 one piece has all, what may be written last.
  const fixed = attempt(() => findStructMember(kernel, 'module', 'core_layout.ro_size'))?.offset;
  for (const { address, regions } of attempt(() => modules(kernel)) ?? []) {
    for (const { kind, base, size } of regions) {
      const isCore = kind === 'core' && fixed !== undefined && address !== undefined;
      const length = isCore
        ? attempt(() => kernel.memory.u32(address + BigInt(fixed), 'module.core_layout.ro_size'))
        : size;
      if ((isCore || MODULE_IMAGE.has(kind)) && length !== undefined) {
        ranges.push({ start: base, end: base + BigInt(Math.min(length, size)) });
      }
    }
  }
  return ranges;
}

/** What tells which build of the kernel it is. */
function buildOf(kernel: Kernel): Pick<Uts, 'release' | 'version' | 'machine' | 'sysname'> {
  const { release, version, machine, sysname } = uts(kernel);
  return { release, version, machine, sysname };
}

/** Every name of the BTF: those of members and parameters are nowhere else. */
function memberNames(kernel: Kernel): readonly string[] {
  const blobs = attempt(() => {
    const listing = kernel.files.list(BTF_DIRECTORY);
    const files = listing.ok ? listing.names : [];
    const paths = [...new Set(['vmlinux', ...files])].map((file) => `${BTF_DIRECTORY}/${file}`);
    return kernel.files.readMany(paths, BTF_LENGTH_MAX).flatMap((file) => (file.ok ? [file.bytes] : []));
  });
  const start = attempt(() => kernel.addressOf('__start_BTF'));
  const end = attempt(() => kernel.addressOf('__stop_BTF'));
  const isThere = start !== undefined && end !== undefined && start < end && end - start < BTF_LENGTH_MAX;
  const inMemory =
    blobs === undefined && isThere
      ? attempt(() => [kernel.memory.read(start, Number(end - start), 'BTF of vmlinux')])
      : undefined;
  return (blobs ?? inMemory ?? []).flatMap(btfStrings);
}

/** The string section of struct btf_header (Documentation/bpf/btf.rst). */
function btfStrings(bytes: Uint8Array): readonly string[] {
  if (bytes.length < 24) return [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const start = view.getUint32(4, true) + view.getUint32(16, true);
  const end = Math.min(bytes.length, start + view.getUint32(20, true));
  return start >= end ? [] : decodeAscii(bytes, start, end).split('\0').filter(Boolean);
}

/** kdbg's own words; not those of examples, which name somebody. */
function* textsOf(command: Command): Generator<string> {
  yield command.summary;
  yield* command.description ?? [];
  for (const [name, option] of Object.entries(command.options ?? {})) {
    yield name;
    yield option.doc;
    yield option.placeholder ?? '';
  }
  for (const operand of Object.values(command.operands ?? {})) {
    yield operand.doc;
    yield operand.placeholder;
  }
}

/** What a recording does not have is not looked for any further. */
function attempt<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (error) {
    if (!(error instanceof KdbgError) || error.endsCommand) throw error;
    return undefined;
  }
}
