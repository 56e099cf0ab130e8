/**
 * A private key in a file: what can be told of it without its passphrase, and the key itself.
 *
 * OpenSSH's own format (PROTOCOL.key) starts with "openssh-key-v1", the cipher, and the public key in clear, so a
 * server can be asked whether it takes a key before its owner is asked for the passphrase.
 */
import { createPrivateKey } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import type { ParsedKey } from 'ssh2';
import { keyTypeOf } from './known-hosts.ts';
import type { Ssh2 } from './library.ts';

export interface KeyFile {
  readonly path: string;
  /** In wire form; undefined when only the passphrase opens it (old PEM files without a .pub beside them). */
  readonly publicKey: Buffer | undefined;
  /** The private key as it stands in the file; undefined: the file or its .pub holds a public key only. */
  readonly bytes: Buffer | undefined;
  readonly isEncrypted: boolean;
}

/** Why a file gives no key; `isAbsent` when there is none. */
export interface NoKey {
  readonly path: string;
  readonly why: string;
  readonly isAbsent: boolean;
}

const FILE_MAX = 256 * 1024;
/** OpenSSH uses 16 or 24; in JavaScript 100 take two seconds and more. */
const ROUNDS_MAX = 500;
const MAGIC = 'openssh-key-v1\0';

export function readKeyFile(ssh2: Ssh2, path: string): KeyFile | NoKey {
  const bytes = readBounded(path);
  const beside = publicKeyBeside(path);
  if ('why' in bytes) {
    // The private half may be in the agent alone: its file stands for it then.
    if (bytes.isAbsent && beside !== undefined)
      return { path, publicKey: beside, bytes: undefined, isEncrypted: false };
    return bytes;
  }
  const itself = publicKeyOf(bytes.content.toString('latin1'));
  if (itself !== undefined) return { path, publicKey: itself, bytes: undefined, isEncrypted: false };
  if (bytes.isOpen) {
    return noKey(path, `others may read it, so ssh does not use it either: chmod 600 ${path}`);
  }
  const header = opensshHeader(bytes.content);
  const type = header === undefined ? undefined : keyTypeOf(header.publicKey);
  if (type !== undefined && isUnusableType(type)) return noKey(path, unusableType(type));
  if (header !== undefined && header.rounds > ROUNDS_MAX) {
    return noKey(path, `its passphrase takes ${header.rounds} rounds of bcrypt, too slow here; ssh-add can open it`);
  }
  const key = openKey(ssh2, bytes.content, undefined);
  if (!(key instanceof Error)) return { path, publicKey: key.getPublicSSH(), bytes: bytes.content, isEncrypted: false };
  if (!/passphrase/i.test(key.message)) return noKey(path, `it cannot be read: ${key.message}`);
  return { path, publicKey: header?.publicKey ?? beside, bytes: bytes.content, isEncrypted: true };
}

/** The key, or an Error: a wrong passphrase, or a format that ssh2 does not know. */
export function openKey(ssh2: Ssh2, bytes: Buffer, passphrase: Buffer | undefined): ParsedKey | Error {
  try {
    const pkcs8 = /^-----BEGIN (ENCRYPTED )?PRIVATE KEY-----/m.exec(bytes.toString('latin1'));
    if (pkcs8?.[1] !== undefined && passphrase === undefined) return new Error('it has a passphrase');
    const parsed: unknown = ssh2.utils.parseKey(pkcs8 === null ? bytes : fromPkcs8(bytes, passphrase), passphrase);
    const key = (Array.isArray(parsed) ? parsed[0] : parsed) as ParsedKey | Error | undefined;
    if (key === undefined) return new Error('it holds no key');
    if (key instanceof Error) return key;
    return key.isPrivateKey() ? key : new Error('it holds no private key');
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

/** Certificates and keys on FIDO tokens (sk-...): ssh2 cannot speak for them. */
export function isUnusableType(type: string): boolean {
  return type.startsWith('sk-') || type.includes('-cert-');
}

export function unusableType(type: string): string {
  return type.startsWith('sk-')
    ? 'it is a FIDO key, which only ssh itself can use'
    : `its type ${type} is one that only ssh itself can use`;
}

/** PKCS#8, which ssh2 does not read, as the older PEM forms that it does. */
function fromPkcs8(bytes: Buffer, passphrase: Buffer | undefined): string {
  const key = createPrivateKey({ key: bytes, format: 'pem', ...(passphrase === undefined ? {} : { passphrase }) });
  if (key.asymmetricKeyType === 'rsa') return key.export({ type: 'pkcs1', format: 'pem' }).toString();
  if (key.asymmetricKeyType === 'ec') return key.export({ type: 'sec1', format: 'pem' }).toString();
  throw new Error(`${key.asymmetricKeyType} keys in PKCS#8 are not supported; ssh-keygen -p rewrites the file`);
}

/** What stands in clear in OpenSSH's format: cipher, key derivation, its options (salt, rounds), keys, the first one. */
function opensshHeader(bytes: Buffer): { readonly publicKey: Buffer; readonly rounds: number } | undefined {
  const base64 = /-----BEGIN OPENSSH PRIVATE KEY-----([\s\S]*?)-----END/.exec(bytes.toString('latin1'))?.[1];
  if (base64 === undefined) return undefined;
  const content = Buffer.from(base64, 'base64');
  if (content.subarray(0, MAGIC.length).toString('latin1') !== MAGIC) return undefined;
  let at = MAGIC.length;
  const next = (): Buffer | undefined => {
    if (at + 4 > content.length) return undefined;
    const length = content.readUInt32BE(at);
    if (at + 4 + length > content.length) return undefined;
    at += 4 + length;
    return content.subarray(at - length, at);
  };
  next();
  next();
  const derivation = next();
  at += 4;
  const publicKey = next();
  if (derivation === undefined || publicKey === undefined) return undefined;
  return { publicKey, rounds: derivation.length < 4 ? 0 : derivation.readUInt32BE(derivation.length - 4) };
}

function publicKeyBeside(path: string): Buffer | undefined {
  const bytes = readBounded(`${path}.pub`);
  return 'why' in bytes ? undefined : publicKeyOf(bytes.content.toString('latin1'));
}

function publicKeyOf(text: string): Buffer | undefined {
  const match = /^\s*([a-z][\w.@-]+) ([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(text);
  if (match === null) return undefined;
  const key = Buffer.from(match[2] as string, 'base64');
  return keyTypeOf(key) === match[1] ? key : undefined;
}

function readBounded(path: string): { readonly content: Buffer; readonly isOpen: boolean } | NoKey {
  try {
    const stats = statSync(path);
    const { size, mode, uid } = stats;
    if (!stats.isFile()) return noKey(path, 'it is no regular file');
    if (size > FILE_MAX) return noKey(path, 'it is too large for a key');
    // As OpenSSH: only the modes of one's own files are held against them.
    const isOpen = (mode & 0o077) !== 0 && uid === process.getuid?.();
    return { content: readFileSync(path), isOpen };
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    return { path, why: message, isAbsent: code === 'ENOENT' || code === 'ENOTDIR' };
  }
}

function noKey(path: string, why: string): NoKey {
  return { path, why, isAbsent: false };
}
