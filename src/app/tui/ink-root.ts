/**
 * One ink instance for each part that is drawn by React: ink renders into a stream that keeps the last frame, and reads
 * keys from one that the screen feeds. With `debug` ink writes each frame whole and at once, without erasing and
 * without throttling: the compositor decides what of it reaches the terminal, and when.
 */
import { EventEmitter } from 'node:events';
import { type Instance, render } from 'ink';
import { createElement, type ReactElement } from 'react';
import type { Size } from './contract.ts';
import { KeyTaken } from './text-field.tsx';

/** What changes no text is not told to be taken: the next key follows after this time. Others have far more. */
const MOVE_MS = 60;
const TEXT_MS = 1000;
/** After this time an element that listens for no keys is taken for one that never will. */
const LISTEN_MS = 300;

export interface InkRootEvents {
  /** There is another frame. */
  readonly onFrame: () => void;
  /** The components have taken all keys, or have begun to listen for some. */
  readonly onReady: () => void;
}

export class InkRoot {
  readonly #output: FrameOutput;
  readonly #input: KeyInput;
  readonly #instance: Instance;
  readonly #since = performance.now();

  constructor(element: ReactElement, size: Size, { onFrame, onReady }: InkRootEvents) {
    this.#output = new FrameOutput(size, onFrame);
    this.#input = new KeyInput(onReady);
    this.#instance = render(this.#wrapped(element), {
      stdout: this.#output as unknown as NodeJS.WriteStream,
      stderr: this.#output as unknown as NodeJS.WriteStream,
      stdin: this.#input as unknown as NodeJS.ReadStream,
      debug: true,
      exitOnCtrlC: false,
      patchConsole: false,
    });
  }

  get frame(): string {
    return this.#output.frame;
  }

  /** All keys were taken, and another would be. */
  get isReady(): boolean {
    return this.#input.isReady || (!this.#input.isListenedTo && performance.now() - this.#since > LISTEN_MS);
  }

  /** Renders at once. */
  render(element: ReactElement, size: Size): void {
    this.#output.resize(size);
    this.#instance.rerender(this.#wrapped(element));
  }

  #wrapped(element: ReactElement): ReactElement {
    return createElement(KeyTaken.Provider, { value: this.#keyTaken }, element);
  }

  readonly #keyTaken = (): void => this.#input.taken();

  /** Hands a key, as the terminal sent it, to the components. */
  type(raw: string): void {
    this.#input.type(raw);
  }

  close(): void {
    this.#input.close();
    this.#instance.unmount();
    this.#instance.cleanup();
  }
}

/** What ink takes for its terminal. */
class FrameOutput extends EventEmitter {
  readonly isTTY = true;
  frame = '';
  #size: Size;
  readonly #onFrame: () => void;

  constructor(size: Size, onFrame: () => void) {
    super();
    this.#size = size;
    this.#onFrame = onFrame;
  }

  get columns(): number {
    return this.#size.width;
  }

  get rows(): number {
    return this.#size.height;
  }

  resize(size: Size): void {
    const isNew = size.width !== this.#size.width;
    this.#size = size;
    if (isNew) this.emit('resize');
  }

  write(frame: string): boolean {
    if (frame !== this.frame) {
      this.frame = frame;
      this.#onFrame();
    }
    return true;
  }
}

/** What ink takes for its keyboard: one key at a time, each when the one before was taken. */
class KeyInput extends EventEmitter {
  readonly isTTY = true;
  #keys: string[] = [];
  #offered: string | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #onReady: () => void;

  constructor(onReady: () => void) {
    super();
    this.#onReady = onReady;
    this.on('newListener', (event) => {
      if (event === 'readable') queueMicrotask(onReady);
    });
  }

  get isListenedTo(): boolean {
    return this.listenerCount('readable') > 0;
  }

  get isReady(): boolean {
    return this.isListenedTo && this.#timer === undefined && this.#keys.length === 0;
  }

  type(raw: string): void {
    this.#keys.push(raw);
    if (this.#timer === undefined) this.#next();
  }

  /** The components are ready for another key. */
  taken(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#next();
  }

  read(): string | null {
    const key = this.#offered;
    this.#offered = undefined;
    return key ?? null;
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#keys = [];
  }

  setEncoding(): void {}
  setRawMode(): void {}
  ref(): void {}
  unref(): void {}

  #next(): void {
    this.#timer = undefined;
    const key = this.#keys.shift();
    if (key === undefined) {
      this.#onReady();
      return;
    }
    this.#offered = key;
    this.#timer = setTimeout(() => this.#next(), isText(key) ? TEXT_MS : MOVE_MS);
    this.emit('readable');
  }
}

/** Whether a key types something; Backspace (7f) does not where nothing stands. */
function isText(key: string): boolean {
  return key >= ' ' && key !== '\x7f';
}
