/** The screen: how soon it is there, how soon a key is seen while a trace streams, what a frame costs, what idling costs. */
import { EventEmitter } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from '@lydell/node-pty';
import { memoryHistory } from '../../src/app/prompt/history.ts';
import { Host } from '../../src/app/tui/host.ts';
import { openPalette } from '../../src/app/tui/palette/palette-part.tsx';
import { openLinePart } from '../../src/app/tui/prompt/line-part.tsx';
import { openScrollback } from '../../src/app/tui/scrollback/scrollback-part.ts';
import type { Line } from '../../src/core/output/line.ts';
import type { EngineClient } from '../../src/engine/client.ts';
import { type Figure, figure, median, quantile } from './figure.ts';

const COLUMNS = 200;
const ROWS = 60;
/** Lines a second that the trace pane takes. */
const RATE = 10_000;
const FEED_MS = 10;
const KEYS = 120;
const KEY_MS = 35;
const IDLE_S = 3;
/** Without output for this long, it rests. */
const REST_MS = 3000;

export async function screenFigures(program: string, recordings: string): Promise<readonly Figure[]> {
  const [recording] = readdirSync(recordings).filter((name) => name.endsWith('.kdbg'));
  const folder = mkdtempSync(join(tmpdir(), 'kdbg-bench-'));
  try {
    const target = [program, '--no-rc', 'replay', join(recordings, recording ?? '')];
    return [...(await startFigures(target, folder)), ...(await streamFigures())];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The built program in a pseudo-terminal. */
async function startFigures(target: readonly string[], folder: string): Promise<readonly Figure[]> {
  const { CI: _, NO_COLOR: __, ...inherited } = process.env;
  const env = { ...inherited, HOME: folder, XDG_CONFIG_HOME: folder, XDG_STATE_HOME: folder, LANG: 'C.UTF-8' };
  const paints: number[] = [];
  const work: number[] = [];
  let idle = Number.NaN;
  for (let i = 0; i < 6; i++) {
    const started = performance.now();
    const pty = spawn(process.execPath, [...target], {
      cols: COLUMNS,
      rows: ROWS,
      cwd: folder,
      name: 'xterm-256color',
      env,
    });
    let seen = '';
    await new Promise<void>((resolve) =>
      pty.onData((data) => {
        seen += data;
        if (seen.includes('kdbg> ')) resolve();
      }),
    );
    if (i > 0) {
      paints.push(performance.now() - started);
      work.push(cpuOf(pty.pid));
    }
    if (i === 5) {
      await rest(() => seen.length);
      const before = cpuOf(pty.pid);
      await later(IDLE_S * 1000);
      idle = (cpuOf(pty.pid) - before) / IDLE_S;
    }
    pty.kill('SIGTERM');
  }
  return [
    figure('screen: start to the first frame, 200x60', median(paints), 'ms', 600),
    figure('screen: CPU of all threads until then', median(work), 'ms'),
    figure('screen: CPU of an idle second', idle, 'ms', 5),
  ];
}

/** Waits until the program has nothing more to show: on a busy machine its panes take a while. */
async function rest(written: () => number): Promise<void> {
  for (let before = -1; before !== written(); ) {
    before = written();
    await later(REST_MS);
  }
}

/** CPU time of a process so far, in milliseconds: fields 14 and 15 of /proc/PID/stat, in ticks of 10 ms. */
function cpuOf(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** The screen in this process, on an engine that has nothing to say, with a trace that streams into its pane. */
async function streamFigures(): Promise<readonly Figure[]> {
  const output = new Terminal();
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: () => undefined,
    resume: () => undefined,
    pause: () => undefined,
  });
  const host = new Host({
    engine: silentEngine(),
    history: memoryHistory(),
    config: { theme: 'dark', mouse: true, keys: {}, layouts: new Map() },
    env: { LANG: 'C.UTF-8' },
    input: input as never,
    output: output as never,
    process: Object.assign(new EventEmitter(), { pid: 0, kill: () => undefined }),
    parts: { prompt: openLinePart, scrollback: openScrollback, palette: openPalette },
    recording: undefined,
  });
  host.start();
  host.focus('trace');
  host.focus('prompt');
  await later(200);
  const trace = host.desk.pane('trace');
  trace.viewport.follows = true;
  let fed = 0;
  const began = performance.now();
  const feed = setInterval(() => {
    const due = Math.floor(((performance.now() - began) / 1000) * RATE);
    trace.append(traceLines(fed, due - fed));
    fed = due;
  }, FEED_MS);
  await later(500);
  const cpu = process.cpuUsage();
  output.frames.length = 0;
  const from = performance.now();
  const waits: number[] = [];
  for (let i = 0; i < KEYS; i++) {
    const pressed = performance.now();
    const seen = output.moved();
    input.emit('data', Buffer.from(i % 40 === 39 ? '\x15' : 'b'));
    await seen;
    waits.push(performance.now() - pressed);
    await later(KEY_MS);
  }
  const seconds = (performance.now() - from) / 1000;
  const used = process.cpuUsage(cpu);
  clearInterval(feed);
  const bytes = output.frames.map((frame) => Buffer.byteLength(frame));
  host.dispose();
  return [
    figure(`screen: key to bytes written, ${RATE} lines/s, p50`, median(waits), 'ms'),
    figure(`screen: key to bytes written, ${RATE} lines/s, p95`, quantile(waits, 0.95), 'ms', 50),
    figure('screen: a frame while that streams, p95', quantile(bytes, 0.95) / 1024, 'KiB', 16),
    figure('screen: CPU of a second of that, with the keys', (used.user + used.system) / 1000 / seconds, 'ms'),
  ];
}

/** Lines as ftrace prints them, with objects. */
function traceLines(first: number, count: number): Line[] {
  return Array.from({ length: Math.max(0, count) }, (_, i): Line => {
    const n = first + i;
    const name = NAMES[n % NAMES.length] as string;
    return [
      `${'node'.padStart(16)}-${(200 + (n % 7)).toString().padEnd(7)} [00${n % 2}] d..2. ${(812 + n / RATE).toFixed(6)}: `,
      { text: name, ref: { kind: 'symbol', name, address: BigInt(n) }, tone: 'symbol' },
      ` <-${NAMES[(n * 7) % NAMES.length]}`,
    ];
  });
}

const NAMES = ['vfs_read', 'rw_verify_area', 'security_file_permission', 'ksys_read', '__fdget_pos', 'mutex_lock'];

/** Takes bytes at once, and knows when a key is to be seen. */
class Terminal extends EventEmitter {
  readonly isTTY = true;
  readonly columns = COLUMNS;
  readonly rows = ROWS;
  readonly frames: string[] = [];
  #waiting: (() => void) | undefined;

  /** Resolves with the next frame that moves the cursor: the prompt shows what was typed. */
  moved(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting = resolve;
    });
  }

  write(bytes: string): boolean {
    this.frames.push(bytes);
    const at = /\x1b\[(\d+;\d+)H\x1b\[\?25h(?:\x1b\[\?2026l)?$/.exec(bytes)?.[1];
    if (at !== undefined && at !== this.#cursor) {
      this.#cursor = at;
      this.#waiting?.();
      this.#waiting = undefined;
    }
    return true;
  }

  #cursor = '';
}

function silentEngine(): EngineClient {
  const engine = {
    opened: { name: 'bench', liveness: 'frozen', notices: [], commands: [] },
    run: async function* () {},
    complete: async () => ({ start: 0, end: 0, candidates: [], partial: false }),
    cancel: () => undefined,
  };
  return engine as unknown as EngineClient;
}

function later(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
