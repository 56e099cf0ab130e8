/**
 * known_hosts (sshd(8), "SSH_KNOWN_HOSTS FILE FORMAT"): one key a line, after the hosts that it belongs to:
 *
 *     [@cert-authority|@revoked] PATTERN[,PATTERN...] KEYTYPE BASE64 [COMMENT]
 *
 * A pattern has `*` and `?`, `!` excludes, `[host]:port` names a port other than 22, and `|1|SALT|HASH` is the
 * HMAC-SHA1 of one such name, so that a stolen file tells no names.
 */
import { createHash, createHmac, randomBytes } from 'node:crypto';

export interface KnownHostLine {
  readonly marker: 'cert-authority' | 'revoked' | undefined;
  readonly hosts: string;
  readonly keyType: string;
  /** The key as it goes over the wire: its type and its numbers. */
  readonly key: Buffer;
  /** Where it stands: FILE:LINE. */
  readonly place: string;
}

/** What the files say about the key that a host showed. */
export type Verdict =
  | { readonly kind: 'known'; readonly place: string }
  | { readonly kind: 'revoked'; readonly place: string }
  /** Another key of the same type stands there. */
  | { readonly kind: 'changed'; readonly place: string }
  | {
      readonly kind: 'unknown';
      /** Keys of other types that the host has. */
      readonly others: readonly KnownHostLine[];
      /** Authorities that may sign for the host, whose certificates ssh2 cannot check. */
      readonly authorities: readonly KnownHostLine[];
    };

/** Longer lines than any key has are not looked at. */
const LINE_MAX = 64 * 1024;
const PATTERNS_MAX = 1000;

/** The lines that hold a key; what is malformed or of the old protocol 1 is passed over, as ssh does. */
export function parseKnownHosts(text: string, path: string): readonly KnownHostLine[] {
  const lines: KnownHostLine[] = [];
  for (const [index, line] of text.split('\n').entries()) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.length > LINE_MAX) continue;
    const parsed = /^(?:@(\S+)\s+)?(\S+)\s+(\S+)\s+([A-Za-z0-9+/]+={0,2})(?:\s|$)/.exec(trimmed);
    if (parsed === null) continue;
    const [, marker, hosts, keyType, base64] = parsed as unknown as [
      string,
      string | undefined,
      string,
      string,
      string,
    ];
    if (marker !== undefined && marker !== 'cert-authority' && marker !== 'revoked') continue;
    const key = Buffer.from(base64, 'base64');
    if (keyTypeOf(key) !== keyType) continue;
    lines.push({ marker, hosts, keyType, key, place: `${path}:${index + 1}` });
  }
  return lines;
}

/** The type that a public key in wire form begins with, or undefined for what is no key. */
export function keyTypeOf(key: Uint8Array): string | undefined {
  if (key.length < 4) return undefined;
  const length = new DataView(key.buffer, key.byteOffset, key.byteLength).getUint32(0);
  if (length === 0 || length > 64 || key.length < 4 + length) return undefined;
  const type = Buffer.from(key.subarray(4, 4 + length)).toString('latin1');
  return /^[\x21-\x7e]+$/.test(type) ? type : undefined;
}

/**
 * Judges the key of a host. `names` are what the host may be known as, best first: with its port, then (as OpenSSH
 * does) without it; only the first is looked at for keys that differ.
 */
export function judgeHostKey(lines: readonly KnownHostLine[], names: readonly string[], key: Buffer): Verdict {
  const keyType = keyTypeOf(key);
  const revoked = lines.find(
    (line) => line.marker === 'revoked' && line.key.equals(key) && names.some((name) => matchesHosts(line.hosts, name)),
  );
  if (revoked !== undefined) return { kind: 'revoked', place: revoked.place };
  const ofName = names.map((name) => lines.filter((line) => matchesHosts(line.hosts, name)));
  for (const known of ofName) {
    const same = known.find((line) => line.marker === undefined && line.key.equals(key));
    if (same !== undefined) return { kind: 'known', place: same.place };
  }
  const own = ofName[0] ?? [];
  const changed = own.find((line) => line.marker === undefined && line.keyType === keyType);
  if (changed !== undefined) return { kind: 'changed', place: changed.place };
  return {
    kind: 'unknown',
    others: own.filter((line) => line.marker === undefined),
    authorities: own.filter((line) => line.marker === 'cert-authority'),
  };
}

/** The types of the keys that are known of a host: to be asked for first, or a known host would look new. */
export function knownKeyTypes(lines: readonly KnownHostLine[], names: readonly string[]): readonly string[] {
  for (const name of names) {
    const types = lines.filter((line) => line.marker === undefined && matchesHosts(line.hosts, name));
    if (types.length > 0) return [...new Set(types.map((line) => line.keyType))];
  }
  return [];
}

/** Whether the first field of a line names this host. */
export function matchesHosts(hosts: string, name: string): boolean {
  if (hosts.startsWith('|')) return matchesHash(hosts, name);
  let matched = false;
  for (const pattern of hosts.split(',', PATTERNS_MAX)) {
    const isNegated = pattern.startsWith('!');
    if (!matchesPattern(isNegated ? pattern.slice(1) : pattern, name)) continue;
    if (isNegated) return false;
    matched = true;
  }
  return matched;
}

/** `*` and `?` of OpenSSH's patterns, case aside. Backtracks to the last star only, so it ends in n times m steps. */
export function matchesPattern(pattern: string, text: string): boolean {
  const wanted = pattern.toLowerCase();
  const given = text.toLowerCase();
  let at = 0;
  let star = -1;
  let resumeAt = 0;
  for (let i = 0; i < given.length; ) {
    const sign = wanted[at];
    if (sign === '*') {
      star = at++;
      resumeAt = i;
    } else if (sign !== undefined && (sign === '?' || sign === given[i])) {
      at++;
      i++;
    } else if (star >= 0) {
      at = star + 1;
      i = ++resumeAt;
    } else {
      return false;
    }
  }
  while (wanted[at] === '*') at++;
  return at === wanted.length;
}

/** The name as HashKnownHosts writes it. */
export function hashHost(name: string, salt: Uint8Array = randomBytes(20)): string {
  const hash = createHmac('sha1', salt).update(name).digest('base64');
  return `|1|${Buffer.from(salt).toString('base64')}|${hash}`;
}

/** `SHA256:...`, as ssh shows it and administrators publish it. */
export function fingerprint(key: Uint8Array): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`;
}

/** The type of a key in wire form, as ssh shows it. */
export function keyName(key: Uint8Array): string {
  return keyTypeName(keyTypeOf(key) ?? 'unknown');
}

/** The name of a key's type as ssh shows it: ED25519, ECDSA, RSA. */
export function keyTypeName(keyType: string): string {
  const bare = keyType.replace(/-cert-v01@openssh\.com$/, '').replace(/@openssh\.com$/, '');
  const named = /^(?:ssh-|(sk-)(?:ssh-)?)?(rsa|dss|ed25519|ecdsa)/.exec(bare);
  if (named === null) return bare;
  const name = named[2] === 'dss' ? 'DSA' : (named[2] as string).toUpperCase();
  const isCertificate = keyType.includes('-cert-');
  return `${name}${named[1] === undefined ? '' : '-SK'}${isCertificate ? ' certificate' : ''}`;
}

function matchesHash(hosts: string, name: string): boolean {
  const [, version, salt, hash] = hosts.split('|');
  if (version !== '1' || salt === undefined || hash === undefined) return false;
  return hashHost(name, Buffer.from(salt, 'base64')).split('|')[3] === hash;
}
