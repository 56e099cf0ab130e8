/**
 * Pages of zeros that stand for nothing. /proc/kcore hides what cannot be read: holes of the vmalloc area, device memory
 * and, before 06c8994626d1 "mm/vmalloc.c: allow vread() to read out vm_map_ram areas" (v6.3), such areas come as zeros
 * and not as an error (fs/proc/kcore.c zero-fills). A page of zeros there is therefore looked up in the kernel's page
 * table.
 */
import { type KcoreSegment, kcoreSegmentAt, kcoreSegmentAtPhysical } from '../../core/formats/kcore.ts';
import { PAGE_SIZE } from '../../core/memory/address.ts';
import type { ReadRequest } from '../../core/memory/backend.ts';
import { Fault } from '../../core/memory/fault.ts';
import type { TranslateKernel } from './kernel-page-table.ts';

const ZEROS = Buffer.alloc(PAGE_SIZE);

/** The file as it is, before this check. */
export interface PlainKcore {
  readonly segments: readonly KcoreSegment[];
  readonly translate: TranslateKernel;
  read(requests: readonly ReadRequest[]): readonly (Uint8Array | Fault)[];
}

/** A page, or part of one, that reads as zeros. */
interface Blank {
  readonly request: number;
  readonly address: bigint;
  readonly into: Uint8Array;
}

/** Puts faults in the place of answers whose zeros stand for them, and the bytes where zeros hid them. */
export function checkBlankPages(
  kcore: PlainKcore,
  requests: readonly ReadRequest[],
  answers: (Uint8Array | Fault)[],
): void {
  const blank = requests.flatMap((request, i) => blankPages(kcore, request, i, answers[i]));
  if (blank.length === 0) return;
  const translations = kcore.translate(blank.map(({ address }) => address));
  const again: { readonly range: ReadRequest; readonly into: Uint8Array }[] = [];
  for (const [i, { request: index, into }] of blank.entries()) {
    const translation = translations[i];
    const request = requests[index] as ReadRequest;
    // A table that cannot be read says nothing: the zeros stand.
    if (translation === undefined || translation.kind === 'unreadable') continue;
    if (translation.kind !== 'mapped') answers[index] = new Fault(request, 'unmapped');
    else if (kcoreSegmentAtPhysical(kcore.segments, translation.physical) === undefined) {
      answers[index] = new Fault(request, 'denied', 'device memory');
    } else {
      const range = { space: 'physical', address: translation.physical, length: into.length } as const;
      again.push({ range: { ...range, what: request.what }, into });
    }
  }
  if (again.length === 0) return;
  for (const [i, bytes] of kcore.read(again.map(({ range }) => range)).entries()) {
    if (bytes instanceof Uint8Array) again[i]?.into.set(bytes);
  }
}

/** Only virtual addresses outside RAM and the kernel image can be holes. */
function blankPages(
  { segments }: PlainKcore,
  request: ReadRequest,
  index: number,
  answer: Uint8Array | Fault | undefined,
): readonly Blank[] {
  if (request.space === 'physical' || !(answer instanceof Uint8Array)) return [];
  const blank: Blank[] = [];
  for (let at = 0; at < answer.length; ) {
    const address = request.address + BigInt(at);
    const segment = kcoreSegmentAt(segments, address);
    const left = segment === undefined ? BigInt(answer.length - at) : segment.virtual + segment.length - address;
    const end = left < BigInt(answer.length - at) ? at + Number(left) : answer.length;
    if (segment === undefined || segment.physical !== undefined) {
      at = end;
      continue;
    }
    while (at < end) {
      const page = request.address + BigInt(at);
      const part = Math.min(end - at, PAGE_SIZE - Number(page & BigInt(PAGE_SIZE - 1)));
      const into = answer.subarray(at, at + part);
      if (ZEROS.subarray(0, part).equals(into)) blank.push({ request: index, address: page, into });
      at += part;
    }
  }
  return blank;
}
