/**
 * The journal of a recording: one JSON object a line, in the order in which things happened. A line tells what the
 * backend answered, or what the session did; the bytes themselves are contents, named by number. A reader skips kinds
 * that it does not know. Lines come from files that anybody may have written: every member is checked here.
 */
import { DataError } from '../../core/errors.ts';
import type { Capability, ControlStep, FileFailure } from '../../core/memory/backend.ts';
import type { FaultReason, Space } from '../../core/memory/fault.ts';

/** Numbers of contents, one after the other. Number 0 is a page of zeros, which no file stores. */
export type Contents = readonly number[];
/** Pages from `address` on, and the number of the first one's content: content + i for the i-th, or 0 for all. */
export type PageRun = readonly [address: string, content: number, count: number];
export type FaultRun = readonly [address: string, count: number];

/** What was asked of the files: their bytes, a directory's names, where a link points. */
export type FileQuestion = 'file' | 'list' | 'link';

export type JournalRecord =
  | { readonly k: 'capabilities'; readonly list: readonly Capability[] }
  | { readonly k: 'vmcoreinfo'; readonly data: Contents }
  | { readonly k: 'pages'; readonly space: Space; readonly runs: readonly PageRun[] }
  | {
      readonly k: 'faults';
      readonly space: Space;
      readonly reason: FaultReason;
      readonly detail?: string;
      readonly runs: readonly FaultRun[];
    }
  | { readonly k: 'part'; readonly space: Space; readonly address: string; readonly data: number }
  | { readonly k: FileQuestion; readonly path: string; readonly data: Contents; readonly truncated?: true }
  | {
      readonly k: FileQuestion;
      readonly path: string;
      readonly reason: FileFailure['reason'];
      readonly detail: string;
    }
  | { readonly k: 'control'; readonly steps: readonly ControlStep[]; readonly failed?: FileFailure }
  | { readonly k: 'restore'; readonly steps: readonly ControlStep[] }
  | ({ readonly k: 'stream'; readonly path: string } & StreamRecord)
  | { readonly k: 'command'; readonly line: string; readonly at: number; readonly by: string }
  | { readonly k: 'output'; readonly data: Contents; readonly lines: number; readonly cut?: number }
  | { readonly k: 'output'; readonly withheld: string }
  | { readonly k: 'end'; readonly status: number; readonly ms: number }
  | { readonly k: 'note'; readonly text: string; readonly at: number }
  | { readonly k: 'close'; readonly at: number };

/** What came of a stream: bytes (none at all where it was opened), a pause, its end, or no stream. */
export type StreamRecord =
  | { readonly data: Contents }
  | { readonly idle: true }
  | { readonly ended: string }
  | { readonly reason: FileFailure['reason']; readonly detail: string };

const FAULT_REASONS: ReadonlySet<string> = new Set<FaultReason>([
  'unmapped',
  'null',
  'non-canonical',
  'not-recorded',
  'excluded',
  'denied',
  'truncated',
  'swapped',
  'io',
]);
const FAILURES: ReadonlySet<string> = new Set<FileFailure['reason']>(['absent', 'denied', 'not-recorded', 'io']);
/** More pages than a run of 1 TiB has: a larger count is damage, and sums of counts stay exact. */
const RUN_MAX = 1 << 28;

type Line = Readonly<Record<string, unknown>>;

/** Decodes one line; undefined for a kind that this reader does not know. Throws DataError. */
export function decodeJournalLine(text: string): JournalRecord | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new DataError(`a journal line is not JSON: ${excerpt(text)}`);
  }
  if (typeof json !== 'object' || json === null) throw new DataError(`a journal line is no object: ${excerpt(text)}`);
  const line = json as Line;
  const kind = line['k'];
  if (typeof kind !== 'string') throw new DataError(`a journal line has no kind: ${excerpt(text)}`);
  const decode = DECODERS.get(kind);
  if (decode === undefined) return undefined;
  const record = decode(line);
  if (record === undefined) throw new DataError(`a journal line of kind "${kind}" is malformed: ${excerpt(text)}`);
  return record;
}

/** One decoder a kind; undefined when a member is missing or of the wrong type. */
const DECODERS: ReadonlyMap<string, (line: Line) => JournalRecord | undefined> = new Map<
  string,
  (line: Line) => JournalRecord | undefined
>([
  ['capabilities', decodeCapabilities],
  ['vmcoreinfo', ({ data }) => (contents(data) ? { k: 'vmcoreinfo', data } : undefined)],
  ['pages', decodePages],
  ['faults', decodeFaults],
  ['part', decodePart],
  ['file', (line) => decodeFile('file', line)],
  ['list', (line) => decodeFile('list', line)],
  ['link', (line) => decodeFile('link', line)],
  ['control', decodeControl],
  ['restore', ({ steps }) => (areSteps(steps) ? { k: 'restore', steps } : undefined)],
  ['stream', decodeStream],
  ['command', decodeCommand],
  ['output', decodeOutput],
  ['end', decodeEnd],
  ['note', decodeNote],
  ['close', ({ at }) => (isTime(at) ? { k: 'close', at } : undefined)],
]);

function decodeCapabilities({ list }: Line): JournalRecord | undefined {
  if (!Array.isArray(list)) return undefined;
  const capabilities: Capability[] = [];
  for (const entry of list as readonly unknown[]) {
    if (typeof entry !== 'object' || entry === null) return undefined;
    const { name, available, detail, help } = entry as Line;
    if (typeof name !== 'string' || typeof available !== 'boolean' || typeof detail !== 'string') return undefined;
    capabilities.push({ name, available, detail, ...(typeof help === 'string' ? { help } : {}) });
  }
  return { k: 'capabilities', list: capabilities };
}

function decodePages({ space, runs }: Line): JournalRecord | undefined {
  if (!isSpace(space) || !Array.isArray(runs)) return undefined;
  for (const run of runs as readonly unknown[]) {
    if (!Array.isArray(run) || run.length !== 3) return undefined;
    if (!isPageAddress(run[0]) || !isNumber(run[1]) || !isNumber(run[2]) || run[2] > RUN_MAX) return undefined;
  }
  return { k: 'pages', space, runs: runs as readonly PageRun[] };
}

function decodeFaults({ space, reason, detail, runs }: Line): JournalRecord | undefined {
  if (!isSpace(space) || typeof reason !== 'string' || !FAULT_REASONS.has(reason) || !Array.isArray(runs)) {
    return undefined;
  }
  for (const run of runs as readonly unknown[]) {
    if (!Array.isArray(run) || run.length !== 2) return undefined;
    if (!isPageAddress(run[0]) || !isNumber(run[1]) || run[1] > RUN_MAX) return undefined;
  }
  return {
    k: 'faults',
    space,
    reason: reason as FaultReason,
    ...(typeof detail === 'string' ? { detail } : {}),
    runs: runs as readonly FaultRun[],
  };
}

function decodePart({ space, address, data }: Line): JournalRecord | undefined {
  if (!isSpace(space) || typeof address !== 'string' || !/^[0-9a-f]{16}$/.test(address)) return undefined;
  return isNumber(data) ? { k: 'part', space, address, data } : undefined;
}

function decodeFile(k: FileQuestion, line: Line): JournalRecord | undefined {
  const { path, data, reason, detail } = line;
  if (typeof path !== 'string') return undefined;
  if (contents(data)) return { k, path, data, ...(line['truncated'] === true ? { truncated: true } : {}) };
  if (!isFailure(reason) || typeof detail !== 'string') return undefined;
  return { k, path, reason, detail };
}

function decodeControl({ steps, failed }: Line): JournalRecord | undefined {
  if (!areSteps(steps)) return undefined;
  if (failed === undefined) return { k: 'control', steps };
  if (typeof failed !== 'object' || failed === null) return undefined;
  const { path, reason, detail } = failed as Line;
  if (typeof path !== 'string' || !isFailure(reason) || typeof detail !== 'string') return undefined;
  return { k: 'control', steps, failed: { path, reason, detail } };
}

function decodeStream({ path, data, idle, ended, reason, detail }: Line): JournalRecord | undefined {
  if (typeof path !== 'string') return undefined;
  if (contents(data)) return { k: 'stream', path, data };
  if (idle === true) return { k: 'stream', path, idle };
  if (typeof ended === 'string') return { k: 'stream', path, ended };
  if (!isFailure(reason) || typeof detail !== 'string') return undefined;
  return { k: 'stream', path, reason, detail };
}

function areSteps(value: unknown): value is readonly ControlStep[] {
  if (!Array.isArray(value)) return false;
  return (value as readonly unknown[]).every((step) => {
    if (typeof step !== 'object' || step === null) return false;
    const { kind, path, text } = step as Line;
    if (typeof path !== 'string') return false;
    return (
      kind === 'mkdir' || kind === 'rmdir' || ((kind === 'write' || kind === 'append') && typeof text === 'string')
    );
  });
}

function isFailure(value: unknown): value is FileFailure['reason'] {
  return typeof value === 'string' && FAILURES.has(value);
}

function decodeCommand({ line, at, by }: Line): JournalRecord | undefined {
  if (typeof line !== 'string' || !isTime(at)) return undefined;
  return { k: 'command', line, at, by: typeof by === 'string' ? by : 'user' };
}

function decodeOutput({ data, lines, cut, withheld }: Line): JournalRecord | undefined {
  if (typeof withheld === 'string') return { k: 'output', withheld };
  if (!contents(data) || !isNumber(lines)) return undefined;
  return { k: 'output', data, lines, ...(isNumber(cut) ? { cut } : {}) };
}

function decodeEnd({ status, ms }: Line): JournalRecord | undefined {
  return isNumber(status) && isTime(ms) ? { k: 'end', status, ms } : undefined;
}

function decodeNote({ text, at }: Line): JournalRecord | undefined {
  return typeof text === 'string' && isTime(at) ? { k: 'note', text, at } : undefined;
}

function contents(value: unknown): value is Contents {
  return Array.isArray(value) && value.every(isNumber);
}

function isSpace(value: unknown): value is Space {
  return value === 'virtual' || value === 'physical';
}

function isPageAddress(value: unknown): value is string {
  return typeof value === 'string' && /^[0-9a-f]{13}000$/.test(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}

function excerpt(text: string): string {
  const start = text.slice(0, 40).replace(/[^\x20-\x7e]/g, '?');
  return text.length > 40 ? `${start}...` : start;
}
