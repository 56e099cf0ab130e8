/**
 * The reader as the rest of kdbg sees it: kernel addresses and files in, bytes out.
 */
import { BackendError } from '../../../core/errors.ts';
import type { Reader, ReaderAnswer, ReaderAnswers, ReaderFacts, ReaderKind, ReaderRequest } from '../reader.ts';
import type { Connection } from './connection.ts';
import {
  controlExchange,
  filesExchange,
  linkExchange,
  listExchange,
  programExchange,
  readExchange,
  restoreExchange,
} from './exchange.ts';
import type { KcoreMap } from './kcore-map.ts';
import { walksFromHere, walksThere } from './walks.ts';

/** Puts a request to the far side, and resolves to its answer. */
export type Answerer = (request: ReaderRequest) => Promise<ReaderAnswers[ReaderRequest['op']]>;

export function answererOf(connection: Connection, map: KcoreMap, kind: ReaderKind): Answerer {
  const walks = kind === 'sh' ? walksFromHere(connection, map) : walksThere(connection, map);
  return async (request) => {
    switch (request.op) {
      case 'read':
        await map.cover(request.ranges);
        return connection.exchange(readExchange(request.ranges, map));
      case 'follow':
        return walks.follow(request.walk);
      case 'chase':
        return walks.chase(request.way);
      case 'files':
        return connection.exchange(filesExchange(request.paths, request.limit, request.known));
      case 'program':
        return connection.exchange(programExchange(request.path, request.ranges));
      case 'list':
        return connection.exchange(listExchange(request.path));
      case 'link':
        return connection.exchange(linkExchange(request.path));
      case 'control':
        return connection.exchange(controlExchange(request.steps));
      case 'restore': {
        const failure = await connection.exchange(restoreExchange(request.steps));
        if (failure !== undefined) {
          throw new BackendError(`the far side cannot keep what is to be put back: ${failure.detail}`);
        }
        return undefined;
      }
    }
  };
}

export function createReader(connection: Connection, answer: Answerer, facts: ReaderFacts): Reader {
  return {
    facts,
    wire: connection.wire,
    request: <R extends ReaderRequest>(request: R) => answer(request) as Promise<ReaderAnswer<R>>,
    open(path, command) {
      if (command !== undefined && facts.kind === 'sh') {
        throw new BackendError(
          'the reader there runs in a plain shell, which cannot run a command beside itself',
          'perl or python3 on the target can',
        );
      }
      return connection.open(path, command);
    },
    get onGone() {
      return connection.onGone;
    },
    set onGone(listener) {
      connection.onGone = listener;
    },
    close() {
      // Whoever closes it knows.
      connection.onGone = () => undefined;
      connection.end('closed');
    },
  };
}
