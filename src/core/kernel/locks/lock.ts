/**
 * What kdbg says of locks, whatever their kind: the lock, who owns it, who waits for it, and how each of these is known.
 * "Lock" is meant widely: anything that a task sleeps or spins for until somebody else acts. Each kind is read by the
 * file named after it; wait.ts finds what a task waits for, graph.ts joins waits and owners.
 */

/**
 * What is waited for, by the kernel's names. `rwsem` is struct rw_semaphore; `bit`, `folio` and `epoll` are waits on
 * queues that many objects share, told apart by the wake-up function; `rcu`, `work` and `io` have no lock of their own.
 */
export type LockKind =
  | 'mutex'
  | 'ww_mutex'
  | 'rwsem'
  | 'percpu_rwsem'
  | 'semaphore'
  | 'rt_mutex'
  | 'spinlock'
  | 'completion'
  | 'wait_queue'
  | 'bit'
  | 'folio'
  | 'epoll'
  | 'futex'
  | 'pi_futex'
  | 'rcu'
  | 'work'
  | 'io';

/**
 * `certain`: the kernel's own structures say so, and they agree. `likely`: one of them does and nothing contradicts it.
 * `hint`: it fits, and something else may as well (the last reader of an rwsem, a pointer left on a stack).
 */
export type Sureness = 'certain' | 'likely' | 'hint';

const ORDER: readonly Sureness[] = ['certain', 'likely', 'hint'];

/** The weaker of two. */
export function weaker(a: Sureness, b: Sureness): Sureness {
  return ORDER.indexOf(a) >= ORDER.indexOf(b) ? a : b;
}

/** By what a statement is known, strongest first within a list. */
export type EvidenceKind =
  /** task->blocker, task->blocked_on, task->pi_blocked_on. */
  | 'task'
  /** The waiter's structure on the task's own stack, with its links and its task pointer. */
  | 'waiter'
  /** The task is on the lock's own wait list. */
  | 'list'
  /** The lock's own owner word. */
  | 'owner'
  /** The lock's state word (count, block, done). */
  | 'state'
  /** A function on the task's stack. */
  | 'function'
  /** A callee-saved register of one of the task's frames. */
  | 'register'
  /** A word of the task's stack. */
  | 'stack';

export interface Evidence {
  readonly by: EvidenceKind;
  /** What was seen, for people: `mutex_waiter at ffffc90000123d40, in frame __mutex_lock`. */
  readonly text: string;
}

/** A task as it was when it was looked at; it stays readable when the task has ended since. */
export interface LockTask {
  /** Address of the task_struct. */
  readonly task: bigint;
  readonly pid: number;
  readonly comm: string;
}

/** How a waiter wants the lock, or an owner has it. `any` where the kind knows no difference. */
export type LockMode = 'exclusive' | 'read' | 'write' | 'any';

export interface Owner extends LockTask {
  readonly mode: LockMode;
  /**
   * `owner` holds it. `next`: it was handed the lock and has not run yet. `last`: the last that is known to have had it
   * (an rwsem's last reader, a semaphore's last_holder), which may have let go. `worker`: it runs what is waited for.
   */
  readonly role: 'owner' | 'next' | 'last' | 'worker';
  readonly sure: Sureness;
  readonly evidence: readonly Evidence[];
}

export interface Waiter extends LockTask {
  readonly mode: LockMode;
  /** Its place in the lock's queue, from 0; -1 for one that is not found on it. */
  readonly order: number;
  /** The structure that is queued; undefined where that is not known. */
  readonly node: bigint | undefined;
  /** Milliseconds since it last came off a CPU; undefined where the kernel does not keep it. */
  readonly waitedMs: number | undefined;
  readonly sure: Sureness;
  readonly evidence: readonly Evidence[];
}

/** A word of a lock, decoded: what `walk` shows. */
export interface LockWord {
  /** C path of the member: `owner`, `count`, `rtmutex.owner`. */
  readonly member: string;
  readonly address: bigint;
  readonly value: bigint;
  /** `ffff888003a41b40 (lab_ab, 130) | WAITERS`. */
  readonly meaning: string;
}

/** Which lock: enough to read it again. */
export interface LockReference {
  readonly kind: LockKind;
  /** Undefined where the wait is known and its object is not. */
  readonly address: bigint | undefined;
}

/** One lock, read. */
export interface Lock {
  readonly kind: LockKind;
  readonly address: bigint;
  /** One who has it exclusively, or those known to share it; empty when it is free or its holders are not known. */
  readonly owners: readonly Owner[];
  /** Readers that hold it by its count; undefined for kinds without. */
  readonly readers: number | undefined;
  /** In the order of its queue; after them those that wait and are not on it (order -1). */
  readonly waiters: readonly Waiter[];
  /** Those that have it, or were handed it, and have not left its queue yet: no waiters any more. */
  readonly leaving: readonly LockTask[];
  readonly words: readonly LockWord[];
  /** One phrase: `held`, `held for writing`, `held by 3 readers`, `free`, `being handed over`. */
  readonly state: string;
  /** Why this may not be the whole truth: it moved while it was read, its list is damaged, its owner is no task. */
  readonly notes: readonly string[];
  /** True when a live target changed it while it was read, each time that it was tried. */
  readonly moved: boolean;
}

/** What a task waits for. */
export interface Wait extends LockTask, LockReference {
  readonly mode: LockMode;
  /** The function that it waits in, innermost that says something: `__mutex_lock`, `jbd2_log_wait_commit`. */
  readonly within: string | undefined;
  /** What it waits for in words, where the kind alone does not say it: `a jbd2 commit`, `user space (FUSE)`. */
  readonly what: string | undefined;
  /** Tasks that the wait itself names, where the lock cannot: the worker that runs the work. */
  readonly owners: readonly Owner[];
  /** The structure of the waiter, where it was found. */
  readonly node: bigint | undefined;
  readonly waitedMs: number | undefined;
  /** How sure it is that the task waits for this very lock. */
  readonly sure: Sureness;
  readonly evidence: readonly Evidence[];
  /** True when the task ran while it was looked at. */
  readonly moved: boolean;
}
