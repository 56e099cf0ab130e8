/**
 * A network link between two TCP ports of this machine: slow as one between cities, and failing on demand. Bytes are
 * delayed, never reordered; the delay holds for each direction, so a round trip takes twice as long. Connecting takes a
 * round trip more, as TCP's own does.
 */
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

export interface LinkOptions {
  /** The port that it leads to. */
  readonly to: number;
  /** One way, in milliseconds. */
  readonly delayMs?: number;
  readonly bytesPerSecond?: number;
}

export interface Traffic {
  /** To the far side, and from it. */
  readonly sent: number;
  readonly received: number;
  /**
   * Times that this side sent after it had heard something: changes of direction, which is what a conversation over a
   * slow link waits for.
   */
  readonly turns: number;
  readonly connections: number;
}

export interface Link {
  /** The port on 127.0.0.1 to connect to. */
  readonly port: number;
  /** Since the last `reset`. */
  traffic(): Traffic;
  reset(): void;
  /** Connections end as by a reset, and new ones are refused until `mend`. */
  cut(): void;
  /** Nothing passes any more in either direction, and nobody is told; new connections are accepted and hang. */
  freeze(): void;
  /** What was frozen flows on, what was cut may connect again. */
  mend(): void;
  /** New connections lead to another port. */
  leadTo(port: number): void;
  /** Changes one byte of what comes next from the far side. */
  spoil(): void;
  close(): Promise<void>;
}

interface State {
  to: number;
  cut: boolean;
  frozen: boolean;
  spoilNext: boolean;
  lastWay: 'sent' | 'received';
  traffic: { sent: number; received: number; turns: number; connections: number };
  waiting: (() => void)[];
}

/** Passes bytes one way, each some time after it came. */
const pass = async (
  from: Socket,
  to: Socket,
  { delayMs = 0, bytesPerSecond }: LinkOptions,
  state: State,
  way: 'sent' | 'received',
): Promise<void> => {
  const queue: { readonly chunk: Buffer | undefined; readonly due: number }[] = [];
  let wake: (() => void) | undefined;
  let free = 0;
  const add = (chunk: Buffer | undefined): void => {
    const now = performance.now();
    if (bytesPerSecond !== undefined) {
      free = Math.max(now, free) + ((chunk?.length ?? 0) / bytesPerSecond) * 1000;
    }
    queue.push({ chunk, due: Math.max(now, free) + delayMs });
    // A link holds what is on its way, and no more: the sender waits.
    if (queue.length > 1000) from.pause();
    wake?.();
  };
  from.on('data', (chunk: Buffer) => {
    state.traffic[way] += chunk.length;
    if (way === 'sent' && state.lastWay === 'received') state.traffic.turns++;
    state.lastWay = way;
    if (way === 'received' && state.spoilNext) {
      state.spoilNext = false;
      chunk[chunk.length >> 1]! ^= 0x55;
    }
    add(chunk);
  });
  from.on('end', () => add(undefined));
  from.on('error', () => to.destroy());
  from.on('close', () => add(undefined));
  for (;;) {
    const next = queue.shift();
    if (next === undefined) {
      from.resume();
      await new Promise<void>((done) => {
        wake = done;
      });
      wake = undefined;
      continue;
    }
    const left = next.due - performance.now();
    if (left > 0.5) await sleep(left);
    while (state.frozen) await new Promise<void>((done) => state.waiting.push(done));
    if (next.chunk === undefined) break;
    if (!to.destroyed && !to.write(next.chunk)) await new Promise<void>((done) => drained(to, done));
  }
  if (!to.destroyed) to.end();
};

const drained = (socket: Socket, done: () => void): void => {
  socket.once('drain', done);
  socket.once('close', done);
};

/** Opens a link. */
export const openLink = async (options: LinkOptions): Promise<Link> => {
  const state: State = {
    to: options.to,
    cut: false,
    frozen: false,
    spoilNext: false,
    lastWay: 'received',
    traffic: { sent: 0, received: 0, turns: 0, connections: 0 },
    waiting: [],
  };
  const sockets = new Set<Socket>();
  const accept = async (near: Socket): Promise<void> => {
    if (state.cut) {
      near.resetAndDestroy();
      return;
    }
    state.traffic.connections++;
    sockets.add(near);
    near.setNoDelay(true);
    near.on('error', () => undefined);
    near.on('close', () => sockets.delete(near));
    near.pause();
    // The round trip of TCP's own opening.
    await sleep((options.delayMs ?? 0) * 2);
    const far = createConnection({ host: '127.0.0.1', port: state.to, noDelay: true });
    sockets.add(far);
    far.on('close', () => sockets.delete(far));
    far.on('error', () => near.destroy());
    void pass(near, far, options, state, 'sent');
    void pass(far, near, options, state, 'received');
  };
  const server: Server = createServer({ allowHalfOpen: true }, (near) => void accept(near));
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the link has no port');
  const end = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    port: address.port,
    traffic: () => ({ ...state.traffic }),
    reset() {
      state.traffic = { sent: 0, received: 0, turns: 0, connections: 0 };
    },
    cut() {
      state.cut = true;
      end();
    },
    freeze() {
      state.frozen = true;
    },
    mend() {
      state.cut = false;
      state.frozen = false;
      for (const go of state.waiting.splice(0)) go();
    },
    leadTo(port) {
      state.to = port;
    },
    spoil() {
      state.spoilNext = true;
    },
    async close() {
      end();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
};
