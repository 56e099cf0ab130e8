/**
 * The chrome as a part: drawn by ink over the whole screen, below everything else.
 */
import { Chrome } from './chrome.tsx';
import type { Drawing, Handled, Part } from './contract.ts';
import { chromeState, type StatusInput } from './status.ts';

type Source = Omit<StatusInput, 'isUnicode' | 'now'>;

export class ChromePart implements Part {
  readonly #source: Source;
  readonly #isUnicode: boolean;

  constructor(source: Source, env: Readonly<Record<string, string | undefined>>) {
    this.#source = source;
    this.#isUnicode = isUnicodeLocale(env);
  }

  draw(): Drawing {
    const { state, facts, desk, theme, keys } = this.#source;
    const input = { state, facts, desk, theme, keys, isUnicode: this.#isUnicode, now: performance.now() };
    return { kind: 'ink', element: <Chrome {...chromeState(input)} /> };
  }

  handle(): Handled {
    return 'passed';
  }
}

/** POSIX: LC_ALL, else LC_CTYPE, else LANG; the first that is set and not empty counts. */
export function isUnicodeLocale(env: Readonly<Record<string, string | undefined>>): boolean {
  const locale = env['LC_ALL'] || env['LC_CTYPE'] || env['LANG'] || '';
  return /utf-?8/i.test(locale);
}
