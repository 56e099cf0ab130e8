/**
 * Reads of /proc/kcore as a file: ranges, and the headers at its start.
 */
import { readSync } from 'node:fs';
import { DataError } from '../../core/errors.ts';
import { ELF_HEADER_LENGTH } from '../../core/formats/elf.ts';
import { type Kcore, kcoreHeadersLength, parseKcore } from '../../core/formats/kcore.ts';
import type { FaultReason } from '../../core/memory/fault.ts';

/** The file is there and has nothing in it: a container runtime put it over the real one. */
export class EmptyKcoreError extends DataError {}

/** Fills the buffer; or why it could not be. */
export function readFully(
  fd: number,
  into: Uint8Array,
  offset: bigint,
): { readonly reason: FaultReason; readonly detail?: string } | undefined {
  for (let done = 0; done < into.length; ) {
    let count: number;
    try {
      count = readSync(fd, into, done, into.length - done, offset + BigInt(done));
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown error';
      if (code === 'EFAULT') return { reason: 'unmapped' };
      if (code === 'EPERM' || code === 'EACCES') return { reason: 'denied', detail: code };
      return { reason: 'io', detail: code };
    }
    if (count === 0) return { reason: 'truncated' };
    done += count;
  }
  return undefined;
}

/** The headers, and the notes that follow them: as long as they turn out to be. */
export function readHeaders(fd: number): Kcore {
  let bytes: Buffer = Buffer.alloc(0);
  let wanted = ELF_HEADER_LENGTH;
  for (let round = 0; wanted > bytes.length; round++) {
    if (round === 8) throw new DataError('/proc/kcore headers grow while they are read');
    bytes = Buffer.alloc(wanted);
    const failure = readFully(fd, bytes, 0n);
    if (failure?.reason === 'truncated') throw new EmptyKcoreError('/proc/kcore is empty');
    if (failure !== undefined) throw new DataError(`/proc/kcore headers cannot be read: ${failure.detail}`);
    wanted = kcoreHeadersLength(bytes);
  }
  return parseKcore(bytes);
}
