/**
 * What the status bar tells of the session: the target, its kernel, the context, the recording. Asked of the engine in
 * its spare time, at the start and after the lines that may have changed it.
 */
import type { EngineClient } from '../../engine/client.ts';
import type { EngineTime } from './engine-time.ts';

export interface Facts {
  readonly target: string;
  readonly liveness: 'live' | 'frozen' | 'replay';
  readonly release: string;
  readonly taint: string;
  readonly context: { readonly task: bigint; readonly pid: number; readonly comm: string } | undefined;
  /** Path of the recording that is made. */
  readonly recording: string | undefined;
  /** What the connection to the target carried so far; nothing for a target without one. */
  readonly traffic: () => string;
  /** Names of all commands. */
  readonly commands: ReadonlySet<string>;
}

export function firstFacts(engine: EngineClient, recording: string | undefined): Facts {
  const { name, liveness, commands } = engine.opened;
  return {
    target: name,
    liveness: name.startsWith('replay:') ? 'replay' : liveness,
    release: '',
    taint: '',
    context: undefined,
    recording,
    traffic: () => trafficOf(engine),
    commands: new Set(commands),
  };
}

/** `52 ms 74 trips 3.9 MiB`: how far the target is, and what the session asked of it. */
function trafficOf({ traffic }: EngineClient): string {
  const wire = traffic?.wire;
  if (traffic === undefined || wire === undefined) return '';
  const latency = wire.latency === undefined ? '' : `${Math.round(wire.latency.median)} ms `;
  return `${latency}${traffic.roundTrips} trips ${(wire.received / 1024 / 1024).toFixed(1)} MiB`;
}

/** Asks what is not known; `tell` is called with each answer. Never rejects: what cannot be told stays out. */
export async function askFacts(time: EngineTime, tell: (facts: Partial<Facts>) => void): Promise<void> {
  await attempt(async () => tell(await askContext(time)));
  await attempt(async () => {
    const rows = await time.rows('sys');
    const value = (key: string): string => {
      const found = rows.find((row) => row['key'] === key)?.['value'];
      return typeof found === 'string' ? found : '';
    };
    tell({ release: value('RELEASE') || value('KERNEL'), taint: value('TAINTED') });
  });
}

/** The context and the recording: what a line of the user's may change. */
export async function askContext(time: EngineTime): Promise<Partial<Facts>> {
  const [row] = await time.rows('set');
  const [pid, comm, task] = [row?.['pid'], row?.['comm'], row?.['task']];
  if (typeof pid !== 'number' || typeof comm !== 'string') return {};
  // A host that gives no memory tells no address.
  return { context: { task: typeof task === 'string' ? BigInt(task) : 0n, pid, comm } };
}

/** Where the recording goes that is made now. */
export async function askRecording(time: EngineTime): Promise<Partial<Facts>> {
  const rows = await time.rows('status');
  const row = rows.find((each) => each['name'] === 'recording');
  return { recording: row?.['available'] === true ? String(row['detail']) : undefined };
}

async function attempt(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch {
    // A target without this: the status bar leaves it out.
  }
}
