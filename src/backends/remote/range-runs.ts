/**
 * Ranges that touch or overlap become one run on the wire: fewer to ask for, and fewer reads on the far side.
 */
import type { ReadRequest } from '../../core/memory/backend.ts';

/** A run is no longer than this, unless one request is. */
const RUN_MAX = 256 * 1024;

export interface Run {
  readonly range: ReadRequest;
  /** The requests that are parts of it, by their place in what was given. */
  readonly members: readonly number[];
}

/** The runs of these requests, by address. */
export function runsOf(requests: readonly ReadRequest[]): readonly Run[] {
  const order = requests.map((_, i) => i);
  const at = (i: number): ReadRequest => requests[i] as ReadRequest;
  order.sort((a, b) => compare(at(a), at(b)));
  const runs: { range: ReadRequest; members: number[] }[] = [];
  for (const index of order) {
    const request = at(index);
    const run = runs.at(-1);
    const joined = run && join(run.range, request);
    if (run === undefined || joined === undefined) runs.push({ range: request, members: [index] });
    else {
      run.range = joined;
      run.members.push(index);
    }
  }
  return runs;
}

function join(run: ReadRequest, next: ReadRequest): ReadRequest | undefined {
  if (run.space !== next.space || next.address > run.address + BigInt(run.length)) return undefined;
  const end = Number(next.address - run.address) + next.length;
  if (end <= run.length) return run;
  return end <= RUN_MAX ? { ...run, length: end } : undefined;
}

function compare(a: ReadRequest, b: ReadRequest): number {
  if (a.space !== b.space) return a.space < b.space ? -1 : 1;
  return a.address < b.address ? -1 : a.address > b.address ? 1 : 0;
}
