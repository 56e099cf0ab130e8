/**
 * What a request of kdbg's becomes on the wire, and what its items become again.
 */
import type {
  ControlStep,
  FileFailure,
  FileResult,
  ListResult,
  ProgramRange,
  ProgramResult,
  ReadRequest,
} from '../../../core/memory/backend.ts';
import { Fault } from '../../../core/memory/fault.ts';
import { decodeText } from '../../../core/memory/text.ts';
import { refusedPath, refusedProgram } from '../../local/paths.ts';
import { refusedRanges } from '../../local/programs.ts';
import { KCORE } from '../kcore-headers.ts';
import { broken } from './frames.ts';
import { farError, faultReason, fileFailure, type Item } from './items.ts';
import type { KcoreMap, Piece } from './kcore-map.ts';
import { encodeSteps, encodeWord, type WireRequest, wireList, wireRequest } from './wire-request.ts';

/** Lines to send at once, and how the items of all of them together are read. */
export interface Exchange<T> {
  readonly requests: readonly WireRequest[];
  answer(items: readonly Item[]): T;
}

const NAMES_MAX = 8 * 1024 * 1024;
const PATH_MAX = 8192;
/** Of a program's ranges in one piece: a reader holds it whole. */
const PIECE_MAX = 1024 * 1024;

export function readExchange(ranges: readonly ReadRequest[], map: KcoreMap): Exchange<readonly (Uint8Array | Fault)[]> {
  const located = ranges.map((range) => map.locate(range));
  const pieces = located.flatMap((found): readonly Piece[] => (found instanceof Fault ? [] : found));
  const requests = wireList(
    'r',
    pieces.map(({ offset, length }) => ({ words: `${offset} ${length}`, bytes: length })),
  );
  return {
    requests,
    answer(items) {
      let next = 0;
      return located.map((found, i) => {
        if (found instanceof Fault) return found;
        const parts = items.slice(next, next + found.length);
        next += found.length;
        return bytesOf(parts, found, ranges[i] as ReadRequest);
      });
    },
  };
}

function bytesOf(items: readonly Item[], pieces: readonly Piece[], range: ReadRequest): Uint8Array | Fault {
  for (const [i, { length }] of pieces.entries()) {
    const item = itemOf(items[i]);
    if (item.kind === '-') return faultOf(range, item);
    if (item.kind !== '+' || item.bytes.length !== length) throw broken('memory of another length', item.bytes);
  }
  const [first] = items;
  if (items.length === 1 && first !== undefined) return first.bytes;
  return new Uint8Array(Buffer.concat(items.map(({ bytes }) => bytes)));
}

export function faultOf(range: ReadRequest, item: Item): Fault {
  const error = farError(item.bytes);
  const reason = faultReason(error);
  return new Fault(range, reason, reason === 'io' || reason === 'denied' ? error.words : undefined);
}

export function filesExchange(
  paths: readonly string[],
  limit: number,
  known: readonly string[] | undefined,
): Exchange<readonly (FileResult | 'same')[]> {
  const most = Math.max(0, Math.min(Math.floor(limit), 0x7fff_ffff));
  // Its headers are asked for as a file: they tell which memory there is.
  const refused = paths.map((path) => (path === KCORE ? undefined : refusedPath(path)));
  const asked = [...paths.keys()].filter((i) => refused[i] === undefined);
  const entries = asked.map((i) => {
    const path = encodeWord(paths[i] as string);
    return { words: known === undefined ? path : `${hashOf(known[i])} ${path}`, bytes: most };
  });
  return {
    requests: wireList(`${known === undefined ? 'f' : 'F'} ${most}`, entries, Number.POSITIVE_INFINITY),
    answer(items) {
      const results: (FileResult | 'same')[] = refused.map((failure) => ({
        ok: false,
        failure: failure as FileFailure,
      }));
      for (const [n, i] of asked.entries()) results[i] = fileResult(paths[i] as string, itemOf(items[n]), most);
      return results;
    },
  };
}

export function programExchange(path: string, ranges: readonly ProgramRange[]): Exchange<ProgramResult> {
  const failure = refusedProgram(path) ?? refusedRanges(path, ranges);
  if (failure !== undefined) return { requests: [], answer: () => ({ ok: false, failure }) };
  const pieces = ranges.map(({ offset, length }) =>
    Array.from({ length: Math.ceil(length / PIECE_MAX) }, (_, i) => {
      const at = i * PIECE_MAX;
      return { offset: offset + at, length: Math.min(PIECE_MAX, length - at) };
    }),
  );
  const entries = pieces.flat().map(({ offset, length }) => ({ words: `${offset} ${length}`, bytes: length }));
  return {
    requests: wireList(`b ${encodeWord(path)}`, entries),
    answer(items) {
      const refused = items.find(({ kind }) => kind === '-');
      if (refused !== undefined) return { ok: false, failure: fileFailure(path, farError(refused.bytes)) };
      let next = 0;
      const bytes = pieces.map((parts) => {
        const whole = parts.map(({ length }) => {
          const { bytes: part } = itemOf(items[next++]);
          if (part.length !== length) throw broken('a range of another length', part);
          return part;
        });
        return whole.length === 1 ? (whole[0] as Uint8Array) : new Uint8Array(Buffer.concat(whole));
      });
      return { ok: true, bytes };
    },
  };
}

/** The first bytes of the file that kernel memory is read from. */
export function headersExchange(kcore: string, length: number): Exchange<FileResult> {
  return {
    requests: [wireRequest(`f ${length} ${encodeWord(kcore)}`, 1, length)],
    answer([item]) {
      const result = fileResult(kcore, itemOf(item), length);
      return result === 'same' ? { ok: true, bytes: new Uint8Array(0), truncated: false } : result;
    },
  };
}

/** A dash where nothing is known of a file. */
function hashOf(known: string | undefined): string {
  return known !== undefined && /^[0-9a-f]{64}$/.test(known) ? known : '-';
}

function fileResult(path: string, { kind, bytes }: Item, limit: number): FileResult | 'same' {
  if (kind === '=') return 'same';
  if (kind === '-') return { ok: false, failure: fileFailure(path, farError(bytes)) };
  // The byte that says that there are more may come with the others.
  if (bytes.length > limit + 1 || kind === '.') throw broken('a file longer than was asked for', bytes);
  return { ok: true, bytes: bytes.subarray(0, limit), truncated: kind === '~' || bytes.length > limit };
}

export function listExchange(path: string): Exchange<ListResult> {
  const failure = refusedPath(path);
  if (failure !== undefined) return { requests: [], answer: () => ({ ok: false, failure }) };
  return {
    requests: [wireRequest(`l ${encodeWord(path)}`, 1, NAMES_MAX)],
    answer([item]) {
      const { kind, bytes } = itemOf(item);
      if (kind === '-') return { ok: false, failure: fileFailure(path, farError(bytes)) };
      const names = decodeText(bytes).split('/');
      return { ok: true, names: names.filter((name) => name !== '') };
    },
  };
}

export function linkExchange(path: string): Exchange<string | undefined> {
  if (refusedPath(path) !== undefined) return { requests: [], answer: () => undefined };
  return {
    requests: [wireRequest(`k ${encodeWord(path)}`, 1, PATH_MAX)],
    answer([item]) {
      const { kind, bytes } = itemOf(item);
      return kind === '+' ? decodeText(bytes) : undefined;
    },
  };
}

export function controlExchange(steps: readonly ControlStep[]): Exchange<FileFailure | undefined> {
  return {
    requests: steps.length === 0 ? [] : [wireRequest(`c ${encodeSteps(steps)}`)],
    answer([item]) {
      if (item === undefined || item.kind === '+') return undefined;
      const { errno, words } = farError(item.bytes);
      // "INDEX WORDS": which of the steps it was.
      const [, index, said] = /^(\d+) (.*)$/.exec(words) ?? [undefined, '0', words];
      const path = steps[Number(index)]?.path ?? (steps[0] as ControlStep).path;
      return fileFailure(path, { errno, words: said as string });
    },
  };
}

export function restoreExchange(steps: readonly ControlStep[]): Exchange<FileFailure | undefined> {
  return {
    requests: [wireRequest(`g ${encodeSteps(steps)}`.trimEnd())],
    answer([item]) {
      const { kind, bytes } = itemOf(item);
      return kind === '+' ? undefined : fileFailure('the guard', farError(bytes));
    },
  };
}

/** Throws BackendError when the answer had fewer items. */
export function itemOf(item: Item | undefined): Item {
  if (item === undefined) throw broken('less than was asked for', new Uint8Array(0));
  return item;
}
