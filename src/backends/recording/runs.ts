/**
 * Pages of one batch of answers, put together into runs: neighbours in memory whose contents are neighbours in the
 * file, so that a table of a thousand pages is one short journal line.
 */
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type { FaultReason, ReadRange, Space } from '../../core/memory/fault.ts';
import { ZERO_PAGE } from './contents.ts';
import type { JournalRecord } from './journal.ts';

interface Run {
  readonly address: bigint;
  readonly content: number;
  count: number;
}

interface FaultGroup {
  readonly space: Space;
  readonly reason: FaultReason;
  readonly detail: string | undefined;
  readonly runs: Run[];
}

/** Runs a journal line: keeps a line short enough to be read whole. */
const RUNS_MAX = 4096;

export class AnswerRuns {
  readonly #pages: Readonly<Record<Space, Run[]>> = { virtual: [], physical: [] };
  readonly #faults = new Map<string, FaultGroup>();

  page(space: Space, address: bigint, content: number): void {
    const runs = this.#pages[space];
    const last = runs.at(-1);
    const follows = content === ZERO_PAGE ? last?.content === ZERO_PAGE : last && content === last.content + last.count;
    if (last !== undefined && follows && (last.content !== ZERO_PAGE) === (content !== ZERO_PAGE)) {
      if (address === last.address + BigInt(last.count * PAGE_SIZE)) {
        last.count++;
        return;
      }
    }
    runs.push({ address, content, count: 1 });
  }

  /** All pages of a range cannot be read. */
  fault(range: ReadRange, reason: FaultReason, detail: string | undefined): void {
    const key = `${range.space} ${reason} ${detail ?? ''}`;
    let group = this.#faults.get(key);
    if (group === undefined) {
      group = { space: range.space, reason, detail, runs: [] };
      this.#faults.set(key, group);
    }
    const count = Math.ceil(range.length / PAGE_SIZE);
    const last = group.runs.at(-1);
    if (last !== undefined && range.address === last.address + BigInt(last.count * PAGE_SIZE)) last.count += count;
    else group.runs.push({ address: range.address, content: ZERO_PAGE, count });
  }

  *records(): Generator<JournalRecord> {
    for (const space of ['virtual', 'physical'] as const) {
      for (const runs of slices(this.#pages[space])) {
        yield { k: 'pages', space, runs: runs.map((run) => [hex(run.address), run.content, run.count] as const) };
      }
    }
    for (const { space, reason, detail, runs: all } of this.#faults.values()) {
      for (const runs of slices(all)) {
        yield {
          k: 'faults',
          space,
          reason,
          ...(detail === undefined ? {} : { detail }),
          runs: runs.map((run) => [hex(run.address), run.count] as const),
        };
      }
    }
  }
}

function* slices(runs: readonly Run[]): Generator<readonly Run[]> {
  for (let at = 0; at < runs.length; at += RUNS_MAX) yield runs.slice(at, at + RUNS_MAX);
}

function hex(address: bigint): string {
  return BigInt.asUintN(64, address).toString(16).padStart(16, '0');
}
