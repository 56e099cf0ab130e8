/**
 * The chrome as a part: drawn by ink over the whole screen, below everything else.
 */
import { Chrome } from './chrome.tsx';
import type { Drawing, Handled, Part } from './contract.ts';
import { chromeState, type StatusInput } from './status.ts';

type Source = Omit<StatusInput, 'now'>;

export class ChromePart implements Part {
  readonly #source: Source;

  constructor(source: Source) {
    this.#source = source;
  }

  draw(): Drawing {
    const { state, facts, desk, theme, keys } = this.#source;
    const input = { state, facts, desk, theme, keys, now: performance.now() };
    return { kind: 'ink', element: <Chrome {...chromeState(input)} /> };
  }

  handle(): Handled {
    return 'passed';
  }
}
