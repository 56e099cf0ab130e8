/**
 * What a lock is: the symbol at its address, or the object that embeds it. An object is named by its type when a check of
 * that type holds (known-object.ts), else by its slab cache.
 */
import { formatAddress } from '../../memory/address.ts';
import type { Kernel } from '../kernel.ts';
import { dentryPaths } from './dentry-path.ts';
import { embeddedLocks } from './embedding.ts';
import { futexKey, futexText } from './futex.ts';
import { type KnownObject, OBJECT_KINDS, type ObjectKind } from './known-object.ts';
import type { LockReference, Sureness } from './lock.ts';
import { attempt } from './lock-reading.ts';
import { type SlabObject, slabObjects } from './slab-object.ts';
import { type TaskTable, taskTable } from './task-table.ts';

/** The place of a lock. */
export interface LockPlace {
  /**
   * `lab_root.mutex_a [kdbg_lab]`, `rtnl_mutex`, `inode ffff... i_rwsem of "/var/x"`, `mm_struct ffff... mmap_lock of 812 (bash)`,
   * `slab cache kmalloc-256, object ffff... +0x18`, else the bare address.
   */
  readonly text: string;
  readonly symbol: { readonly name: string; readonly offset: number; readonly module: string | undefined } | undefined;
  /** The object that embeds it. */
  readonly object: { readonly type: string; readonly address: bigint; readonly member: string } | undefined;
  /** The slab object that it is in. */
  readonly slab: { readonly cache: string; readonly object: bigint; readonly offset: number } | undefined;
  readonly sure: Sureness;
}

/** Around a lock lies the object that embeds it: its page or two. */
const AROUND_BEFORE = 2048n;
const AROUND_LENGTH = 4096;
const FOLLOWED_LENGTH = 256;
/** A symbol further away than this is not of the address: kallsyms has no sizes of data. */
const SYMBOL_SPAN = 1 << 20;

/** Describes one lock. Never throws for what cannot be read: the text is the address then. */
export function describeLock(kernel: Kernel, lock: LockReference): LockPlace {
  const [place] = describeLocks(kernel, [lock]);
  return place ?? bare(lock);
}

/** As describeLock, for many, with few requests. */
export function describeLocks(kernel: Kernel, locks: readonly LockReference[]): readonly LockPlace[] {
  const tasks = taskTable(kernel);
  const direct = locks.map((lock) => ofSymbol(kernel, lock) ?? ofStack(kernel, lock, tasks));
  const open = locks.filter((_lock, i) => direct[i] === undefined && locks[i]?.address !== undefined);
  const found = new Map<LockReference, LockPlace>();
  for (const [lock, place] of ofObjects(kernel, open, tasks)) found.set(lock, place);
  return locks.map((lock, i) => direct[i] ?? found.get(lock) ?? bare(lock));
}

function bare(lock: LockReference): LockPlace {
  const text = lock.address === undefined ? '' : formatAddress(lock.address);
  return { text, symbol: undefined, object: undefined, slab: undefined, sure: 'hint' };
}

/** A static lock: in the data of the kernel or of a module. */
function ofSymbol(kernel: Kernel, lock: LockReference): LockPlace | undefined {
  if (lock.address === undefined || lock.address < KERNEL_IMAGE) return undefined;
  const found = kernel.symbols.nearest(lock.address);
  if (found === undefined || found.offset >= SYMBOL_SPAN) return undefined;
  // Marks of the linker share the address of what comes first or next.
  const here = kernel.symbols.at(found.symbol.address);
  const symbol = here.find((one) => !/^__(?:start|stop)_/.test(one.name)) ?? found.symbol;
  const { name, module } = symbol;
  const { offset } = found;
  const member = memberOfGlobal(kernel, symbol, offset, lock);
  const place = member === undefined ? (offset === 0 ? '' : `+0x${offset.toString(16)}`) : `.${member}`;
  const object = member === undefined ? undefined : { type: name, address: found.symbol.address, member };
  const text = `${name}${place}${module === undefined ? '' : ` [${module}]`}`;
  return { text, symbol: { name, offset, module }, object, slab: undefined, sure: 'certain' };
}

/** A global of unknown type that is named as its structure, if that has a lock of this kind at this very place. */
function memberOfGlobal(
  kernel: Kernel,
  { name, module }: { readonly name: string; readonly module: string | undefined },
  offset: number,
  lock: LockReference,
): string | undefined {
  return embeddedLocks(kernel, name, lock.kind, module)?.locks.find((member) => member.offset === offset)?.path;
}

/** The kernel's image and its modules; the direct map, vmalloc and vmemmap lie below. */
const KERNEL_IMAGE = 0xffff_ffff_8000_0000n;

/** A completion or a futex_q on somebody's stack. */
function ofStack(kernel: Kernel, lock: LockReference, tasks: TaskTable): LockPlace | undefined {
  const { address, kind } = lock;
  const task = address === undefined ? undefined : tasks.all.find((entry) => tasks.onStackOf(entry, address));
  if (task === undefined || address === undefined) return undefined;
  const futex = kind === 'futex' ? attempt(() => futexText(futexKey(kernel, address))) : undefined;
  const text = `${futex === undefined ? 'on the stack of' : `${futex} of`} ${task.pid} (${task.comm})`;
  return { text, symbol: undefined, object: undefined, slab: undefined, sure: 'certain' };
}

interface Guess {
  readonly lock: LockReference;
  readonly kind: ObjectKind;
  readonly object: bigint;
  readonly member: string;
}

function ofObjects(
  kernel: Kernel,
  locks: readonly LockReference[],
  tasks: TaskTable,
): readonly (readonly [LockReference, LockPlace])[] {
  if (locks.length === 0) return [];
  const addresses = locks.map(({ address }) => address ?? 0n);
  kernel.memory.prefetch(
    addresses.map((address) => ({
      space: 'virtual',
      address: address - AROUND_BEFORE,
      length: AROUND_LENGTH,
      what: 'lock',
    })),
  );
  const slabs = slabObjects(kernel, addresses);
  const ofVmlinux = OBJECT_KINDS.filter(({ module }) => module === undefined);
  const first = recogniseAll(kernel, locks, slabs, ofVmlinux, tasks);
  // The types of a module are read only for what vmlinux's do not explain.
  const missing = locks.filter((_lock, i) => first[i] === undefined);
  const ofModules = OBJECT_KINDS.filter(({ module }) => module !== undefined);
  const bySlab = missing.map((lock) => slabs[locks.indexOf(lock)]);
  const second = recogniseAll(kernel, missing, bySlab, ofModules, tasks);
  const known = locks.map((lock, i) => first[i] ?? second[missing.indexOf(lock)]);
  const paths = pathsOf(kernel, known);
  return locks.map((lock, i) => [lock, toPlace(lock, slabs[i], known[i], paths[i])]);
}

function recogniseAll(
  kernel: Kernel,
  locks: readonly LockReference[],
  slabs: readonly (SlabObject | undefined)[],
  kinds: readonly ObjectKind[],
  tasks: TaskTable,
): readonly (Recognised | undefined)[] {
  const guesses = locks.map((lock, i) => guessesOf(kernel, lock, slabs[i], kinds));
  prefetchFollowed(kernel, guesses.flat());
  return guesses.map((of) => recognise(kernel, of, tasks));
}

/** All objects that could embed the lock; an object of a slab lies within one slab object. */
function guessesOf(
  kernel: Kernel,
  lock: LockReference,
  slab: SlabObject | undefined,
  kinds: readonly ObjectKind[],
): readonly Guess[] {
  const address = lock.address ?? 0n;
  return kinds.flatMap((kind): readonly Guess[] => {
    if (lock.kind === 'epoll') {
      return kind.structure === 'eventpoll' ? [{ lock, kind, object: address, member: '' }] : [];
    }
    const embedding = embeddedLocks(kernel, kind.structure, lock.kind, kind.module);
    if (embedding === undefined) return [];
    return embedding.locks.flatMap(({ path, offset }): readonly Guess[] => {
      const object = address - BigInt(offset);
      const fits =
        slab === undefined ||
        (object >= slab.object && object + BigInt(embedding.size) <= slab.object + BigInt(slab.size));
      return fits && (object & 7n) === 0n ? [{ lock, kind, object, member: path }] : [];
    });
  });
}

function prefetchFollowed(kernel: Kernel, guesses: readonly Guess[]): void {
  const targets = new Set<bigint>();
  for (const { kind, object } of guesses) {
    for (const target of attempt(() => kind.follows?.(kernel, object)) ?? []) targets.add(target);
  }
  kernel.memory.prefetch(
    [...targets].map((target) => ({
      space: 'virtual',
      address: target - BigInt(FOLLOWED_LENGTH),
      length: 2 * FOLLOWED_LENGTH,
      what: 'object',
    })),
  );
}

type Recognised = Guess & { readonly known: KnownObject };

/** The first that its check accepts: the most telling kinds come first, the inode within a file system's inode last. */
function recognise(kernel: Kernel, guesses: readonly Guess[], tasks: TaskTable): Recognised | undefined {
  for (const guess of guesses) {
    const known = attempt(() => guess.kind.check(kernel, guess.object, tasks));
    if (known !== undefined) return { ...guess, known };
  }
  return undefined;
}

function pathsOf(kernel: Kernel, known: readonly (Recognised | undefined)[]): readonly (string | undefined)[] {
  const dentries = known.flatMap((one) => one?.known.dentry ?? []);
  const paths = attempt(() => dentryPaths(kernel, dentries)) ?? [];
  let next = 0;
  return known.map((one) => (one?.known.dentry === undefined ? undefined : paths[next++]));
}

function toPlace(
  lock: LockReference,
  slab: SlabObject | undefined,
  known: Recognised | undefined,
  path: string | undefined,
): LockPlace {
  if (known !== undefined) {
    const { kind, object, member } = known;
    const parts = [kind.structure, formatAddress(object), member, known.known.text, path && `of "${path}"`];
    const text = parts.filter((part) => part !== undefined && part !== '').join(' ');
    return {
      text,
      symbol: undefined,
      object: { type: kind.structure, address: object, member },
      slab,
      sure: 'certain',
    };
  }
  if (slab === undefined) return bare(lock);
  const text = `slab cache ${slab.cache}, object ${formatAddress(slab.object)} +0x${slab.offset.toString(16)}`;
  return { text, symbol: undefined, object: undefined, slab, sure: 'likely' };
}
