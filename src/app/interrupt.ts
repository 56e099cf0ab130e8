/**
 * Ctrl-C while a command runs. The first stops the command; when the engine does not react (it waits for a target that
 * does not answer), the next one says so, and the one after that ends the engine: nobody is trapped.
 */
import type { EngineClient } from '../engine/client.ts';

/** Time in which an engine that is alive stops, in milliseconds. */
const REACTION_MS = 2_000;

export interface Interrupts {
  /** Ctrl-C was pressed. */
  readonly press: () => void;
  /** A command begins: what was pressed before was for another. */
  readonly reset: () => void;
}

export function interrupts(
  engine: Pick<EngineClient, 'cancel' | 'abandon'>,
  tell: (text: string) => void,
  now: () => number = () => performance.now(),
): Interrupts {
  let since: number | undefined;
  let isTold = false;
  return {
    press() {
      if (isTold) {
        engine.abandon();
        return;
      }
      engine.cancel();
      since ??= now();
      if (now() - since < REACTION_MS) return;
      isTold = true;
      tell('the target does not answer; Ctrl-C again ends the session');
    },
    reset() {
      since = undefined;
      isTold = false;
    },
  };
}
