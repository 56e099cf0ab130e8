/**
 * This machine's kernel: /proc, /sys and the kernel log, and its memory through /proc/kcore where that can be read.
 */
import { DataError } from '../../core/errors.ts';
import type { Backend, Capability } from '../../core/memory/backend.ts';
import { capabilitiesOf } from './capabilities.ts';
import { runLocally } from './command.ts';
import { createLocalControl } from './control.ts';
import { createLocalFiles } from './files.ts';
import { type KcoreMemory, openKcore } from './kcore.ts';
import { EmptyKcoreError } from './kcore-file.ts';
import { failureOf } from './paths.ts';
import { factsOf, type KcoreAttempt, probe } from './probe.ts';
import { createLocalPrograms } from './programs.ts';
import { createLocalStreams } from './streams.ts';

export interface LocalOptions {
  /** Elsewhere than /proc/kcore: for tests. */
  readonly kcore?: string;
}

/** Always opens: what the machine does not give is in `capabilities`, with the reason. */
export function openLocal(options: LocalOptions = {}): Backend {
  const counters = { roundTrips: 0, bytes: 0 };
  const count = (bytes: number): void => {
    counters.roundTrips++;
    counters.bytes += bytes;
  };
  const files = createLocalFiles(count);
  const { memory, attempt } = tryKcore(options.kcore ?? '/proc/kcore', () =>
    openKcore(options.kcore ?? '/proc/kcore', { count }),
  );
  const control = createLocalControl();
  let capabilities: readonly Capability[] | undefined;
  return {
    name: 'local',
    liveness: 'live',
    ...(memory && { memory }),
    files,
    programs: createLocalPrograms(count),
    control,
    streams: { ...createLocalStreams(count), run: (command) => runLocally(command, count) },
    counters,
    vmcoreinfo: () => memory?.vmcoreinfo,
    capabilities() {
      capabilities ??= capabilitiesOf(factsOf(probe(createLocalFiles(() => {})), attempt, process.getuid?.()));
      return capabilities;
    },
    close() {
      control.close();
      memory?.close();
    },
  };
}

function tryKcore(
  path: string,
  open: () => KcoreMemory,
): { readonly memory: KcoreMemory | undefined; readonly attempt: KcoreAttempt } {
  try {
    const memory = open();
    return { memory, attempt: { attempt: 'ok', detail: '', ranges: memory.segments.length } };
  } catch (error) {
    const no = (attempt: KcoreAttempt['attempt'], detail: string) =>
      ({ memory: undefined, attempt: { attempt, detail, ranges: 0 } }) as const;
    if (error instanceof EmptyKcoreError) return no('empty', error.message);
    if (error instanceof DataError) return no('error', error.message);
    const { reason, detail } = failureOf(path, error);
    return no(reason === 'absent' || reason === 'denied' ? reason : 'error', detail);
  }
}
