/** Whole processes: what a user waits for, and the memory that it takes. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Figure, figure, median, times } from './figure.ts';

/** Figures of the built program, and of each recording that is there. */
export function* programFigures(program: string, recordings: string): Iterable<Figure> {
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-bench-'));
  try {
    const empty = join(folder, 'empty.mjs');
    writeFileSync(empty, '');
    // In turn: what else the machine does then slows both.
    const pairs = Array.from({ length: 21 }, () => [elapsed([empty]), elapsed([program, '--version'])] as const);
    yield figure('node, an empty module', median(pairs.map(([bare]) => bare)), 'ms');
    yield figure('kdbg --version, beyond that', median(pairs.map(([bare, version]) => version - bare)), 'ms', 10);
    for (const name of readdirSync(recordings).filter((each) => each.endsWith('.kdbg'))) {
      const path = join(recordings, name);
      const args = [program, 'replay', path, '--no-rc', '-c', 'ps'];
      yield figure(`${name}: start to the end of the first ps`, median(times(7, () => run(args))), 'ms', 500);
      yield figure(`${name}: memory of that`, peakMemory(args, folder), 'MiB', 250);
      const deadlocked = [program, 'replay', path, '--no-rc', '-c', 'foreach UN bt'];
      yield figure(`${name}: start to the end of foreach UN bt`, median(times(5, () => run(deadlocked))), 'ms');
      yield figure(`${name}: size`, statSync(path).size / 1024, 'KiB', 4096);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function elapsed(args: readonly string[]): number {
  const started = performance.now();
  run(args);
  return performance.now() - started;
}

function run(args: readonly string[]): void {
  const { status, stderr } = spawnSync(process.execPath, [...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  if (status !== 0) throw new Error(`${args.join(' ')} ended with ${status}: ${stderr}`);
}

/** The most memory that the process had resident, in MiB: it tells itself when it ends. */
function peakMemory(args: readonly string[], folder: string): number {
  const monitor = join(folder, 'monitor.mjs');
  writeFileSync(
    monitor,
    `import { writeSync } from 'node:fs';
     import { isMainThread } from 'node:worker_threads';
     if (isMainThread) process.on('exit', () => writeSync(3, String(process.resourceUsage().maxRSS)));`,
  );
  const stdio = ['ignore', 'ignore', 'ignore', 'pipe'] as const;
  const { output } = spawnSync(process.execPath, ['--import', monitor, ...args], { stdio: [...stdio] });
  return Number(output[3]?.toString()) / 1024;
}
