/**
 * Raw mode and bracketed paste: taken when the prompt opens, given back on every way out: close, exit, signals,
 * uncaught exceptions, suspension. (After `kill -9` nothing can: `reset` or `stty sane` repairs the terminal.)
 */

export type TerminalInput = NodeJS.ReadableStream & {
  readonly isTTY?: boolean;
  setRawMode?(raw: boolean): unknown;
  ref?(): unknown;
  unref?(): unknown;
};

export type TerminalOutput = NodeJS.WritableStream & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

/** What is needed of `process`. */
export type ProcessHost = NodeJS.EventEmitter & {
  readonly pid: number;
  kill(pid: number, signal: NodeJS.Signals): unknown;
};

const PASTE_ON = '\x1b[?2004h';
const PASTE_OFF = '\x1b[?2004l';
const SHOW_CURSOR = '\x1b[?25h';

/** Signals that end the process. SIGINT is the prompt's own business. */
const FATAL: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGHUP', 'SIGQUIT'];

/** Milliseconds to wait for a suspension that the kernel may refuse (a process group without a job-control shell). */
const SUSPEND_MS = 200;

interface ModeOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly host: ProcessHost;
  /** Called before the terminal is given back: moves the cursor away from what is painted. */
  readonly onLeave: () => void;
  /** Called after the terminal was taken back from a suspension. */
  readonly onResume: () => void;
  /** SIGINT that came as a signal and not as a key. */
  readonly onInterrupt: () => void;
  /** Sequences besides bracketed paste that take the terminal, and those that give it back: another screen, a mouse. */
  readonly sequences?: { readonly enter: string; readonly leave: string };
}

export class TerminalMode {
  readonly #options: ModeOptions;
  #raw = false;
  /** The prompt owns the terminal, though it may be suspended. */
  #owned = false;

  constructor(options: ModeOptions) {
    this.#options = options;
    const { host } = options;
    for (const signal of FATAL) host.on(signal, this.#onFatal);
    host.on('SIGINT', options.onInterrupt);
    host.on('SIGCONT', this.#onContinue);
    host.on('exit', this.leave);
    // The monitor runs before the stack is printed, and changes nothing about what follows.
    host.on('uncaughtExceptionMonitor', this.leave);
    this.take();
  }

  /** The terminal is the prompt's now: not lent, not suspended. */
  get isTaken(): boolean {
    return this.#raw;
  }

  /** Takes the terminal. */
  take(): void {
    this.#owned = true;
    if (this.#raw) return;
    this.#raw = true;
    this.#options.input.setRawMode?.(true);
    this.#options.output.write(`${this.#options.sequences?.enter ?? ''}${PASTE_ON}`);
  }

  /** Gives the terminal to someone else, until `take`. */
  giveUp(): void {
    this.#owned = false;
    this.leave();
  }

  /** Sets the terminal back as it was. */
  readonly leave = (): void => {
    if (!this.#raw) return;
    this.#raw = false;
    try {
      this.#options.onLeave();
      this.#options.output.write(`${PASTE_OFF}${this.#options.sequences?.leave ?? ''}${SHOW_CURSOR}`);
      this.#options.input.setRawMode?.(false);
    } catch {
      // The terminal itself is gone: there is nothing to restore.
    }
  };

  /** Stops the whole job, as the terminal does for Ctrl-Z outside raw mode. */
  suspend(): void {
    this.leave();
    this.#options.host.kill(0, 'SIGTSTP');
    setTimeout(() => {
      if (!this.#raw) this.#onContinue();
    }, SUSPEND_MS);
  }

  close(): void {
    this.giveUp();
    const { host, onInterrupt } = this.#options;
    for (const signal of FATAL) host.off(signal, this.#onFatal);
    host.off('SIGINT', onInterrupt);
    host.off('SIGCONT', this.#onContinue);
    host.off('exit', this.leave);
    host.off('uncaughtExceptionMonitor', this.leave);
  }

  /** Whoever handles the signal too decides what follows; if nobody does, it takes its default course. */
  readonly #onFatal = (signal: NodeJS.Signals): void => {
    this.leave();
    const { host } = this.#options;
    if (host.listenerCount(signal) > 1) return;
    host.off(signal, this.#onFatal);
    host.kill(host.pid, signal);
  };

  readonly #onContinue = (): void => {
    if (!this.#owned) return;
    // The shell has set the terminal to its own modes meanwhile; asking for raw mode twice would be a no-op.
    this.#options.input.setRawMode?.(false);
    this.#raw = false;
    this.take();
    this.#options.onResume();
  };
}
