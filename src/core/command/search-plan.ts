/**
 * Where a search looks, from its options.
 */
import { UnsupportedError, UsageError } from '../errors.ts';
import { systemRam } from '../kernel/physical-memory.ts';
import { currentTasks } from '../kernel/runqueue.ts';
import {
  clip,
  directMapRanges,
  imageRanges,
  type SearchRange,
  totalLength,
  vmallocRanges,
} from '../kernel/search-ranges.ts';
import { threadSize } from '../kernel/stack.ts';
import { taskAt, tasks } from '../kernel/task.ts';
import { vmas } from '../kernel/vma.ts';
import { isKernelAddress } from '../memory/address.ts';
import type { ReadRange } from '../memory/fault.ts';
import type { ScanProgress } from '../memory/scan.ts';
import { contextTask } from './context.ts';
import type { Scope } from './scope.ts';
import { kernelPieces, physicalPieces, type SearchPiece, stackPieces, userPieces } from './search-source.ts';

export interface PlanArgs {
  readonly k: boolean;
  readonly K: boolean;
  readonly V: boolean;
  readonly u: boolean;
  readonly p: boolean;
  readonly t: boolean;
  readonly T: boolean;
  readonly s: bigint | undefined;
  readonly e: bigint | undefined;
  readonly l: bigint | undefined;
}

export interface SearchPlan {
  readonly space: 'kernel' | 'user' | 'physical';
  /** What is searched, for people. */
  readonly what: string;
  /** Bytes. */
  readonly length: bigint;
  /** Nothing below this is a match: ranges are read from a multiple of the longest word. */
  readonly from: bigint;
  /** What the user should know before it starts. */
  readonly remark?: string;
  readonly pieces: Iterable<SearchPiece>;
}

/** More RAM than this is not read from a live target without being asked for. */
const LIVE_RAM_MAX = 1n << 30n;
/** A range that names both its ends is taken as it is up to this length, a longer one only where memory is known to be. */
const EXPLICIT_MAX = 1n << 30n;
/** VM_IO and VM_PFNMAP: device memory. */
const VM_DEVICE = 0x4400n;
const END = 1n << 64n;

/** Throws UsageError, UnsupportedError, FaultError. */
export function planSearch(scope: Scope, args: PlanArgs, progress: ScanProgress): SearchPlan {
  const places = (['k', 'K', 'V', 'u', 'p', 't', 'T'] as const).filter((name) => args[name]);
  if (places.length > 1) throw new UsageError(`-${places.join(' and -')} contradict each other`);
  const range = rangeOf(args);
  if (args.t || args.T) {
    if (range !== undefined) throw new UsageError('-s, -e and -l do not go with stacks');
    return stacks(scope, args.T, progress);
  }
  if (args.u) return userMemory(scope, range, progress);
  if (args.p) return physicalMemory(scope, range, progress);
  return kernelMemory(scope, args, range, progress);
}

/** What -s, -e and -l say; undefined when none is given. */
function rangeOf({ s, e, l }: PlanArgs): SearchRange | undefined {
  if (s === undefined && e === undefined && l === undefined) return undefined;
  if (e !== undefined && l !== undefined) throw new UsageError('-e and -l contradict each other');
  if (l !== undefined && s === undefined) throw new UsageError('-l wants -s START');
  const start = s ?? 0n;
  const end = e ?? (l === undefined ? END : start + l);
  if (end <= start) throw new UsageError('the range to search is empty');
  return { start, end: end > END ? END : end };
}

function kernelMemory(
  scope: Scope,
  args: PlanArgs,
  range: SearchRange | undefined,
  progress: ScanProgress,
): SearchPlan {
  const { kernel } = scope;
  const finish = (ranges: readonly SearchRange[], what: string, remark?: string): SearchPlan => ({
    space: 'kernel',
    what,
    from: range?.start ?? 0n,
    length: totalLength(ranges),
    ...(remark === undefined ? {} : { remark }),
    pieces: kernelPieces(scope, ranges, progress),
  });
  const bounded = range !== undefined && args.s !== undefined && range.end !== END;
  if (bounded && range.end - range.start <= EXPLICIT_MAX) return finish([range], 'the range');
  const within = (ranges: readonly SearchRange[]) =>
    range === undefined ? ranges : clip(ranges, range.start, range.end);
  const held = args.V ? undefined : kernel.memory.source.held?.();
  if (held !== undefined) return finish(within(kernelPart(held)), 'the pages of kernel memory that are there');
  const vmalloc = args.K ? [] : within(vmallocRanges(kernel));
  if (args.V) return finish(vmalloc, 'vmalloc and module areas');
  const image = within(imageRanges(kernel));
  const ram = within(directMapRanges(kernel));
  const isAskedFor = args.k || args.K || range !== undefined;
  if (kernel.liveness === 'live' && !isAskedFor && totalLength(ram) > LIVE_RAM_MAX) {
    const left = `${totalLength(ram) >> 20n} MiB of RAM are left out on a live target: -k searches them too`;
    return finish([...image, ...vmalloc], 'text, data, vmalloc and module areas', left);
  }
  const areas = args.K ? '' : ', vmalloc and module areas';
  return finish([...image, ...ram, ...vmalloc], `text, data, RAM${areas}`);
}

/** Of the pages that a recording holds, those of the kernel. */
function kernelPart(held: readonly ReadRange[]): readonly SearchRange[] {
  return held
    .filter(({ address }) => isKernelAddress(address))
    .map(({ address, length }) => ({ start: address, end: address + BigInt(length) }));
}

function physicalMemory(scope: Scope, range: SearchRange | undefined, progress: ScanProgress): SearchPlan {
  const ram = systemRam(scope.kernel);
  if (ram.length === 0) throw new UnsupportedError('this kernel does not tell where its RAM is');
  const ranges = range === undefined ? ram : clip(ram, range.start, range.end);
  return {
    space: 'physical',
    what: 'RAM',
    from: range?.start ?? 0n,
    length: totalLength(ranges),
    pieces: physicalPieces(scope, ranges, progress),
  };
}

function stacks(scope: Scope, active: boolean, progress: ScanProgress): SearchPlan {
  const { kernel } = scope;
  const searched = active
    ? [...currentTasks(kernel).values()].filter((task) => task !== 0n).map((task) => taskAt(kernel, task))
    : tasks(kernel);
  return {
    space: 'kernel',
    what: `the stacks of ${searched.length} ${searched.length === 1 ? 'task' : 'tasks'}`,
    from: 0n,
    length: BigInt(searched.length * threadSize(kernel)),
    pieces: stackPieces(scope, searched, progress),
  };
}

function userMemory(scope: Scope, range: SearchRange | undefined, progress: ScanProgress): SearchPlan {
  const { kernel } = scope;
  const task = contextTask(scope);
  if (task.mm === 0n) throw new UnsupportedError(`task ${task.pid} (${task.comm}) has no memory of its own`);
  const mapped = vmas(kernel, task.mm).filter(({ flags }) => (flags & VM_DEVICE) === 0n);
  const ranges = range === undefined ? mapped : clip(mapped, range.start, range.end);
  return {
    space: 'user',
    what: `the memory of task ${task.pid} (${task.comm})`,
    from: range?.start ?? 0n,
    length: totalLength(ranges),
    pieces: userPieces(scope, task.mm, ranges, progress),
  };
}
