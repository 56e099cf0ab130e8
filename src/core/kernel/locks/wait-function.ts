/**
 * What the functions on a stack say that a task waits for. Only the innermost ones count: a task that sleeps in a page
 * fault below ep_poll() waits for the page. Names are compared without what the compiler appends (.constprop.0, .isra.0).
 */
import type { TaskStack } from '../stack.ts';
import type { LockKind, LockMode } from './lock.ts';

/** A function in which tasks wait. */
export interface WaitFunction {
  readonly kind: LockKind;
  readonly mode: LockMode;
  /** The function's name, without suffix. */
  readonly within: string;
  /** Its frame: stack.frames[frame]. */
  readonly frame: number;
}

/** Frames of the scheduler, between a task and where it sleeps. */
const SCHEDULER =
  /^(?:__)?schedule(?:_timeout|_hrtimeout_range|_hrtimeout)?(?:_(?:clock|interruptible|uninterruptible|killable|idle|preempt_disabled|rtlock))?$|^context_switch$|^__switch_to(?:_asm)?$|^(?:io_schedule(?:_timeout|_prepare)?|schedule_preempt_disabled|rt_mutex_schedule|preempt_schedule\w*|freezable_schedule\w*|do_nanosleep)$/;

/** The names of waiting functions by kind, from 5.4 on. */
const FUNCTIONS: readonly (readonly [RegExp, LockKind, LockMode])[] = [
  [/^__mutex_lock(?:_common|_(?:killable_|interruptible_)?slowpath)?$|^mutex_lock(?:_\w+)?$/, 'mutex', 'exclusive'],
  [/^__ww_mutex_lock(?:_(?:interruptible_)?slowpath)?$|^ww_mutex_lock(?:_\w+)?$/, 'ww_mutex', 'exclusive'],
  [/^(?:__)?rwsem_down_read_(?:slowpath|failed\w*)$|^down_read(?:_\w+)?$|^(?:__)?rwbase_read_lock$/, 'rwsem', 'read'],
  [/^(?:__)?rwsem_down_write_(?:slowpath|failed\w*)$|^down_write(?:_\w+)?$|^rwbase_write_lock$/, 'rwsem', 'write'],
  [/^__percpu_down_read$/, 'percpu_rwsem', 'read'],
  [/^percpu_down_write$/, 'percpu_rwsem', 'write'],
  [/^percpu_rwsem_wait$/, 'percpu_rwsem', 'any'],
  [
    /^_{2,3}down(?:_common|_(?:interruptible|killable|timeout))?$|^down(?:_interruptible|_killable|_timeout)?$/,
    'semaphore',
    'any',
  ],
  [/^(?:__)?rt_mutex_(?:slowlock\w*|wait_proxy_lock|lock\w*)$/, 'rt_mutex', 'exclusive'],
  [/^rtlock_slowlock\w*$|^rt_spin_lock\w*$|^rt_(?:read|write)_lock$/, 'spinlock', 'exclusive'],
  [/^(?:__|do_)?wait_for_common$|^wait_for_completion\w*$/, 'completion', 'any'],
  [
    /^futex_wait_queue(?:_me)?$|^futex_do_wait$|^(?:__)?futex_wait$|^futex_wait_multiple$|^futex_sleep_multiple$/,
    'futex',
    'any',
  ],
  [/^futex_lock_pi$|^futex_wait_requeue_pi$/, 'pi_futex', 'exclusive'],
  [/^ep_poll$|^do_epoll_wait$/, 'epoll', 'any'],
  [
    /^folio_wait_bit(?:_common|_killable)?$|^__wait_on_page_bit\w*$|^wait_on_page_bit\w*$|^__folio_lock\w*$|^__lock_page\w*$|^put_and_wait_on_page_locked$|^folio_put_wait_locked$|^migration_entry_wait\w*$|^softleaf_entry_wait\w*$/,
    'folio',
    'any',
  ],
  [/^out_of_line_wait_on_bit\w*$|^__wait_on_bit\w*$/, 'bit', 'any'],
];

/** How many frames above the scheduler's may come before it: what a bit wait calls to sleep, a wrapper. */
const WINDOW = 3;

/** The innermost function that says what the task waits for; undefined when none of the innermost does. */
export function waitFunction(stack: TaskStack): WaitFunction | undefined {
  let seen = 0;
  for (const [frame, { symbol, exception }] of stack.frames.entries()) {
    if (exception !== undefined) return undefined;
    const name = baseName(symbol?.name);
    if (name !== undefined && SCHEDULER.test(name)) continue;
    const row = name === undefined ? undefined : FUNCTIONS.find(([pattern]) => pattern.test(name));
    if (row !== undefined && name !== undefined) return { kind: row[1], mode: row[2], within: name, frame };
    seen++;
    if (seen >= WINDOW) return undefined;
  }
  return undefined;
}

/** The innermost function that is not the scheduler's. */
export function sleepsIn(stack: TaskStack): string | undefined {
  for (const { symbol } of stack.frames) {
    const name = baseName(symbol?.name);
    if (name !== undefined && !SCHEDULER.test(name)) return name;
  }
  return undefined;
}

/** A function's name without what the compiler appends to it. */
export function baseName(name: string | undefined): string | undefined {
  const dot = name?.indexOf('.') ?? -1;
  return dot <= 0 ? name : name?.slice(0, dot);
}

/**
 * The first waiting function of another kind among the frames that called the one at `frame`: what a low-level wait is part
 * of. Only kinds that `is` accepts count.
 */
export function outerFunction(
  stack: TaskStack,
  frame: number,
  is: (kind: LockKind) => boolean,
): WaitFunction | undefined {
  for (let i = frame + 1; i < Math.min(stack.frames.length, frame + 1 + OUTER); i++) {
    const { symbol, exception } = stack.frames[i] as TaskStack['frames'][number];
    if (exception !== undefined) return undefined;
    const name = baseName(symbol?.name);
    const row = name === undefined ? undefined : FUNCTIONS.find(([pattern, kind]) => is(kind) && pattern.test(name));
    if (row !== undefined && name !== undefined) return { kind: row[1], mode: row[2], within: name, frame: i };
  }
  return undefined;
}

const OUTER = 6;
