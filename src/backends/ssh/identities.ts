/**
 * The keys that may let the user in, in the order in which they are tried: those given with -i, then those of the
 * configuration that the agent holds, the agent's others, and the configuration's files. (ssh tries the agent's before
 * a file of -i, and a server gives up on the sixth key.)
 */
import { existsSync } from 'node:fs';
import type { ParsedKey } from 'ssh2';
import { type AgentKey, listAgentKeys, signWithAgent } from './agent.ts';
import { isUnusableType, type KeyFile, openKey, readKeyFile, unusableType } from './key-file.ts';
import { fingerprint, keyName, keyTypeOf } from './known-hosts.ts';
import type { Ssh2 } from './library.ts';
import { serverText } from './server-text.ts';

/** A key that can be tried. */
export interface Identity {
  /** For messages: its file, or its comment in the agent, and its type. */
  readonly name: string;
  readonly publicKey: Buffer;
  /** The bare signature, or undefined when the key was not opened, as `notes` then says. Rejects when it cannot sign. */
  sign(data: Buffer, hash: string | undefined): Promise<Buffer | undefined>;
}

/** A key in its turn; one in an old PEM file shows its public half only when it is opened. */
export interface Candidate {
  readonly name: string;
  /** A server can be asked about it before it is opened, which may want a passphrase. */
  readonly isShown: boolean;
  /** Undefined: it is of no use, as `notes` then says. */
  open(): Promise<Identity | undefined>;
  /** Wipes what was read of a private key; it signs no more. */
  forget(): void;
}

export interface Identities {
  readonly candidates: readonly Candidate[];
  /** What cannot be used, and why: shown when nothing else lets the user in. Grows while keys are opened. */
  readonly notes: string[];
}

export interface IdentitySources {
  /** Files of the configuration and of -i, and which of them are of -i. */
  readonly files: readonly string[];
  readonly given: readonly string[];
  readonly agentSocket: string | undefined;
  readonly identitiesOnly: boolean;
}

/** Asks for the passphrase of a file: the bytes are wiped by who asked. Undefined: it was not told. */
export type AskPassphrase = (path: string, isAgain: boolean) => Promise<Buffer | undefined>;

const PASSPHRASES_MAX = 3;
const COMMENT_MAX = 100;

export async function gatherIdentities(
  ssh2: Ssh2,
  sources: IdentitySources,
  askPassphrase: AskPassphrase,
): Promise<Identities> {
  const notes: string[] = [];
  const agent = await agentKeys(sources.agentSocket, notes);
  const ofAgent = new Map(agent.map((held) => [held.key.toString('base64'), held]));
  const given: Candidate[] = [];
  const held: Candidate[] = [];
  const filed: Candidate[] = [];
  // OpenSSH leaves out a file of -i that is not there; it is named here.
  for (const path of new Set([...sources.given, ...sources.files])) {
    const file = readKeyFile(ssh2, path);
    const isGiven = sources.given.includes(path);
    if (existsSync(`${path}-cert.pub`))
      notes.push(`${path}-cert.pub: it is a certificate, which only ssh itself can use`);
    if ('why' in file) {
      if (!file.isAbsent || isGiven) notes.push(`${path}: ${file.isAbsent ? 'there is no such file' : file.why}`);
      continue;
    }
    const id = file.publicKey?.toString('base64') ?? '';
    const inAgent = ofAgent.get(id);
    ofAgent.delete(id);
    if (inAgent !== undefined) (isGiven ? given : held).push(agentCandidate(sources.agentSocket as string, inAgent));
    else if (file.bytes !== undefined) (isGiven ? given : filed).push(fileCandidate(ssh2, file, notes, askPassphrase));
    else if (isGiven) notes.push(`${path}: it is a public key whose other half the agent does not have`);
  }
  const others = sources.identitiesOnly ? [] : [...ofAgent.values()];
  const rest = others.map((key) => agentCandidate(sources.agentSocket as string, key));
  return { candidates: [...given, ...held, ...rest, ...filed], notes };
}

/** The fingerprint's first characters tell keys apart that have the same comment. */
function describe(what: string, key: Buffer): string {
  return `${what} (${keyName(key)} ${fingerprint(key).slice(0, 'SHA256:'.length + 8)}...)`;
}

async function agentKeys(socket: string | undefined, notes: string[]): Promise<readonly AgentKey[]> {
  if (socket === undefined) return [];
  let keys: readonly AgentKey[];
  try {
    keys = await listAgentKeys(socket);
  } catch (error) {
    notes.push(`the agent at ${serverText(socket, 200)}: ${serverText((error as Error).message, 200)}`);
    return [];
  }
  return keys.filter((held) => {
    const type = keyTypeOf(held.key);
    if (type !== undefined && !isUnusableType(type)) return true;
    notes.push(`${serverText(held.comment, COMMENT_MAX)} of the agent: ${unusableType(type ?? '?')}`);
    return false;
  });
}

function agentCandidate(socket: string, held: AgentKey): Candidate {
  const name = describe(`${serverText(held.comment, COMMENT_MAX) || 'a key'} of the agent`, held.key);
  const sign = (data: Buffer, hash: string | undefined): Promise<Buffer> => signWithAgent(socket, held.key, data, hash);
  return { name, isShown: true, open: async () => ({ name, publicKey: held.key, sign }), forget: () => undefined };
}

function fileCandidate(ssh2: Ssh2, file: KeyFile, notes: string[], askPassphrase: AskPassphrase): Candidate {
  const { path, publicKey } = file;
  const bytes = file.bytes as Buffer;
  /** The key, opened with its passphrase where it has one, or undefined with a note. */
  const open = async () => {
    if (!file.isEncrypted) return usable(openKey(ssh2, bytes, undefined), path, notes);
    for (let attempt = 0; attempt < PASSPHRASES_MAX; attempt++) {
      const passphrase = await askPassphrase(path, attempt > 0);
      // An empty answer passes the key over, as with ssh.
      if (passphrase === undefined || passphrase.length === 0) {
        notes.push(`${path}: its passphrase was not given`);
        return undefined;
      }
      const key = openKey(ssh2, bytes, passphrase);
      passphrase.fill(0);
      if (!(key instanceof Error)) return key;
    }
    notes.push(`${path}: the passphrase was wrong`);
    return undefined;
  };
  let opened: ParsedKey | undefined;
  const identity = (name: string, known: Buffer): Identity => ({
    name,
    publicKey: known,
    async sign(data, hash) {
      const key = opened ?? (await open());
      if (key === undefined) return undefined;
      const signature: unknown = key.sign(data, hash);
      if (!Buffer.isBuffer(signature)) throw new Error(`${path} cannot sign: ${(signature as Error).message}`);
      return signature;
    },
  });
  const forget = (): void => {
    bytes.fill(0);
    opened = undefined;
  };
  if (publicKey !== undefined) {
    const name = describe(path, publicKey);
    return { name, isShown: true, forget, open: async () => identity(name, publicKey) };
  }
  return {
    name: path,
    isShown: false,
    forget,
    async open() {
      opened = await open();
      const shown = opened?.getPublicSSH();
      return shown === undefined ? undefined : identity(describe(path, shown), shown);
    },
  };
}

function usable<T>(key: T | Error, path: string, notes: string[]): T | undefined {
  if (!(key instanceof Error)) return key;
  notes.push(`${path}: ${key.message}`);
  return undefined;
}
