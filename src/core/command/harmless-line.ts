/**
 * Lines that somebody else wrote, in a lesson or a recording, and that are offered to be run at a key or a click. They
 * may only look: a file from anywhere must not get a line into the user's shell or onto the user's disk.
 */
import { KdbgError } from '../errors.ts';
import { parseLine } from './grammar.ts';
import { expandAlias } from './resolve.ts';
import type { Shell } from './scope.ts';
import { firstName } from './words.ts';

/** Commands about the session itself that only show. */
const ONLY_SHOW: readonly string[] = ['help', 'history'];
/** Changes the target, where that is live; in a recording it shows what the session saw. */
const TRACE = 'trace';
/** Of trace, what has to do with files of the user's in a recording, too. */
const TRACE_FILES = /\b(?:open|save)\b/;
/** `rd -r FILE`, within foreach too. */
const WRITES = /\brd\b.*\s-\w*r/s;

/** Whether a line is one of kdbg's own commands, or a typed pipe of them, and changes nothing. */
export function isHarmless(line: string, shell: Shell): boolean {
  try {
    const [statement, another] = parseLine(line, {
      takesInput: (name) => shell.command(name)?.input !== undefined,
      expand: (text) => expandAlias(text, shell.aliases()),
    });
    if (statement?.kind !== 'pipeline' || another !== undefined) return false;
    if (statement.sink !== undefined || statement.argumentFile !== undefined || WRITES.test(line)) return false;
    return statement.stages.every(({ text }) => {
      const name = firstName(text);
      const command = shell.command(name);
      if (command === undefined) return false;
      if (name === TRACE) return shell.isReplay && !TRACE_FILES.test(text);
      return command.group !== 'shell' || ONLY_SHOW.includes(name);
    });
  } catch (error) {
    // What is no line at all is nothing to run.
    if (error instanceof KdbgError) return false;
    throw error;
  }
}
