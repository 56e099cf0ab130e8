/**
 * The built program in a pseudo-terminal, seen through a headless terminal: what a person has on the screen, and what is
 * left of it afterwards. The program is started by a shell, which reports its exit and the terminal's modes when it is
 * over.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import headless, { type IBufferCell, type Terminal } from '@xterm/headless';
import type { Program } from '../../../support/program.ts';

export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The sizes that the screen is made for. */
export const SIZES: readonly TerminalSize[] = [
  { columns: 80, rows: 24 },
  { columns: 120, rows: 40 },
  { columns: 200, rows: 60 },
];

export interface OpenOptions extends TerminalSize {
  readonly program: Pick<Program, 'entry' | 'folder' | 'env'>;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** TERM. */
  readonly term?: string;
}

/** What a program may leave behind. */
export interface Leftover {
  readonly isAlternate: boolean;
  readonly isCursorHidden: boolean;
  readonly isPasteBracketed: boolean;
  readonly mouse: string;
  /** What the shell printed after it: the status, and the modes that matter. */
  readonly status: number;
  readonly isCanonical: boolean;
  readonly isEchoing: boolean;
}

/** How long a condition may take, in milliseconds: the machine may be busy. */
const PATIENCE_MS = 20_000;

export class ScreenTerminal {
  readonly #pty: IPty;
  readonly #terminal: Terminal;
  readonly #pidFile: string;
  #isHidden = false;
  #bytes = 0;
  #clipboard = '';

  constructor({ program, args, columns, rows, env = {}, term = 'xterm-256color' }: OpenOptions) {
    this.#pidFile = join(program.folder, `pid-${columns}-${Math.random().toString(36).slice(2)}`);
    this.#terminal = new headless.Terminal({ cols: columns, rows, scrollback: 500, allowProposedApi: true });
    const { parser } = this.#terminal;
    for (const [final, hidden] of [
      ['l', true],
      ['h', false],
    ] as const) {
      parser.registerCsiHandler({ prefix: '?', final }, (parameters) => {
        if (parameters.includes(25)) this.#isHidden = hidden;
        return false;
      });
    }
    parser.registerOscHandler(52, (data) => {
      this.#clipboard = Buffer.from(data.replace(/^c;/, ''), 'base64').toString();
      return true;
    });
    const script = `sh -c 'echo $$ > "$0"; exec "$@"' ${quoted([this.#pidFile, process.execPath, program.entry, ...args])}
      echo "left with $?"; stty -a; echo over; read x; fg; echo "ended with $?"; read x`;
    // Job control, so that Ctrl-Z stops the program and not the shell; what is left is reported then too.
    this.#pty = spawn('/bin/bash', ['-c', `set -m; ${script}`], {
      cols: columns,
      rows,
      cwd: program.folder,
      name: term,
      env: { ...program.env, LANG: 'C.UTF-8', ...env, TERM: term },
    });
    this.#pty.onData((data) => {
      this.#bytes += data.length;
      this.#terminal.write(data);
    });
  }

  /** Bytes that the program wrote so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** What was copied last. */
  get clipboard(): string {
    return this.#clipboard;
  }

  get cursor(): { readonly x: number; readonly y: number; readonly isHidden: boolean } {
    const { cursorX, cursorY } = this.#terminal.buffer.active;
    return { x: cursorX, y: cursorY, isHidden: this.#isHidden };
  }

  /** Presses keys: each string arrives in one piece. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#pty.write(key);
      await pause(15);
    }
  }

  resize({ columns, rows }: TerminalSize): void {
    this.#terminal.resize(columns, rows);
    this.#pty.resize(columns, rows);
  }

  /** The rows of the screen, blanks at their ends dropped. */
  rows(): readonly string[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, y) =>
      (active.getLine(active.baseY + y)?.translateToString(true) ?? '').trimEnd(),
    );
  }

  /** The cells of the screen, with their looks. */
  cells(): readonly (readonly IBufferCell[])[] {
    const { active } = this.#terminal.buffer;
    return Array.from({ length: this.#terminal.rows }, (_, y) => {
      const line = active.getLine(active.baseY + y);
      return Array.from({ length: this.#terminal.cols }, (_, x) => line?.getCell(x)).filter(
        (cell) => cell !== undefined,
      );
    });
  }

  /** Waits until the screen shows something; gives its rows. */
  async shows(wanted: string | RegExp | ((rows: readonly string[]) => boolean)): Promise<readonly string[]> {
    const matches = (rows: readonly string[]): boolean => {
      if (typeof wanted === 'function') return wanted(rows);
      return rows.some((row) => (typeof wanted === 'string' ? row.includes(wanted) : wanted.test(row)));
    };
    for (const deadline = Date.now() + PATIENCE_MS; ; ) {
      await new Promise<void>((done) => this.#terminal.write('', done));
      const rows = this.rows();
      if (matches(rows)) return rows;
      if (Date.now() > deadline) throw new Error(`${wanted} is not shown; the screen stays at:\n${rows.join('\n')}`);
      await pause(20);
    }
  }

  /** Waits until something is not shown any more. */
  async hides(unwanted: string): Promise<readonly string[]> {
    return this.shows((rows) => !rows.some((row) => row.includes(unwanted)));
  }

  /** Waits until nothing was written for a while. */
  async rests(milliseconds = 250): Promise<readonly string[]> {
    for (let last = -1; last !== this.#bytes; ) {
      last = this.#bytes;
      await pause(milliseconds);
    }
    return this.rows();
  }

  /** The process of the program. */
  get pid(): number {
    return Number(readFileSync(this.#pidFile, 'utf8'));
  }

  /** Waits until the program is over; what it left behind. */
  async left(): Promise<Leftover> {
    const rows = await this.shows((shown) => shown.some((row) => row.trimEnd() === 'over'));
    const text = rows.join(' ');
    return {
      isAlternate: this.#terminal.buffer.active.type === 'alternate',
      isCursorHidden: this.#isHidden,
      isPasteBracketed: this.#terminal.modes.bracketedPasteMode,
      mouse: this.#terminal.modes.mouseTrackingMode,
      status: Number(/left with (\d+)/.exec(text)?.[1]),
      isCanonical: / icanon/.test(text),
      isEchoing: / echo /.test(text),
    };
  }

  /** Kills what is left of it. */
  end(): void {
    try {
      if (existsSync(this.#pidFile)) process.kill(this.pid, 'SIGKILL');
    } catch {
      // It is over already.
    }
    this.#pty.kill('SIGKILL');
    this.#terminal.dispose();
  }
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
}

/** Keys by their names. */
export const KEY = {
  enter: '\r',
  escape: '\x1b',
  tab: '\t',
  backspace: '\x7f',
  up: '\x1b[A',
  down: '\x1b[B',
  right: '\x1b[C',
  left: '\x1b[D',
  pageUp: '\x1b[5~',
  pageDown: '\x1b[6~',
  end: '\x1b[F',
  f1: '\x1bOP',
  alt: (character: string) => `\x1b${character}`,
  ctrl: (letter: string) => String.fromCharCode(letter.charCodeAt(0) & 31),
  /** A press and release of the left button at a cell. */
  click: (x: number, y: number) => `\x1b[<0;${x + 1};${y + 1}M\x1b[<0;${x + 1};${y + 1}m`,
  paste: (text: string) => `\x1b[200~${text}\x1b[201~`,
} as const;
