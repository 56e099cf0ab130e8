/**
 * The kernel being debugged: one backend, and what is derived from it, each part made when first asked for. A part
 * that this target cannot have throws UnsupportedError with what is missing and what would help; the other parts
 * work on. Kernel nouns (tasks, modules, the log) are functions over a Kernel in the files beside this one.
 */
import { type KdbgError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { Backend, FileSource } from '../memory/backend.ts';
import { Memory } from '../memory/memory.ts';
import type { KernelSymbol, SymbolTable } from '../symbols/symbol-table.ts';
import type { TypeTable } from '../types/type.ts';
import { type BoundStruct, bindStruct, type Fields, type StructDefinition } from './struct.ts';
import { loadSymbols } from './symbol-source.ts';
import { type KernelTypes, loadTypes } from './type-source.ts';

/** How long a derived thing stays true: for the session, or (on a live target) for one command. */
export type Lifetime = 'session' | 'command';

export class Kernel {
  readonly backend: Backend;
  readonly #memory: Memory | undefined;
  readonly #session = new Map<unknown, Outcome>();
  readonly #command = new Map<unknown, Outcome>();
  /** Asked by every read and every walk: true ends the command. */
  readonly cancelled: () => boolean;
  /**
   * Where kernel nouns say what the user should know of an answer that still holds: a list changed while it was read,
   * a task was left out. A sentence, lower case, without a full stop.
   */
  readonly notice: (text: string) => void;
  /**
   * Where work whose extent is known says how far it is: `done` of `total`, in any unit. The screen tells it while the
   * command runs; cheap enough for each task or MiB, not for each word.
   */
  readonly progress: (done: number, total: number) => void;

  constructor(backend: Backend, options: Partial<Pick<Kernel, 'cancelled' | 'notice' | 'progress'>> = {}) {
    this.backend = backend;
    this.cancelled = options.cancelled ?? (() => false);
    this.notice = options.notice ?? (() => undefined);
    this.progress = options.progress ?? (() => undefined);
    this.#memory =
      backend.memory && new Memory(backend.memory, { liveness: backend.liveness, cancelled: this.cancelled });
  }

  get liveness(): 'live' | 'frozen' {
    return this.backend.liveness;
  }

  get hasMemory(): boolean {
    return this.#memory !== undefined;
  }

  /** Kernel memory. Throws UnsupportedError where the target has none. */
  get memory(): Memory {
    if (this.#memory !== undefined) return this.#memory;
    const why = this.backend.capabilities().find((capability) => capability.name === 'memory');
    throw new UnsupportedError(
      `${this.backend.name} has no kernel memory${why === undefined ? '' : `: ${why.detail}`}`,
      why?.help ?? '"status" shows what this target offers',
    );
  }

  get hasFiles(): boolean {
    return this.backend.files !== undefined;
  }

  /** The target's /proc and /sys. Throws UnsupportedError where it has none (a dump). */
  get files(): FileSource {
    if (this.backend.files !== undefined) return this.backend.files;
    throw new UnsupportedError(`${this.backend.name} has no files: only its memory is there`);
  }

  get symbols(): SymbolTable {
    return this.memo('symbols', 'session', () => loadSymbols(this));
  }

  get types(): TypeTable {
    return this.kernelTypes.table;
  }

  /** The type table with the types of globals that BTF does not give. */
  get kernelTypes(): KernelTypes {
    return this.memo('types', 'session', () => loadTypes(this));
  }

  /** A structure declaration with this kernel's offsets. */
  struct<const F extends Fields>(definition: StructDefinition<F>): BoundStruct<F> {
    return this.memo(definition, 'session', () => {
      const { types } = this;
      const type = types.find('struct', definition.name, 'vmlinux') ?? types.find('struct', definition.name);
      if (type === undefined) throw new NotFoundError('type', `struct ${definition.name}`);
      return bindStruct(definition, type, () => this.memory);
    });
  }

  /** True when the kernel has the structure: how a difference between kernels is told, never by version. */
  hasStruct(name: string): boolean {
    return this.types.find('struct', name, 'vmlinux') !== undefined;
  }

  /** The address of a symbol; undefined when there is none. */
  addressOf(name: string): bigint | undefined {
    return this.symbols.find(name)?.address;
  }

  /** The symbol; throws NotFoundError with near misses. */
  symbol(name: string): KernelSymbol {
    return this.symbols.get(name);
  }

  /**
   * Makes a thing once and keeps it: for the session, or until the next command where the kernel moves on. That it
   * cannot be had is kept as well, so that a missing subsystem is looked for once; a fault is not.
   */
  memo<T>(key: unknown, lifetime: Lifetime, make: () => T): T {
    const kept = lifetime === 'session' || this.liveness === 'frozen' ? this.#session : this.#command;
    const outcome = kept.get(key);
    if (outcome !== undefined) {
      if (outcome.error !== undefined) throw outcome.error;
      return outcome.value as T;
    }
    try {
      const value = make();
      kept.set(key, { value });
      return value;
    } catch (error) {
      if (error instanceof UnsupportedError || error instanceof NotFoundError) kept.set(key, { error });
      throw error;
    }
  }

  /** Drops what was kept under a key: modules came or went, the user declared a type. */
  forget(key: unknown): void {
    this.#session.delete(key);
    this.#command.delete(key);
  }

  /**
   * Forgets everything that was ever read or derived, types and symbols too. A recording that starts in mid-session
   * needs it: only what is read again can be in the recording.
   */
  forgetAll(): void {
    this.#session.clear();
    this.#command.clear();
    this.#memory?.forgetAll();
  }

  /** A new command begins: on a live target nothing read before is trusted. */
  newCommand(): void {
    if (this.liveness === 'frozen') return;
    this.#command.clear();
    this.#memory?.newEpoch();
  }
}

interface Outcome {
  readonly value?: unknown;
  readonly error?: KdbgError;
}
