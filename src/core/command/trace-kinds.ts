/** Arguments of `trace` that the kernel's own lists complete. */
import { KdbgError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { type Tracefs, tracefs } from '../kernel/tracefs.ts';
import { CANDIDATES_MAX } from './complete.ts';
import type { Completions, Kind } from './define.ts';

const EVENTS_MAX = 4 * 1024 * 1024;

/** An option of the tracer; `no` before it turns it off. */
export const traceOption: Kind<string> = {
  name: 'option',
  parse: (text) => text,
  complete(text, { kernel }) {
    const prefix = /^no/.exec(text)?.[0] ?? '';
    return fitting(kernel, text, (fs) => {
      const names = fs.names(`${fs.root}/options`);
      return [...names, ...(prefix === '' ? [] : names.map((name) => `no${name}`))];
    });
  },
};

/** An event, or all of a system. */
export const traceEvent: Kind<string> = {
  name: 'event',
  parse: (text) => text,
  complete: (text, { kernel }) => eventCompletions(kernel, text),
};

/** Events as the kernel lists them: `SYSTEM:EVENT`. */
export function eventCompletions(kernel: Kernel, text: string): Completions {
  return fitting(kernel, text, (fs) => (fs.text(`${fs.root}/available_events`, EVENTS_MAX) ?? '').split('\n'));
}

function fitting(kernel: Kernel, text: string, names: (fs: Tracefs) => readonly string[]): Completions {
  try {
    const all = names(tracefs(kernel)).filter((name) => name !== '' && name.startsWith(text));
    return {
      candidates: all.slice(0, CANDIDATES_MAX).map((name) => ({ text: name })),
      partial: all.length > CANDIDATES_MAX,
    };
  } catch (error) {
    // Without tracefs nothing is offered.
    if (error instanceof KdbgError && !error.endsCommand) return { candidates: [] };
    throw error;
  }
}
