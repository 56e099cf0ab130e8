import { rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PseudoTerminal } from '../support/pseudo-terminal.ts';
import { type Client, openClient, sshPortOf } from './client.ts';
import { countFieldReads } from './field-reads.ts';
import { bootGuest, type Guest } from './guest.ts';
import { openLink, type Traffic } from './wire/link.ts';

/**
 * What `kdbg ssh` costs over a link with round trips of 50 ms: seconds at the prompt, round trips, bytes on the wire;
 * and what reading one field at a time would cost there.
 */

export const ROUND_TRIP_MS = 50;

export interface RemoteFigure {
  readonly what: string;
  readonly seconds: number;
  /** As kdbg counts them; for connecting, changes of direction on the wire, SSH's own handshake included. */
  readonly roundTrips: number;
  readonly wire: Traffic;
  /** Reads of single fields for the same; undefined where that makes no sense. */
  readonly fieldReads: number | undefined;
}

export const PROMPT = 'kdbg>';

/** The commands that are measured. */
export const measuredLines = [
  'ps',
  'bt 2',
  'foreach UN bt',
  'log',
  'struct task_struct init_task',
  'list lab_root.list_long -h -s lab_node.id,name',
  'locks',
  'deadlock',
] as const;

/** Processes and waiters beside those of the guest: about 1,000 tasks, 200 of them in D state. */
export const crowd = async (guest: Guest): Promise<void> => {
  await guest.must(
    'i=0; while [ $i -lt 700 ]; do sleep 100000 & i=$((i+1)); done >/dev/null 2>&1 </dev/null; ' +
      'exec 5</proc/kmsg; i=0; while [ $i -lt 201 ]; do cat <&5 & i=$((i+1)); done >/dev/null 2>&1',
    { timeoutMs: 120_000 },
  );
};

/** Runs a line, and waits for the prompt after it. */
const typed = async (terminal: PseudoTerminal, line: string): Promise<readonly string[]> => {
  const before = (await terminal.until(() => true)).filter((row) => row.startsWith(PROMPT)).length;
  terminal.type(`${line}\r`);
  return terminal.until(
    (rows) => rows.at(-1) === PROMPT && rows.filter((row) => row.startsWith(PROMPT)).length > before,
  );
};

/** Measures a guest; its list and its crowd are planted. */
export const measureRemote = async (guest: Guest, client: Client): Promise<readonly RemoteFigure[]> => {
  const link = await openLink({ to: sshPortOf(guest), delayMs: ROUND_TRIP_MS / 2 });
  const recording = join(client.folder, 'figures.kdbg');
  const lines = measuredLines;
  const figures: RemoteFigure[] = [];
  try {
    for (const visit of ['first', 'second']) {
      if (visit === 'first') rmSync(join(client.folder, '.cache'), { recursive: true, force: true });
      link.reset();
      const started = performance.now();
      const terminal = client.terminal([...client.ssh(link.port), '--no-tui']);
      await terminal.endsWith(PROMPT);
      const seconds = (performance.now() - started) / 1000;
      const wire = link.traffic();
      figures.push({
        what: `to the prompt, ${visit} visit`,
        seconds,
        roundTrips: wire.turns,
        wire,
        fieldReads: undefined,
      });
      // What is kept of a kernel comes with the first commands.
      await typed(terminal, lines.map((line) => `${line} > figures.out`).join('; '));
      terminal.type('\x04');
      await terminal.exited;
    }
    const terminal = client.terminal([...client.ssh(link.port), '--no-tui'], { KDBG_PAGER: 'cat' });
    await terminal.endsWith(PROMPT);
    await typed(terminal, 'set timing on');
    for (const line of lines) {
      link.reset();
      const started = performance.now();
      // To a file: the screen keeps too few rows to find the prompt behind all of it.
      const rows = await typed(terminal, `${line} > figures.out`);
      const seconds = (performance.now() - started) / 1000;
      const told = rows.findLast((row) => /round trips?/.test(row)) ?? '';
      const roundTrips = Number(/(\d+) round trips?/.exec(told)?.[1] ?? Number.NaN);
      figures.push({ what: line, seconds, roundTrips, wire: link.traffic(), fieldReads: undefined });
    }
    terminal.kill();
    const recorded = await client.run([
      ...client.ssh(link.port),
      ...['--record', recording],
      ...lines.flatMap((line) => ['-c', line]),
    ]);
    if (recorded.status !== 0) throw new Error(`recording: ${recorded.stderr}`);
  } finally {
    await link.close();
  }
  const reads = countFieldReads(recording, lines);
  return figures.map((figure) => {
    const index = (lines as readonly string[]).indexOf(figure.what);
    // A structure is printed from one read of all of it, in which fields are not seen.
    const isWhole = figure.what.startsWith('struct');
    return { ...figure, fieldReads: index < 0 || isWhole ? undefined : reads[index] };
  });
};

/** The table of docs/remote.md. */
export const figureTable = (figures: readonly RemoteFigure[]): string => {
  const rows = figures.map(({ what, seconds, roundTrips, wire, fieldReads }) => {
    const naive = fieldReads === undefined ? '' : `${fieldReads.toLocaleString('en')}`;
    const naiveSeconds =
      fieldReads === undefined
        ? ''
        : `${((fieldReads * ROUND_TRIP_MS) / 1000).toLocaleString('en', { maximumFractionDigits: 0 })} s`;
    const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(0)} kB`;
    return `| ${what} | ${seconds.toFixed(1)} s | ${roundTrips} | ${kilobytes(wire.received)} | ${kilobytes(wire.sent)} | ${naive} | ${naiveSeconds} |`;
  });
  return [
    '| what | time | round trips | received | sent | fields read | one read a field |',
    '| --- | --: | --: | --: | --: | --: | --: |',
    ...rows,
  ].join('\n');
};

/** Boots a guest for it, measures, and prints the table. */
export const printRemoteFigures = async (): Promise<void> => {
  const guest = await bootGuest({ kernel: '6.1', logins: true, node: false });
  const client = openClient();
  try {
    await guest.ssh();
    await crowd(guest);
    process.stdout.write(`${figureTable(await measureRemote(guest, client))}\n`);
  } finally {
    client.remove();
    await guest.close();
  }
};
