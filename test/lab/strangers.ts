import type { Guest } from './guest.ts';

/** A process of a guest: `1234 sleep 10`. */
type Process = string;

/** What lists them. */
const ASKS = /^\d+ (?:ps -o pid,args|.*sh -c ps -o|\/sbin\/lab-agent)/;

/** Processes of a guest's user mode that were not there before, whatever they are; not those that ask. */
export const strangersOn = async (guest: Guest, before: readonly Process[] = []): Promise<readonly Process[]> => {
  const known = new Set(before);
  const listed = (await guest.must('ps -o pid,args')).split('\n').map((line) => line.trim());
  // A thread of the kernel stands in brackets.
  return listed.filter((line) => /^\d+ [^[]/.test(line) && !ASKS.test(line) && !known.has(line));
};
