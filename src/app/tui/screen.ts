/**
 * The terminal as the screen has it: the alternate screen, raw mode, keyboard and mouse, its size, and when something is
 * written. All of it is given back on every way out (terminal-mode.ts).
 */
import { Keyboard } from '../prompt/keyboard.ts';
import type { InputEvent } from '../prompt/keys.ts';
import { type ProcessHost, type TerminalInput, TerminalMode, type TerminalOutput } from '../prompt/terminal-mode.ts';
import { type Appearance, Compositor, type Frame } from './compositor.ts';
import type { Size } from './contract.ts';

export interface ScreenOptions {
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly host: ProcessHost;
  readonly appearance: Appearance;
  readonly mouse: boolean;
  readonly onEvents: (events: readonly InputEvent[]) => void;
  /** What is to be seen now. */
  readonly frame: () => Frame;
  /** A frame was drawn. */
  readonly onDrawn: () => void;
  readonly onResize: () => void;
  /** SIGINT that came as a signal and not as a key. */
  readonly onInterrupt: () => void;
  /** The terminal is gone. */
  readonly onEnd: () => void;
}

const ALTERNATE = '\x1b[?1049h\x1b[?25l';
const NORMAL = '\x1b[?2026l\x1b[m\x1b[?1049l';
/** Presses, drags and the wheel (1002), in SGR form (1006). */
const MOUSE_ON = '\x1b[?1002h\x1b[?1006h';
const MOUSE_OFF = '\x1b[?1006l\x1b[?1002l';
/** Between two frames that nobody asked for by a key: what streams is shown 30 times a second. */
const FRAME_MS = 33;

export class Screen {
  readonly compositor: Compositor;
  readonly #options: ScreenOptions;
  readonly #mode: TerminalMode;
  readonly #keyboard: Keyboard;
  #soon: NodeJS.Immediate | undefined;
  #later: NodeJS.Timeout | undefined;
  #isBlocked = false;
  #isClosed = false;

  constructor(options: ScreenOptions) {
    this.#options = options;
    const { input, output, host, appearance, mouse } = options;
    this.compositor = new Compositor(appearance, () => this.draw());
    this.#keyboard = new Keyboard((events) => this.#take(events));
    this.#mode = new TerminalMode({
      input,
      output,
      host,
      sequences: {
        enter: `${ALTERNATE}${mouse ? MOUSE_ON : ''}`,
        leave: `${mouse ? MOUSE_OFF : ''}${NORMAL}`,
      },
      onLeave: () => undefined,
      onResume: () => this.redrawAll(),
      onInterrupt: options.onInterrupt,
    });
    input.on('data', this.#onData);
    input.on('end', options.onEnd);
    input.on('error', options.onEnd);
    output.on('error', options.onEnd);
    output.on('resize', this.#onResize);
    output.on('drain', this.#onDrain);
    input.resume();
  }

  get size(): Size {
    const { columns, rows } = this.#options.output;
    return { width: columns || 80, height: rows || 24 };
  }

  /** Draws at the end of this turn of the event loop: what a key did is to be seen at once. */
  draw(): void {
    this.#soon ??= setImmediate(() => {
      this.#soon = undefined;
      this.flush();
    });
  }

  /** Draws with the next frame: what streams. */
  drawLater(): void {
    if (this.#soon !== undefined) return;
    this.#later ??= setTimeout(() => {
      this.#later = undefined;
      this.flush();
    }, FRAME_MS);
  }

  flush(): void {
    if (!this.#mode.isTaken || this.#isBlocked || this.#isClosed) return;
    clearTimeout(this.#later);
    this.#later = undefined;
    const bytes = this.compositor.render(this.#options.frame());
    if (bytes !== '') this.#isBlocked = !this.#options.output.write(bytes);
    this.#options.onDrawn();
  }

  redrawAll(): void {
    this.compositor.forget();
    this.draw();
  }

  /** Writes beside the cells: a bell, the clipboard. */
  write(sequence: string): void {
    if (this.#mode.isTaken) this.#options.output.write(sequence);
  }

  suspend(): void {
    this.#mode.suspend();
  }

  /** Gives the terminal away while `work` runs; then waits for a key, so that what was printed can be read. */
  async lend<T>(work: () => Promise<T> | T): Promise<T> {
    const { input, output } = this.#options;
    this.#mode.giveUp();
    this.#keyboard.stop();
    input.off('data', this.#onData);
    input.pause();
    try {
      const result = await work();
      output.write('-- Enter returns to kdbg --');
      await nextChunk(input);
      return result;
    } finally {
      input.on('data', this.#onData);
      input.resume();
      this.#mode.take();
      this.redrawAll();
    }
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearImmediate(this.#soon);
    clearTimeout(this.#later);
    this.#keyboard.stop();
    const { input, output, onEnd } = this.#options;
    input.off('data', this.#onData);
    input.off('end', onEnd);
    input.off('error', onEnd);
    output.off('resize', this.#onResize);
    output.off('drain', this.#onDrain);
    this.#mode.close();
    output.off('error', onEnd);
    this.compositor.close();
    input.pause();
  }

  readonly #onData = (chunk: Uint8Array | string): void => this.#keyboard.feed(chunk);

  readonly #onResize = (): void => {
    this.#options.onResize();
    this.redrawAll();
  };

  readonly #onDrain = (): void => {
    this.#isBlocked = false;
    this.draw();
  };

  #take(events: readonly InputEvent[]): void {
    if (events.length === 0) return;
    this.#options.onEvents(events);
    this.draw();
  }
}

/** One line of input, or the end. */
function nextChunk(input: TerminalInput): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      input.off('data', done);
      input.off('end', done);
      resolve();
    };
    input.on('data', done);
    input.on('end', done);
    input.resume();
  });
}
