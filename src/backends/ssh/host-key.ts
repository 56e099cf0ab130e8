/**
 * Whether the key that a host shows may be trusted: by known_hosts, else by the user. Without this an attacker on the
 * way could be the host.
 */
import { readFileSync } from 'node:fs';
import { OpenError } from '../../core/errors.ts';
import type { Ask } from '../remote/question.ts';
import { hostWithPort } from './destination.ts';
import {
  fingerprint,
  judgeHostKey,
  type KnownHostLine,
  keyName,
  keyTypeName,
  knownKeyTypes,
  type Verdict,
} from './known-hosts.ts';
import { addKnownHost, readKnownHosts } from './known-hosts-files.ts';
import type { SshSettings } from './settings.ts';

export interface HostKeyCheck {
  /** The algorithms to offer for the host's key, those of known keys first. */
  readonly algorithms: readonly string[];
  /** Resolves when the key is trusted. Throws OpenError when it is not. */
  verify(key: Buffer): Promise<Trust>;
  /**
   * Whether this is the key that was trusted; undefined before. It is shown again whenever new session keys are made,
   * after hours or gigabytes, and ssh2 loses packets when the answer then does not come at once.
   */
  isTheSame(key: Buffer): boolean | undefined;
}

export interface Trust {
  /** False: the key is not the one that is known and the user's configuration goes on all the same: no secret is typed. */
  readonly isSure: boolean;
}

/** Host key algorithms that ssh2 has, in the order of OpenSSH; ssh-rsa alone is SHA-1 and only on request. */
const ALGORITHMS = [
  'ssh-ed25519',
  'ecdsa-sha2-nistp256',
  'ecdsa-sha2-nistp384',
  'ecdsa-sha2-nistp521',
  'rsa-sha2-512',
  'rsa-sha2-256',
];
const ON_REQUEST = ['ssh-rsa', 'ssh-dss'];
const ANSWERS_MAX = 3;

/** Reads the files once; `tell` is told of what is not a question. Throws OpenError. */
export function hostKeyCheck(settings: SshSettings, ask: Ask, tell: (notice: string) => void): HostKeyCheck {
  const names = hostNames(settings);
  const lines = readKnownHosts([...settings.userKnownHostsFiles, ...settings.globalKnownHostsFiles]);
  let trusted: Buffer | undefined;
  const judge = async (key: Buffer): Promise<Trust> => {
    refuseRevoked(settings, key);
    const verdict = judgeHostKey(lines, names, key);
    switch (verdict.kind) {
      case 'known':
        return { isSure: true };
      case 'revoked':
        throw new OpenError(
          `the host key of ${settings.alias} is revoked: ${shown(key)} (${verdict.place})`,
          'whoever answers there must not be trusted; its administrator knows the new key',
        );
      case 'changed':
        return changed(settings, names, key, verdict.place, tell);
      case 'unknown':
        return unknown(settings, names, key, verdict, ask, tell);
    }
  };
  return {
    algorithms: orderAlgorithms(settings.hostKeyAlgorithms, knownKeyTypes(lines, names)),
    async verify(key) {
      const copy = Buffer.from(key);
      const trust = await judge(copy);
      trusted = copy;
      return trust;
    },
    isTheSame: (key) => trusted?.equals(key),
  };
}

/** What the host is known as: HostKeyAlias, else with its port and then, as OpenSSH also looks, without. */
export function hostNames(settings: SshSettings): readonly string[] {
  if (settings.hostKeyAlias !== undefined) return [settings.hostKeyAlias.toLowerCase()];
  const host = settings.host.toLowerCase();
  return settings.port === 22 ? [host] : [hostWithPort(host, settings.port), host];
}

/** The known key types first. An RSA key serves the algorithms of SHA-2. */
export function orderAlgorithms(allowed: readonly string[] | undefined, known: readonly string[]): readonly string[] {
  const usable = allowed?.filter((name) => ALGORITHMS.includes(name) || ON_REQUEST.includes(name)) ?? [];
  const offered = usable.length > 0 ? usable : ALGORITHMS;
  const isKnown = (algorithm: string): boolean =>
    known.includes(algorithm) || (algorithm.startsWith('rsa-sha2-') && known.includes('ssh-rsa'));
  return [...offered.filter(isKnown), ...offered.filter((algorithm) => !isKnown(algorithm))];
}

function changed(
  settings: SshSettings,
  names: readonly string[],
  key: Buffer,
  place: string,
  tell: (notice: string) => void,
): Trust {
  const name = names[0] as string;
  if (settings.strictHostKeyChecking === 'no') {
    tell(
      `the host key of ${settings.alias} is not the one in ${place}; StrictHostKeyChecking is off: no password is sent`,
    );
    return { isSure: false };
  }
  const file = place.slice(0, place.lastIndexOf(':'));
  throw new OpenError(
    `the host key of ${settings.alias} has changed: it shows ${shown(key)}, which is not the one in ${place}; ` +
      'someone may stand between, or the host was made anew',
    `ask its administrator; if the key is right, remove the old one: ssh-keygen -f ${quoted(file)} -R ${quoted(name)}`,
  );
}

async function unknown(
  settings: SshSettings,
  names: readonly string[],
  key: Buffer,
  verdict: Verdict & { kind: 'unknown' },
  ask: Ask,
  tell: (notice: string) => void,
): Promise<Trust> {
  const { strictHostKeyChecking: strict, alias } = settings;
  const who = settings.host === alias ? `"${alias}"` : `"${alias}" (${settings.host})`;
  const remarks = [...verdict.others.map(otherKey), ...verdict.authorities.map(authority)];
  const refused = `the host key of ${alias} is not known: it shows ${shown(key)}`;
  if (strict === 'yes') {
    throw new OpenError(
      [refused, ...remarks].join('; '),
      'StrictHostKeyChecking is on: add the key to known_hosts first',
    );
  }
  // A host that is known by another type of key may be an impostor without the known one: that is for the user to say.
  const accepts = strict === 'no' || (strict === 'accept-new' && verdict.others.length === 0);
  if (!accepts) {
    if (settings.batchMode) throw new OpenError(refused, 'BatchMode allows no question; connect once with ssh');
    await confirm(who, key, remarks, refused, ask);
  }
  learn(settings, names[0] as string, key, tell);
  return { isSure: true };
}

async function confirm(who: string, key: Buffer, remarks: readonly string[], refused: string, ask: Ask): Promise<void> {
  const print = fingerprint(key);
  const lines = [
    `The host ${who} is not known here. Its ${keyName(key)} key has the fingerprint`,
    `  ${print}`,
    ...remarks,
  ];
  let prompt = 'Trust it and go on (yes, no, or the fingerprint)? ';
  for (let answers = 0; answers < ANSWERS_MAX; answers++) {
    const answer = (await ask({ kind: 'confirm', lines, prompt }))?.trim();
    if (answer === undefined) {
      throw new OpenError(
        `${refused}, and nobody said that it is right`,
        'connect once from a terminal, or with -o StrictHostKeyChecking=accept-new',
      );
    }
    if (answer.toLowerCase() === 'yes' || answer === print) return;
    if (answer.toLowerCase() === 'no' || answer.startsWith('SHA256:')) break;
    prompt = 'Type yes, no, or the fingerprint: ';
  }
  throw new OpenError(`${refused}, and it was not trusted`);
}

function learn(settings: SshSettings, name: string, key: Buffer, tell: (notice: string) => void): void {
  const file = settings.userKnownHostsFiles[0];
  if (file === undefined) return;
  try {
    addKnownHost(file, name, key, settings.hashKnownHosts);
    if (file !== '/dev/null') tell(`added the ${keyName(key)} key of ${name} to ${file}`);
  } catch (error) {
    tell(`cannot add the key of ${name} to ${file}: ${(error as Error).message}`);
  }
}

/** RevokedHostKeys: a list of keys can be read; OpenSSH's binary key revocation list cannot. */
function refuseRevoked(settings: SshSettings, key: Buffer): void {
  const path = settings.revokedHostKeys;
  if (path === undefined) return;
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw new OpenError(`cannot read RevokedHostKeys: ${(error as Error).message}`);
  }
  if (bytes.subarray(0, 6).toString('latin1') === 'SSHKRL') {
    throw new OpenError(
      `RevokedHostKeys ${path} is a binary revocation list, which kdbg cannot check`,
      `kdbg shell -- ssh ${settings.alias} sh lets ssh do it`,
    );
  }
  if (bytes.toString('latin1').includes(key.toString('base64'))) {
    throw new OpenError(`the host key of ${settings.alias} is revoked: ${shown(key)} (${path})`);
  }
}

function otherKey(line: KnownHostLine): string {
  return `the host is known by another key, ${keyTypeName(line.keyType)} ${fingerprint(line.key)} (${line.place})`;
}

function authority(line: KnownHostLine): string {
  return `${line.place} trusts an authority for this host's certificates, which kdbg cannot check (kdbg shell -- ssh can)`;
}

function shown(key: Buffer): string {
  return `${keyName(key)} ${fingerprint(key)}`;
}

/** A word of a command line to copy. */
function quoted(text: string): string {
  return /^[\w./@%+=:-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
