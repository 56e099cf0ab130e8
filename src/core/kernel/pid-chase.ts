/**
 * The task of a PID in two requests, on a target that goes along pointers by itself: first the height of the PID table's
 * tree, then the way from its root over the struct pid to the task. Once the height is known it is one. What is found is
 * a guess that the caller checks by the task's own PID, as it does for any other way of finding it.
 */
import { isKernelAddress } from '../memory/address.ts';
import type { Kernel } from './kernel.ts';
import type { SeenTask } from './pid-link.ts';
import { xarrayHeadOffset, xarrayLayout } from './xarray.ts';

/** Pointers to nodes and entries carry what they are in these bits. */
const ENTRY_FLAGS = 3;
/** Levels that an index of 64 bits has with the smallest nodes. */
const LEVELS_MAX = 16;

export interface PidPlaces {
  /** The struct xarray of the PID table. */
  readonly table: bigint;
  /** Where a struct pid keeps its first task of PIDTYPE_PID, and where that link is in a task_struct. */
  readonly firstTask: number;
  readonly link: number;
}

/** Undefined when the way was not found so: that says nothing of the PID. Throws BackendError, CancelledError. */
export function chaseTask(kernel: Kernel, pid: number, places: PidPlaces): SeenTask | undefined {
  const { source } = kernel.memory;
  if (source.chase === undefined || kernel.liveness !== 'live') return undefined;
  const height = kernel.memo('levels of the PID table', 'session', () => ({ levels: undefined as number | undefined }));
  if (height.levels !== undefined) {
    const found = alongLevels(kernel, pid, places, height.levels);
    if (found !== undefined) return found;
  }
  height.levels = levelsOf(kernel, places.table);
  return height.levels === undefined ? undefined : alongLevels(kernel, pid, places, height.levels);
}

/** Levels of nodes below xa_head, told by the shift of the top node. */
function levelsOf(kernel: Kernel, table: bigint): number | undefined {
  const { bits, shiftOffset } = xarrayLayout(kernel);
  const word = shiftOffset & ~7;
  const way = { start: table, offsets: [xarrayHeadOffset(kernel), word], flags: ENTRY_FLAGS, what: 'the PID table' };
  const [, shiftWord] = kernel.memory.source.chase?.(way).pointers ?? [];
  if (shiftWord === undefined) return undefined;
  const shift = Number((shiftWord >> BigInt(8 * (shiftOffset - word))) & 0xffn);
  const levels = shift / bits + 1;
  return Number.isInteger(levels) && levels <= LEVELS_MAX ? levels : undefined;
}

function alongLevels(kernel: Kernel, pid: number, places: PidPlaces, levels: number): SeenTask | undefined {
  const { bits, slots, slotsOffset } = xarrayLayout(kernel);
  const slotOffsets = Array.from({ length: levels }, (_, i) => {
    return slotsOffset + 8 * (Math.floor(pid / 2 ** (bits * (levels - 1 - i))) % slots);
  });
  const offsets = [xarrayHeadOffset(kernel), ...slotOffsets, places.firstTask];
  const way = { start: places.table, offsets, flags: ENTRY_FLAGS, what: 'the PID table' };
  const pointers = kernel.memory.source.chase?.(way).pointers ?? [];
  const link = pointers[offsets.length - 1];
  const structPid = pointers[offsets.length - 2];
  if (link === undefined || structPid === undefined || !isKernelAddress(link)) return undefined;
  return { task: link - BigInt(places.link), pid: structPid };
}
