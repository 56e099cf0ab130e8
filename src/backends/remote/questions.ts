/** Questions from the I/O thread to the screen's thread, through the port that connects the two. */
import type { MessagePort } from 'node:worker_threads';
import type { AskedQuestion, QuestionAnswer } from './io-messages.ts';
import type { Ask } from './question.ts';

/** Asks through the port; with none nobody can answer. */
export function askThrough(port: MessagePort | undefined): Ask {
  if (port === undefined) return () => Promise.resolve(undefined);
  const waiting = new Map<number, (answer: string | undefined) => void>();
  let lastId = 0;
  port.on('message', ({ id, answer }: QuestionAnswer) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  port.unref();
  return (question) =>
    new Promise((resolve) => {
      const id = ++lastId;
      waiting.set(id, resolve);
      port.postMessage({ id, question } satisfies AskedQuestion);
    });
}
