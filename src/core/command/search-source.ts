/**
 * The memory that a search looks through, in pieces that can be read: ranges of kernel memory, the stacks of tasks, the
 * mappings of a process.
 */
import { directMap, directMapAddress } from '../kernel/direct-map.ts';
import type { SearchRange } from '../kernel/search-ranges.ts';
import { threadSize } from '../kernel/stack.ts';
import { type Task, TaskStruct } from '../kernel/task-struct.ts';
import { readUserMany, translate } from '../kernel/user-memory.ts';
import { PAGE_SIZE } from '../memory/address.ts';
import { type ReadRequest, USER_MEMORY } from '../memory/backend.ts';
import { SCAN_CHUNK, type ScanProgress, scanMemory } from '../memory/scan.ts';
import type { Scope } from './scope.ts';

/** Readable bytes, and whose they are. */
export interface SearchPiece {
  /** In the address space that is searched: for physical memory a physical address. */
  readonly address: bigint;
  readonly bytes: Uint8Array;
  readonly task?: Task;
}

/** Ranges of kernel virtual addresses. */
export function* kernelPieces(
  scope: Scope,
  ranges: readonly SearchRange[],
  progress: ScanProgress,
): Generator<SearchPiece, void> {
  const { source } = scope.kernel.memory;
  for (const { start, end } of ranges) {
    const range = { space: 'virtual', address: start, length: Number(end - start), what: 'searched memory' } as const;
    for (const piece of scanMemory(source, range, progress, () => scope.check())) yield within(piece, start, end);
  }
}

/** A piece without what its pages have beyond the range: from a multiple of the longest word to another. */
function within({ address, bytes }: SearchPiece, start: bigint, end: bigint): SearchPiece {
  const before = start > address ? Number(start - address) & ~7 : 0;
  const length = end < address + BigInt(bytes.length) ? Number(end - address) : bytes.length;
  return {
    address: address + BigInt(before),
    bytes: bytes.subarray(before, Math.min((length + 7) & ~7, bytes.length)),
  };
}

/** Ranges of physical addresses, read through the direct map. */
export function* physicalPieces(
  scope: Scope,
  ranges: readonly SearchRange[],
  progress: ScanProgress,
): Generator<SearchPiece, void> {
  const map = directMap(scope.kernel);
  const mapped = ranges.map(({ start, end }) => ({
    start: directMapAddress(map, start),
    end: directMapAddress(map, end),
  }));
  for (const { address, bytes } of kernelPieces(scope, mapped, progress)) yield { address: address - map.base, bytes };
}

/** The whole stack of each task, many with one request. */
export function* stackPieces(
  scope: Scope,
  tasks: readonly Task[],
  progress: ScanProgress,
): Generator<SearchPiece, void> {
  const { kernel } = scope;
  const size = threadSize(kernel);
  const batch = Math.max(Math.floor(SCAN_CHUNK / size), 1);
  for (let at = 0; at < tasks.length; at += batch) {
    scope.check();
    const next = tasks.slice(at, at + batch);
    kernel.struct(TaskStruct).prefetch(next.map((task) => task.address));
    const some = next.filter((task) => task.stack !== 0n);
    const requests = some.map((task): ReadRequest => {
      return { space: 'virtual', address: task.stack, length: size, what: 'stack' };
    });
    const answers = kernel.memory.source.read(requests);
    for (const [i, task] of some.entries()) {
      const answer = answers[i];
      const request = requests[i] as ReadRequest;
      if (answer instanceof Uint8Array && answer.length === size) {
        progress.done += size;
        yield { address: task.stack, bytes: answer, task };
      } else {
        const pages = scanMemory(kernel.memory.source, request, progress, () => scope.check());
        for (const piece of pages) yield { ...piece, task };
      }
    }
  }
}

/** The memory of a process, as far as it is there: pages that are swapped out or were never touched are not. */
export function* userPieces(
  scope: Scope,
  mm: bigint,
  ranges: readonly SearchRange[],
  progress: ScanProgress,
): Generator<SearchPiece, void> {
  for (const { start, end } of ranges) {
    for (let at = start; at < end; ) {
      scope.check();
      const next = presentFrom(scope, mm, at, end);
      progress.done += Number(next - at);
      progress.unreadable += Number(next - at);
      at = next;
      const length = end - at < BigInt(SCAN_CHUNK) ? Number(end - at) : SCAN_CHUNK;
      const pages = Array.from({ length: Math.ceil(length / PAGE_SIZE) }, (_, i) => {
        return { mm, address: at + BigInt(i * PAGE_SIZE), length: PAGE_SIZE, what: USER_MEMORY };
      });
      const answers = readUserMany(scope.kernel, pages);
      progress.done += length;
      for (const [i, answer] of answers.entries()) {
        if (answer instanceof Uint8Array) yield { address: at + BigInt(i * PAGE_SIZE), bytes: answer };
        else progress.unreadable += PAGE_SIZE;
      }
      at += BigInt(length);
    }
  }
}

/**
 * The first address that page tables may map: a process may reserve terabytes, and an entry that is absent high up in
 * the tables tells of gigabytes that are not there.
 */
function presentFrom({ kernel, check }: Scope, mm: bigint, start: bigint, end: bigint): bigint {
  const { levels } = directMap(kernel);
  for (let at = start; at < end; ) {
    check();
    const { steps, result } = translate(kernel, mm, at);
    if (result.kind !== 'absent' || steps.length === levels || steps.length === 0) return at;
    // Each entry above the last level covers 512 of the next.
    const covered = BigInt(12 + 9 * (levels - steps.length));
    at = ((at >> covered) + 1n) << covered;
  }
  return end;
}
