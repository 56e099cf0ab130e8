import { createConnection } from 'node:net';

/** What a command in the guest printed, and its exit status: 124 if its time ran out, 128 + N if signal N ended it. */
export interface Finished {
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  readonly status: number;
}

export interface RunOptions {
  readonly stdin?: Uint8Array | undefined;
  /** How long the command may take, 60 s unless told; it and what it started are killed then. */
  readonly timeoutMs?: number | undefined;
  /** How long the agent may take to greet; as long as the command unless told. */
  readonly greetingMs?: number | undefined;
}

const hello = 'kdbg-lab\n';
const outputMax = 1 << 30;

/** Collects the agent's answer (guest/agent.c has the protocol): chunks of any size in, the result out at its end. */
const openAnswer = () => {
  const output = { o: [] as Buffer[], e: [] as Buffer[] };
  let pending: Buffer = Buffer.alloc(0);
  let received = 0;
  let greeted = false;
  return {
    /** What a chunk completes: the greeting, or the command's end; throws at what the agent does not say. */
    take(chunk: Buffer): 'greeted' | Finished | undefined {
      received += chunk.length;
      if (received > outputMax) throw new Error('more than a gigabyte of output');
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      if (!greeted) {
        if (pending.length < hello.length) return undefined;
        if (pending.toString('latin1') !== hello) throw new Error('this is not the agent');
        greeted = true;
        pending = Buffer.alloc(0);
        return 'greeted';
      }
      while (pending.length >= 5 && pending.length >= 5 + pending.readUInt32BE(1)) {
        const kind = String.fromCharCode(pending[0]!);
        const payload = pending.subarray(5, 5 + pending.readUInt32BE(1));
        pending = pending.subarray(5 + payload.length);
        if (kind === 'x') {
          const status = Number(payload.toString());
          return { stdout: Buffer.concat(output.o), stderr: Buffer.concat(output.e), status };
        }
        if (kind !== 'o' && kind !== 'e') throw new Error(`a frame of an unknown kind, ${kind}`);
        output[kind].push(payload);
      }
      return undefined;
    },
  };
};

/**
 * Runs a shell command in the guest through the agent on a forwarded port. Rejects when the connection fails or ends
 * early: QEMU accepts connections before the guest does, and resets them then.
 */
export const runInGuest = (port: number, command: string, options: RunOptions = {}): Promise<Finished> =>
  new Promise((resolve, reject) => {
    const timeoutMs = options.timeoutMs ?? 60_000;
    const stdin = options.stdin ?? new Uint8Array();
    const text = Buffer.from(command);
    const answer = openAnswer();
    const socket = createConnection({ host: '127.0.0.1', port });
    const settle = (give: () => void): void => {
      clearTimeout(timer);
      clearTimeout(greeting);
      socket.destroy();
      give();
    };
    const fail = (why: string): void => {
      settle(() => reject(new Error(`guest: ${why} (running ${command.slice(0, 80)})`)));
    };
    // The agent keeps the command's time; this is for a guest that hangs.
    const timer = setTimeout(() => fail(`no end after ${timeoutMs} ms`), timeoutMs + 15_000);
    // QEMU accepts for a guest whose network is not up yet, and nobody ever answers there.
    const greetingMs = options.greetingMs ?? timeoutMs + 15_000;
    const greeting = setTimeout(() => fail(`no greeting in ${greetingMs} ms`), greetingMs);

    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('the connection ended'));
    socket.on('data', (chunk: Buffer) => {
      try {
        const event = answer.take(chunk);
        if (event === 'greeted') {
          clearTimeout(greeting);
          socket.write(`${Math.ceil(timeoutMs / 1000)} ${text.length} ${stdin.length}\n`);
          socket.write(text);
          socket.write(stdin);
        } else if (event !== undefined) {
          settle(() => resolve(event));
        }
      } catch (error) {
        fail((error as Error).message);
      }
    });
  });
