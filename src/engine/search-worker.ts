/**
 * The search thread: fuzzy indexes over lists of names, so that neither typing nor a command that runs ever waits for
 * the other.
 */
import { parentPort } from 'node:worker_threads';
import fuzzysort from 'fuzzysort';
import { createFuzzySearch, type FuzzySearch } from '../core/symbols/fuzzy-search.ts';
import { unpackNames } from '../core/symbols/packed-names.ts';
import type { Hit, SearchAnswer, ToSearch } from './search-protocol.ts';

const lists = new Map<string, FuzzySearch>();

parentPort?.on('message', (message: ToSearch) => {
  if (message.kind === 'list') {
    lists.set(message.key, createFuzzySearch(fuzzysort, { names: unpackNames(message.names), types: message.types }));
    return;
  }
  const started = performance.now();
  const hits: Record<string, readonly Hit[]> = {};
  for (const [key, list] of lists) {
    hits[key] = list
      .find(message.query, message.limit)
      .map(({ index, score, positions }) => ({ index, score, positions }));
  }
  const answer: SearchAnswer = { id: message.id, hits, took: performance.now() - started };
  parentPort?.postMessage(answer);
});
