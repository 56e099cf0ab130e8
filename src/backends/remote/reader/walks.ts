/**
 * Walks over the target's memory: by the far side itself where it can calculate with kernel addresses, else node by
 * node from here.
 */
import type { ChaseRequest, ChaseResult, FollowRequest, FollowResult } from '../../../core/memory/backend.ts';
import { Fault } from '../../../core/memory/fault.ts';
import type { Connection } from './connection.ts';
import { readExchange } from './exchange.ts';
import type { KcoreMap } from './kcore-map.ts';
import { chaseExchange, followExchange, mapExchange } from './walk-exchange.ts';

export interface Walks {
  follow(walk: FollowRequest): Promise<FollowResult>;
  chase(way: ChaseRequest): Promise<ChaseResult>;
}

/** The far side is told the ranges of kcore with the first walk, and again when they change. */
export function walksThere(connection: Connection, map: KcoreMap): Walks {
  let version = -1;
  const tellMap = (): Promise<void> | undefined => {
    if (version === map.version) return undefined;
    version = map.version;
    return connection.exchange(mapExchange(map));
  };
  // The far side does in order what is sent in order: nobody waits for it to have the map.
  const walk = async <T>(start: () => Promise<T>): Promise<T> => (await Promise.all([tellMap(), start()]))[1];
  return {
    follow: (request) => walk(() => connection.exchange(followExchange(request))),
    chase: (request) => walk(() => connection.exchange(chaseExchange(request))),
  };
}

/** A shell cannot calculate with kernel addresses: each pointer is a round trip. */
export function walksFromHere(connection: Connection, map: KcoreMap): Walks {
  const readAt = async (
    address: bigint,
    ranges: readonly { readonly offset: number; readonly length: number }[],
    what: string,
  ): Promise<readonly (Uint8Array | Fault)[]> => {
    const wanted = ranges.map(({ offset, length }) => {
      return { space: 'virtual', address: BigInt.asUintN(64, address + BigInt(offset)), length, what } as const;
    });
    await map.cover(wanted);
    return connection.exchange(readExchange(wanted, map));
  };
  return {
    async follow({ start, nextOffset, end, limit, ranges, what }) {
      const nodes: { address: bigint; bytes: readonly (Uint8Array | Fault)[] }[] = [];
      const seen = new Set<bigint>();
      for (let node = start; ; ) {
        if (node === 0n) return { nodes, stopped: 'null' };
        if (node === end) return { nodes, stopped: 'end' };
        if (seen.has(node)) return { nodes, stopped: 'loop' };
        if (nodes.length >= limit) return { nodes, stopped: 'limit' };
        seen.add(node);
        const bytes = await readAt(node, [...ranges, { offset: nextOffset, length: 8 }], what);
        nodes.push({ address: node, bytes: bytes.slice(0, -1) });
        const next = bytes.at(-1) as Uint8Array | Fault;
        if (next instanceof Fault) return { nodes, stopped: 'fault', fault: next };
        node = pointerOf(next);
      }
    },
    async chase({ start, offsets, flags, what }) {
      const pointers: bigint[] = [];
      let at = start;
      for (const offset of offsets) {
        const [bytes] = await readAt(at, [{ offset, length: 8 }], what);
        if (bytes === undefined) break;
        if (bytes instanceof Fault) return { pointers, fault: bytes };
        const pointer = pointerOf(bytes);
        pointers.push(pointer);
        at = pointer & ~BigInt(flags);
        if (at === 0n) break;
      }
      return { pointers };
    },
  };
}

function pointerOf(bytes: Uint8Array): bigint {
  return new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true);
}
