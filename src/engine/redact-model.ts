/**
 * What the kernel's own structures say of a recording that is to be redacted: which words are the kernel's and kdbg's,
 * which name a process or the machine, and where in memory those are.
 */
import { ENGLISH } from '../backends/recording/redact/english.ts';
import type { MemoryLayout, Place } from '../backends/recording/redact/memory-text.ts';
import { partsOf, type Vocabulary } from '../backends/recording/redact/vocabulary.ts';
import type { Command } from '../core/command/define.ts';
import { attempt } from '../core/errors.ts';
import { constantRanges } from '../core/kernel/constant-image.ts';
import type { Kernel } from '../core/kernel/kernel.ts';
import { modules } from '../core/kernel/module.ts';
import { commPlace, dentryName, machineNamePlaces, type NamePlace, utsNamespaceOf } from '../core/kernel/name-place.ts';
import { printkTextRange } from '../core/kernel/printk.ts';
import { taskSummaries } from '../core/kernel/task-summary.ts';
import { type Uts, uts } from '../core/kernel/uts.ts';
import { decodeCString } from '../core/memory/text.ts';
import { BUILTIN_ALIASES } from './aliases.ts';

/** Tasks that are looked at over all moments of a session: those of later moments are found by their names only. */
const LOOKS_MAX = 400_000;
/** kdbg's own processes on the target, whose name its tracing instances have as well (kdbg-1f2e3d4c). */
const OWN_NAME = /^kdbg(?:-guard)?$/;

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
    for (const summary of taskSummaries(kernel)) {
      this.#looks++;
      if (summary.kernelThread) {
        this.kernelThreads.add(summary.comm);
        continue;
      }
      this.#secret(summary.comm);
      const address = summary.task?.address;
      if (address === undefined) continue;
      attempt(() => this.#place(commPlace(kernel, address), 'task names'));
      attempt(() => this.#namespace(kernel, address));
    }
  }

  /** A container's host name is in a UTS namespace of its own. */
  #namespace(kernel: Kernel, task: bigint): void {
    const namespace = utsNamespaceOf(kernel, task);
    if (namespace !== undefined && !this.#known.has(namespace)) this.#machine(kernel, namespace);
  }

  #machine(kernel: Kernel, namespace: bigint): void {
    this.#known.add(namespace);
    for (const place of machineNamePlaces(kernel, namespace)) {
      this.#place(place, 'machine names');
      this.#secret(decodeCString(kernel.memory.read(place.address, place.length, 'uts_namespace.name')));
    }
  }

  #secret(name: string): void {
    // What an empty domain name is shown as tells nothing.
    if (name !== '' && name !== '(none)' && !OWN_NAME.test(name)) this.secrets.add(name);
  }

  #place({ address, length }: NamePlace, kind: Place['kind']): void {
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
  for (const text of attempt(() => [...kernel.types.strings()]) ?? []) name(text);
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
    image: constantRanges(kernel),
    log: log === undefined ? [] : [{ start: log.address, end: log.address + BigInt(log.length) }],
    places: seen.places(kernel),
    dentry: attempt(() => dentryName(kernel)),
  };
}

/** What tells which build of the kernel it is. */
function buildOf(kernel: Kernel): Pick<Uts, 'release' | 'version' | 'machine' | 'sysname'> {
  const { release, version, machine, sysname } = uts(kernel);
  return { release, version, machine, sysname };
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
