/**
 * From a sleeping task to the lock that it waits for, kind by kind. Each finder starts from the strongest evidence that its
 * kind has and says by what it went.
 */
import { formatAddress, isKernelAddress } from '../../memory/address.ts';
import { findStructMember, memberOffset } from '../member.ts';
import { byFunction, type FoundWait, type WaitScene } from './found-wait.ts';
import { futexOf, futexTaskOffset, isFutexQueue } from './futex.ts';
import { hashedObject, hashedText } from './hashed-wait.ts';
import type { LockKind } from './lock.ts';
import { attempt } from './lock-reading.ts';
import { WQ_FLAG_CUSTOM } from './percpu-rwsem.ts';
import { blockerOf, directPointer, findQueued, findWithLayout, hasWaitersFlag } from './queued-wait.ts';
import { rtMutexOffset } from './rt-mutex.ts';
import { findRtWait } from './rt-wait.ts';
import { candidates, type Sleeper, wordsEqual } from './sleeper.ts';
import { findQueueEntries, findSimpleWaiter, queueHead, waiterEvidence } from './stack-waiter.ts';
import { outerFunction, type WaitFunction } from './wait-function.ts';
import { QUEUED_KINDS, waitListLayout } from './wait-list.ts';

/** What a task waits for by the structures that it is queued with; undefined when none is found. */
export function findWait(scene: WaitScene, sleeper: Sleeper): FoundWait | undefined {
  const { waits } = sleeper;
  const found = waits === undefined ? undefined : findByFunction(scene, sleeper, waits);
  return found ?? findByTask(scene, sleeper) ?? findAny(scene, sleeper);
}

function findByFunction(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  switch (waits.kind) {
    case 'mutex':
    case 'ww_mutex':
    case 'rwsem':
    case 'semaphore':
      return findQueued(scene, sleeper, waits) ?? findRtWait(scene, sleeper, waits);
    case 'rt_mutex':
    case 'spinlock':
    case 'pi_futex':
      return findRtWait(scene, sleeper, builtOn(scene, sleeper, waits));
    case 'percpu_rwsem':
      return findPercpu(scene, sleeper, waits);
    case 'completion':
      return findCompletion(scene, sleeper, waits);
    case 'futex':
      return findFutex(scene, sleeper, waits);
    case 'bit':
    case 'folio':
      return findHashed(scene, sleeper, waits.kind);
    case 'epoll':
      return findEpoll(scene, sleeper, waits);
    default:
      return undefined;
  }
}

/** The lock that an rt_mutex is part of: a mutex, rwsem or spinlock of PREEMPT_RT, a PI futex. */
function builtOn(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): WaitFunction {
  const isBuiltOn = (kind: LockKind) =>
    kind === 'pi_futex' || (kind !== 'rt_mutex' && rtMutexOffset(scene.kernel, kind) !== undefined);
  return outerFunction(sleeper.stack, waits.frame, isBuiltOn) ?? waits;
}

/** Since v5.7: an entry on its queue, or the writer that waits for readers to leave, which `writer` names. */
function findPercpu(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const { kernel } = scene;
  const waiters = findStructMember(kernel, 'percpu_rw_semaphore', 'waiters');
  const entry = findQueueEntries(kernel, sleeper).find(({ kind }) => kind === 'percpu_rwsem');
  const head = entry && queueHead(kernel, entry.list);
  if (entry !== undefined && head !== undefined && waiters !== undefined) {
    const address = head - BigInt(waiters.offset);
    const mode = (entry.flags & WQ_FLAG_CUSTOM) === 0 ? 'write' : 'read';
    const evidence = [entry.evidence, byFunction(waits)];
    return { kind: 'percpu_rwsem', address, mode, node: entry.node, sure: 'certain', evidence };
  }
  const writer = findStructMember(kernel, 'percpu_rw_semaphore', 'writer.task');
  if (writer === undefined) return undefined;
  const found = candidates(sleeper, waits.frame + 2);
  const at = BigInt(writer.offset);
  kernel.memory.prefetch(
    found.map(({ value }) => ({ space: 'virtual', address: value + at, length: 8, what: 'percpu_rw_semaphore' })),
  );
  const lock = found.find(
    ({ value }) => attempt(() => kernel.memory.u64(value + at, 'percpu_rw_semaphore.writer')) === sleeper.entry.task,
  );
  if (lock === undefined) return undefined;
  const text = `${lock.text} points to it, and its writer is the task`;
  const evidence = [{ by: lock.by, text }, byFunction(waits)];
  return { kind: 'percpu_rwsem', address: lock.value, mode: 'write', node: undefined, sure: 'certain', evidence };
}

function findCompletion(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const { kernel } = scene;
  const wait = findStructMember(kernel, 'completion', 'wait');
  if (wait === undefined) return undefined;
  const simple = findSimpleWaiter(scene, sleeper);
  if (simple !== undefined) {
    const address = simple.head - BigInt(wait.offset);
    const evidence = [simple.evidence, byFunction(waits)];
    return { kind: 'completion', address, mode: 'any', node: simple.node, sure: 'certain', evidence };
  }
  const queued = onQueue(scene, sleeper);
  if (queued === undefined) return undefined;
  const address = (queued.address ?? 0n) - BigInt(wait.offset);
  return { ...queued, kind: 'completion', address, evidence: [...queued.evidence, byFunction(waits)] };
}

function findFutex(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const taskAt = futexTaskOffset(scene.kernel);
  if (taskAt === undefined) return undefined;
  for (const at of wordsEqual(sleeper, sleeper.entry.task)) {
    const node = at - taskAt;
    if (node < sleeper.from || !isFutexQueue(scene.kernel, node, sleeper.entry.task)) continue;
    const address = attempt(() => futexOf(scene, node)) ?? node;
    const evidence = [waiterEvidence(sleeper, 'futex_q', node), byFunction(waits)];
    return { kind: 'futex', address, mode: 'any', node, sure: 'certain', evidence };
  }
  return undefined;
}

function findHashed(scene: WaitScene, sleeper: Sleeper, kind: 'bit' | 'folio'): FoundWait | undefined {
  const entry = findQueueEntries(scene.kernel, sleeper).find((found) => found.kind === kind);
  const key = entry && hashedObject(scene.kernel, kind, entry.node);
  if (entry === undefined || key === undefined) return undefined;
  const what = hashedText(scene.kernel, kind, key.object, key.bit);
  return {
    kind,
    address: key.object,
    mode: 'any',
    node: entry.node,
    sure: 'certain',
    evidence: [entry.evidence],
    what,
  };
}

function findEpoll(scene: WaitScene, sleeper: Sleeper, waits: WaitFunction): FoundWait | undefined {
  const queued = onQueue(scene, sleeper);
  const queue = attempt(() => memberOffset(scene.kernel, 'eventpoll', 'wq').offset);
  if (queued?.address === undefined || queue === undefined) return undefined;
  const evidence = [...queued.evidence, byFunction(waits)];
  return { ...queued, kind: 'epoll', address: queued.address - BigInt(queue), evidence };
}

/** Any wait queue that an entry on the stack is on. */
function onQueue(scene: WaitScene, sleeper: Sleeper): FoundWait | undefined {
  for (const entry of findQueueEntries(scene.kernel, sleeper)) {
    if (entry.kind !== 'task' && entry.kind !== 'other') continue;
    const head = queueHead(scene.kernel, entry.list);
    if (head === undefined) continue;
    const evidence = [entry.evidence];
    return { kind: 'wait_queue', address: head, mode: 'any', node: entry.node, sure: 'certain', evidence };
  }
  return undefined;
}

/** What the task_struct says alone, where the stack says nothing: it cannot be read, or its functions are unknown. */
function findByTask(scene: WaitScene, sleeper: Sleeper): FoundWait | undefined {
  const { entry } = sleeper;
  for (const kind of QUEUED_KINDS) {
    const layout = waitListLayout(scene.kernel, kind);
    if (layout === undefined || directPointer(scene, entry, kind) === undefined) continue;
    const found = findWithLayout(scene, sleeper, layout, 0);
    if (found === undefined) continue;
    const mode = kind === 'mutex' ? 'exclusive' : (blockerOf(scene, entry.blocker)?.mode ?? found.mode);
    return { ...found, mode };
  }
  if (!isKernelAddress(entry.piBlockedOn)) return undefined;
  return findRtWait(scene, sleeper, { kind: 'rt_mutex', mode: 'exclusive', within: '', frame: 0 });
}

/** Without a function that says it: a wait queue, or, where the stack could not be unwound, a lock's waiter. */
function findAny(scene: WaitScene, sleeper: Sleeper): FoundWait | undefined {
  const { kernel } = scene;
  const hashed = findHashed(scene, sleeper, 'folio') ?? findHashed(scene, sleeper, 'bit');
  if (hashed !== undefined) return hashed;
  const queued = onQueue(scene, sleeper);
  if (queued !== undefined || sleeper.stack.frames.some(({ reliable }) => reliable)) return queued;
  for (const kind of ['mutex', 'rwsem'] as const) {
    const layout = waitListLayout(kernel, kind);
    const found = layout && findWithLayout(scene, sleeper, layout, 0);
    if (found?.address === undefined || !hasWaitersFlag(scene, kind, found.address)) continue;
    const text = `the ${kind} at ${formatAddress(found.address)} says that somebody waits; no function on the stack is known`;
    return { ...found, sure: 'likely', evidence: [...found.evidence, { by: 'state', text }] };
  }
  return undefined;
}
