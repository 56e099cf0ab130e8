/**
 * What belongs to the processes and not to the kernel: their memory, environment, command line and address space.
 * It may hold passwords and keys, so a recording has it only where the user asked (`--record-user`).
 */
import { posix } from 'node:path';
import { type ReadRequest, USER_MEMORY } from '../../core/memory/backend.ts';

const USER_FILE =
  /^\/proc\/(?:\d+|self|thread-self)(?:\/task\/\d+)?\/(?:environ|cmdline|mem|auxv|maps|smaps|smaps_rollup|numa_maps|pagemap|map_files(?:\/.*)?)$/;

/** Why such an answer is not in a recording, in a replay's words. */
export const WITHHELD = 'user data is recorded only with --record-user';

export function isUserMemory(request: Pick<ReadRequest, 'what'>): boolean {
  return request.what.startsWith(USER_MEMORY);
}

export function isUserFile(path: string): boolean {
  return USER_FILE.test(posix.normalize(path));
}
