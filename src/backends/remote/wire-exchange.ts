/**
 * Requests to the far side, counted. What one exchange asks goes out together and costs one round trip, however much
 * it is; what was sent ahead and has come by the time it is wanted costs none.
 */
import type { BackendCounters } from '../../core/memory/backend.ts';
import { Fault } from '../../core/memory/fault.ts';
import type { AllSent, Link, Sent } from './link.ts';
import type { ReaderAnswer, ReaderRequest } from './reader.ts';

/** What the requests of a tuple answer, in its order. */
export type Answers<R extends readonly ReaderRequest[]> = { readonly [I in keyof R]: ReaderAnswer<R[I]> };

export class WireExchange {
  readonly link: Link;
  #roundTrips = 0;
  #bytes = 0;

  constructor(link: Link) {
    this.link = link;
  }

  get counters(): BackendCounters {
    return { roundTrips: this.#roundTrips, bytes: this.#bytes, wire: this.link.wire };
  }

  /** Sends all of these, then waits for all answers. Throws BackendError, CancelledError. */
  ask<const R extends readonly ReaderRequest[]>(requests: R): Answers<R> {
    return this.collectAll(requests.map((request) => this.link.send(request)) as unknown as AllSent<R>);
  }

  /** One request. */
  one<R extends ReaderRequest>(request: R): ReaderAnswer<R> {
    return this.collect([this.link.send(request)])[0] as ReaderAnswer<R>;
  }

  /** As `collect`, with what each request answers. */
  collectAll<R extends readonly ReaderRequest[]>(sent: AllSent<R>): Answers<R> {
    return this.collect(sent as unknown as readonly Sent[]) as unknown as Answers<R>;
  }

  /** Waits for answers to what was sent before: a round trip only where one of them has not come yet. */
  collect<R extends ReaderRequest>(sent: readonly Sent<R>[]): readonly ReaderAnswer<R>[] {
    if (sent.some((each) => !this.link.isThere(each))) this.#roundTrips++;
    const answers: ReaderAnswer<R>[] = [];
    try {
      for (const each of sent) answers.push(this.link.take(each));
    } catch (error) {
      for (const each of sent.slice(answers.length)) this.link.drop(each);
      throw error;
    }
    for (const answer of answers) this.#bytes += bytesOf(answer);
    return answers;
  }
}

function bytesOf(answer: unknown): number {
  if (answer instanceof Uint8Array) return answer.length;
  if (typeof answer === 'string') return answer.length;
  if (answer instanceof Fault || typeof answer !== 'object' || answer === null) return 0;
  if (Array.isArray(answer)) return answer.reduce<number>((sum, each) => sum + bytesOf(each), 0);
  const { bytes, nodes, names } = answer as { bytes?: unknown; nodes?: unknown; names?: unknown };
  return bytesOf(bytes) + bytesOf(nodes) + bytesOf(names);
}
