/** The built program, for tests that run it as a user does: its own bundle, an empty home, a small recording. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type SmallRecording, writeSmallRecording } from './small-recording.ts';

const ROOT = resolve(import.meta.dirname, '../..');

export interface Ended {
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly milliseconds: number;
  /** The most memory that the process had, in MiB; undefined where it did not come to its end by itself. */
  readonly memoryMb: number | undefined;
}

export interface RunOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** 25 s unless told; it is killed then. */
  readonly timeoutMs?: number;
  /** Called with the process once it runs. */
  readonly during?: (child: ReturnType<typeof spawn>) => void;
}

export interface Program {
  /** Its JavaScript file. */
  readonly entry: string;
  /** Removed at the end; the home is in it. */
  readonly folder: string;
  /** A recording with only symbols, types and this session. */
  readonly recording: string;
  readonly env: Readonly<Record<string, string>>;
  run(args: readonly string[], options?: RunOptions): Promise<Ended>;
  /** A line of the user's shell in which `kdbg` is the program. */
  shell(line: string): Promise<Ended>;
  remove(): void;
}

/** Writes how much memory the process had when it ends; a worker's end is not the process's. */
const MONITOR = `import { writeFileSync } from 'node:fs';
import { isMainThread } from 'node:worker_threads';
const path = process.env.KDBG_TEST_MEMORY;
delete process.env.KDBG_TEST_MEMORY;
if (isMainThread) process.on('exit', () => writeFileSync(path, String(process.resourceUsage().maxRSS)));
`;

/** Builds the program: once for a file of tests. */
export function buildProgram(recorded: SmallRecording = {}): Program {
  mkdirSync(join(ROOT, 'build'), { recursive: true });
  // Inside the project: what the bundle leaves out is found in its node_modules.
  const folder = mkdtempSync(join(ROOT, 'build/program-'));
  execFileSync(process.execPath, [join(ROOT, 'src/build.mjs'), join(folder, 'dist')], { cwd: ROOT });
  const entry = join(folder, 'dist/kdbg.js');
  const recording = join(folder, 'small.kdbg');
  writeSmallRecording(recording, recorded);
  const { CI: _, NO_COLOR: __, KDBG_DEBUG: ___, KDBG_PAGER: ____, PAGER: _____, ...inherited } = process.env;
  const env = {
    ...(inherited as Record<string, string>),
    HOME: join(folder, 'home'),
    XDG_CONFIG_HOME: '',
    XDG_STATE_HOME: '',
    SHELL: '/bin/sh',
  };
  mkdirSync(join(folder, 'home/.config/kdbg'), { recursive: true });
  const monitor = join(folder, 'monitor.mjs');
  writeFileSync(monitor, MONITOR);
  let count = 0;
  const start = (file: string, args: readonly string[], options: RunOptions): Promise<Ended> => {
    const { input, env: more, timeoutMs = 25_000, during } = options;
    const memory = join(folder, `memory-${count++}`);
    const started = performance.now();
    const child = spawn(file, [...args], {
      cwd: folder,
      env: { ...env, ...more, KDBG_TEST_MEMORY: memory },
      timeout: timeoutMs,
      // In a session of its own it has no terminal to ask on, as in a job of cron.
      detached: true,
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (data) => {
      stdout += data;
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.stdin.on('error', () => undefined);
    if (input !== undefined || during === undefined) child.stdin.end(input ?? '');
    during?.(child);
    return new Promise((done) =>
      child.once('close', (status, signal) => {
        const milliseconds = performance.now() - started;
        const memoryMb = existsSync(memory) ? Number(readFileSync(memory, 'utf8')) / 1024 : undefined;
        done({ status, signal, stdout, stderr, milliseconds, memoryMb });
      }),
    );
  };
  return {
    entry,
    folder,
    recording,
    env,
    run: (args, options = {}) => start(process.execPath, ['--import', monitor, entry, ...args], options),
    shell: (line) => start('/bin/sh', ['-c', `kdbg() { "${process.execPath}" "${entry}" "$@"; }; ${line}`], {}),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
