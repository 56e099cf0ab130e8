/**
 * Stacks of a target without memory: what the kernel itself writes to /proc/PID/stack, a line a frame, innermost
 * first. It leaves out the functions of the scheduler and of locks (all of .sched.text), says nothing of addresses,
 * and needs CAP_SYS_ADMIN.
 *
 *     [<0>] pipe_read+0x306/0x400
 *     [<0>] nfs_wait_bit_killable+0x25/0x90 [nfs]
 */
import { decodeAscii } from '../memory/text.ts';
import type { Kernel } from './kernel.ts';

/** A frame as the kernel named it. */
export interface ProcFrame {
  readonly symbol: string;
  readonly offset: number;
  readonly module: string | undefined;
}

/** Frames, or a sentence that says why there are none. */
export type ProcStack = readonly ProcFrame[] | string;

/** Files asked for with one request. */
const BATCH = 256;
const LENGTH_MAX = 64 * 1024;
/** MAX_STACK_TRACE_DEPTH in fs/proc/base.c is 64. */
const FRAMES_MAX = 256;
const SYMBOL_MAX = 512;

/** The stack of each PID, in order. Throws BackendError, UnsupportedError without files. */
export function* procStacks(kernel: Kernel, pids: Iterable<number>): Generator<ProcStack, void> {
  let batch: number[] = [];
  for (const pid of pids) {
    batch.push(pid);
    if (batch.length < BATCH) continue;
    yield* readBatch(kernel, batch);
    batch = [];
  }
  yield* readBatch(kernel, batch);
}

function readBatch(kernel: Kernel, pids: readonly number[]): readonly ProcStack[] {
  if (pids.length === 0) return [];
  const results = kernel.files.readMany(
    pids.map((pid) => `/proc/${pid}/stack`),
    LENGTH_MAX,
  );
  return pids.map((_pid, i) => {
    const result = results[i];
    if (result?.ok === true) return parseProcStack(decodeAscii(result.bytes));
    const { reason, detail } = result?.failure ?? { reason: 'io', detail: 'no answer' };
    if (reason === 'absent') return 'the task has ended';
    if (reason === 'denied') return `/proc/PID/stack is denied (${detail}): it takes root on the host`;
    return `/proc/PID/stack: ${detail}`;
  });
}

/** Lines of any other form are passed over: a `?` frame, the end mark of old kernels. */
export function parseProcStack(text: string): ProcStack {
  const frames: ProcFrame[] = [];
  for (const line of text.split('\n')) {
    const match = /^\[<[0-9a-f]+>\] ([^\s+]+)\+0x([0-9a-f]{1,8})\/0x[0-9a-f]+(?: \[([^\s\]]+)[^\]]*\])?$/.exec(line);
    if (match === null || (match[1] as string).length > SYMBOL_MAX) continue;
    frames.push({ symbol: match[1] as string, offset: Number.parseInt(match[2] as string, 16), module: match[3] });
    if (frames.length === FRAMES_MAX) break;
  }
  return frames.length === 0 ? 'the kernel gives no stack of it: it is running, or in user mode' : frames;
}
