/**
 * The user's ssh-agent (draft-miller-ssh-agent): which keys it holds, and a signature by one. A message is its length
 * in 4 bytes, its type in one, and its parts, each with its length in front. ssh2's own client keeps silent about
 * keys that it cannot use; those should be named when nothing lets the user in.
 */
import { connect } from 'node:net';

export interface AgentKey {
  /** The public key in wire form. */
  readonly key: Buffer;
  readonly comment: string;
}

const REQUEST_IDENTITIES = 11;
const IDENTITIES_ANSWER = 12;
const SIGN_REQUEST = 13;
const SIGN_RESPONSE = 14;
/** SSH_AGENT_RSA_SHA2_256 and _512: by which hash an RSA key signs. */
const RSA_FLAGS: Readonly<Record<string, number>> = { sha256: 2, sha512: 4 };

const MESSAGE_MAX = 1024 * 1024;
const KEYS_MAX = 1000;
const LIST_MS = 10_000;
/** A key may wait for its owner to touch a token or to press a button. */
const SIGN_MS = 120_000;

/** The agent's keys, in its order. Rejects when there is no agent behind the socket. */
export async function listAgentKeys(socket: string): Promise<readonly AgentKey[]> {
  const answer = await request(socket, Buffer.from([REQUEST_IDENTITIES]), LIST_MS);
  if (answer[0] !== IDENTITIES_ANSWER || answer.length < 5) throw new Error('the agent does not tell its keys');
  const parts = new Parts(answer.subarray(5));
  const count = Math.min(answer.readUInt32BE(1), KEYS_MAX);
  const keys: AgentKey[] = [];
  while (keys.length < count) keys.push({ key: parts.next(), comment: parts.next().toString('utf8') });
  return keys;
}

/** The bare signature of `data`, without the algorithm's name in front. */
export async function signWithAgent(
  socket: string,
  key: Buffer,
  data: Buffer,
  hash: string | undefined,
): Promise<Buffer> {
  const flags = Buffer.alloc(4);
  flags.writeUInt32BE(RSA_FLAGS[hash ?? ''] ?? 0);
  const asked = Buffer.concat([Buffer.from([SIGN_REQUEST]), part(key), part(data), flags]);
  const answer = await request(socket, asked, SIGN_MS);
  if (answer[0] !== SIGN_RESPONSE) throw new Error('the agent refused to sign');
  const signature = new Parts(new Parts(answer.subarray(1)).next());
  signature.next();
  return signature.next();
}

function part(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

class Parts {
  #rest: Buffer;

  constructor(bytes: Buffer) {
    this.#rest = bytes;
  }

  next(): Buffer {
    const length = this.#rest.length < 4 ? Number.POSITIVE_INFINITY : this.#rest.readUInt32BE(0);
    if (4 + length > this.#rest.length) throw new Error("the agent's answer is cut short");
    const bytes = this.#rest.subarray(4, 4 + length);
    this.#rest = this.#rest.subarray(4 + length);
    return bytes;
  }
}

/** One question, one answer, over a connection of its own. */
function request(socketPath: string, message: Buffer, timeoutMs: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const socket = connect(socketPath);
    const chunks: Buffer[] = [];
    let received = 0;
    const fail = (why: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new Error(why));
    };
    const timer = setTimeout(() => fail('the agent does not answer'), timeoutMs);
    socket.on('error', (error) => fail(error.message));
    socket.on('close', () => fail('the agent closed the connection'));
    socket.on('data', (chunk) => {
      chunks.push(chunk);
      received += chunk.length;
      if (received < 4) return;
      const whole = chunks.length === 1 ? chunk : Buffer.concat(chunks);
      const length = whole.readUInt32BE(0);
      if (length === 0 || length > MESSAGE_MAX) return fail("the agent's answer has no sensible length");
      if (received < 4 + length) return;
      clearTimeout(timer);
      socket.removeAllListeners('close').destroy();
      resolve(whole.subarray(4, 4 + length));
    });
    socket.write(part(message));
  });
}
