/**
 * The ranges of the far side's /proc/kcore and its VMCOREINFO, from the first bytes of the file. The reader finds its
 * way in kcore by itself; what is judged here is which zeros are data, and what can be served at all.
 */
import { DataError } from '../../core/errors.ts';
import { type Kcore, kcoreHeadersLength, parseKcore } from '../../core/formats/kcore.ts';
import type { FileResult } from '../../core/memory/backend.ts';
import type { KcoreAttempt } from '../local/probe.ts';

export const KCORE = '/proc/kcore';
/** Enough for the headers and notes of most machines; those of the largest are asked for again. */
export const FIRST_HEADERS = 64 * 1024;

export interface KcoreHeaders {
  readonly attempt: KcoreAttempt;
  readonly kcore: Kcore | undefined;
}

/** `more` reads the first so many bytes again, where the first ones say that there are more. */
export function kcoreHeaders(first: FileResult | undefined, more: (length: number) => FileResult): KcoreHeaders {
  try {
    let result = first;
    for (let round = 0; round < 4; round++) {
      if (result === undefined) return none('error', 'no answer');
      if (!result.ok) {
        const { reason, detail } = result.failure;
        return none(reason === 'absent' || reason === 'denied' ? reason : 'error', detail);
      }
      if (result.bytes.length === 0) return none('empty', 'it is empty');
      const length = kcoreHeadersLength(result.bytes);
      if (length <= result.bytes.length) {
        const kcore = parseKcore(result.bytes);
        return { attempt: { attempt: 'ok', detail: '', ranges: kcore.segments.length }, kcore };
      }
      result = more(length);
    }
    return none('error', 'its headers grow while they are read');
  } catch (error) {
    if (error instanceof DataError) return none('error', error.message);
    throw error;
  }
}

function none(attempt: KcoreAttempt['attempt'], detail: string): KcoreHeaders {
  return { attempt: { attempt, detail, ranges: 0 }, kcore: undefined };
}
