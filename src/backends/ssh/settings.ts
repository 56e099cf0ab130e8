/**
 * The configuration of one connection, from lines of `ssh -G` or of configuration files: the keywords of ssh_config(5)
 * that matter here, with OpenSSH's defaults. Of a keyword that stands several times the first counts, except
 * IdentityFile, where all do. What is not understood is ignored, like the many keywords that a debugger does not need.
 */
import { type ConnectionNames, expandPath, expandTokens, pathTokens } from './tokens.ts';

/** A keyword in lower case and its value. */
export type SettingLine = readonly [key: string, value: string];

export type StrictHostKeyChecking = 'yes' | 'ask' | 'accept-new' | 'no';
export type AuthenticationMethod = 'publickey' | 'keyboard-interactive' | 'password';

export interface SshSettings {
  /** As it was typed, or as the configuration made it canonical; it names the host in messages. */
  readonly alias: string;
  /** HostName: what is connected to. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly identityFiles: readonly string[];
  readonly identitiesOnly: boolean;
  /** The agent's socket; undefined: none. */
  readonly agentSocket: string | undefined;
  /** The hops before this host, nearest first; the last may be written `user@host:port`. */
  readonly proxyJump: readonly string[];
  readonly proxyCommand: string | undefined;
  /** The proxy command passes a connected socket back, which node cannot take. */
  readonly proxyUseFdpass: boolean;
  readonly userKnownHostsFiles: readonly string[];
  readonly globalKnownHostsFiles: readonly string[];
  readonly revokedHostKeys: string | undefined;
  readonly strictHostKeyChecking: StrictHostKeyChecking;
  readonly hashKnownHosts: boolean;
  readonly hostKeyAlias: string | undefined;
  /** Those allowed, in order; undefined: ssh2's own. */
  readonly hostKeyAlgorithms: readonly string[] | undefined;
  readonly connectTimeoutMs: number | undefined;
  readonly serverAlive: { readonly intervalMs: number; readonly countMax: number };
  readonly addressFamily: 'any' | 'inet' | 'inet6';
  readonly bindAddress: string | undefined;
  readonly batchMode: boolean;
  /** What may be tried, in order. */
  readonly methods: readonly AuthenticationMethod[];
  readonly passwordPrompts: number;
}

const METHODS: readonly AuthenticationMethod[] = ['publickey', 'keyboard-interactive', 'password'];
const DEFAULT_IDENTITIES = ['id_rsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk', 'id_dsa'];
/** A silent server is noticed after 15 s x 3 also where the configuration does not ask for it: a debugger waits. */
const SERVER_ALIVE = { intervalMs: 15_000, countMax: 3 };

/** What the command line names, before the configuration. */
export interface Named {
  readonly alias: string;
  readonly user: string;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export function settingsOf(lines: readonly SettingLine[], named: Named): SshSettings {
  const first = new Map<string, string>();
  const identities: string[] = [];
  for (const [key, value] of lines) {
    if (key === 'identityfile') identities.push(value);
    else if (!first.has(key)) first.set(key, value);
  }
  const text = (key: string): string | undefined => unlessNone(first.get(key));
  const user = text('user') ?? named.user;
  const port = number(text('port'), 1, 65535) ?? 22;
  const host = expandTokens(text('hostname') ?? named.alias, { h: named.alias });
  const names: ConnectionNames = { alias: named.alias, host, port, user, hostKeyAlias: text('hostkeyalias') };
  const path = (value: string): string => expandPath(value, pathTokens(names), named.env);
  const paths = (key: string, standard: readonly string[]): readonly string[] => {
    const value = first.get(key);
    if (value?.toLowerCase() === 'none') return [];
    return (value === undefined ? standard : splitWords(value)).map(path);
  };
  const jump = text('proxyjump');
  return {
    alias: named.alias,
    host,
    port,
    user,
    identityFiles:
      identities.length === 0 ? DEFAULT_IDENTITIES.map((name) => path(`~/.ssh/${name}`)) : files(identities, path),
    identitiesOnly: flag(text('identitiesonly')) ?? false,
    agentSocket: agentSocket(first.get('identityagent'), path, named.env),
    proxyJump: jump === undefined ? [] : jump.split(',').map((hop) => hop.trim()),
    // Where both stand, OpenSSH takes the first; `ssh -G` prints only the one that counts.
    proxyCommand: jump === undefined ? text('proxycommand') : undefined,
    proxyUseFdpass: flag(text('proxyusefdpass')) ?? false,
    userKnownHostsFiles: paths('userknownhostsfile', ['~/.ssh/known_hosts', '~/.ssh/known_hosts2']),
    globalKnownHostsFiles: paths('globalknownhostsfile', ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2']),
    revokedHostKeys: maybe(text('revokedhostkeys'), path),
    strictHostKeyChecking: strictness(text('stricthostkeychecking')),
    hashKnownHosts: flag(text('hashknownhosts')) ?? false,
    hostKeyAlias: names.hostKeyAlias,
    hostKeyAlgorithms: maybe(text('hostkeyalgorithms'), algorithmNames),
    connectTimeoutMs: maybe(seconds(text('connecttimeout')), (value) => value * 1000),
    serverAlive: serverAlive(text('serveraliveinterval'), text('serveralivecountmax')),
    addressFamily: family(text('addressfamily')),
    bindAddress: text('bindaddress'),
    batchMode: flag(text('batchmode')) ?? false,
    methods: methods(first),
    passwordPrompts: number(text('numberofpasswordprompts'), 0, 10) ?? 3,
  };
}

/** Words of a value, with double quotes around those that hold spaces. */
export function splitWords(value: string): string[] {
  return [...value.matchAll(/"([^"]*)"|(\S+)/g)].map((match) => match[1] ?? (match[2] as string));
}

function files(values: readonly string[], path: (value: string) => string): readonly string[] {
  const named = values.filter((value) => value.toLowerCase() !== 'none');
  return [...new Set(named.map((value) => path(unquoted(value))))];
}

function unquoted(value: string): string {
  return /^"([^"]*)"$/.exec(value)?.[1] ?? value;
}

function unlessNone(value: string | undefined): string | undefined {
  return value === undefined || value === '' || value.toLowerCase() === 'none' ? undefined : value;
}

function maybe<T, U>(value: T | undefined, map: (value: T) => U): U | undefined {
  return value === undefined ? undefined : map(value);
}

function flag(value: string | undefined): boolean | undefined {
  const word = value?.toLowerCase();
  if (word === 'yes' || word === 'true') return true;
  return word === 'no' || word === 'false' ? false : undefined;
}

function number(value: string | undefined, least: number, most: number): number | undefined {
  if (value === undefined || !/^\d{1,9}$/.test(value)) return undefined;
  return Math.min(most, Math.max(least, Number(value)));
}

/** Seconds, or a time of ssh_config: 90, 90s, 1m30s, 2h. */
function seconds(value: string | undefined): number | undefined {
  if (value === undefined || !/^(?:\d{1,7}[smhdw]?)+$/i.test(value)) return undefined;
  const unit: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
  let total = 0;
  for (const [, count, letter] of value.toLowerCase().matchAll(/(\d+)([smhdw]?)/g)) {
    total += Number(count) * (unit[letter === '' ? 's' : (letter as string)] ?? 1);
  }
  // Timers hold 31 bits of milliseconds; a day is longer than anyone waits.
  return total === 0 ? undefined : Math.min(total, 86_400);
}

/** `ServerAliveInterval 0`, OpenSSH's default, cannot be told from one that was meant: it gets ours. */
function serverAlive(interval: string | undefined, count: string | undefined): SshSettings['serverAlive'] {
  const every = seconds(interval);
  if (every === undefined) return SERVER_ALIVE;
  return { intervalMs: every * 1000, countMax: number(count, 1, 1000) ?? SERVER_ALIVE.countMax };
}

function family(value: string | undefined): 'any' | 'inet' | 'inet6' {
  const word = value?.toLowerCase();
  return word === 'inet' || word === 'inet6' ? word : 'any';
}

function strictness(value: string | undefined): StrictHostKeyChecking {
  switch (value?.toLowerCase()) {
    case 'yes':
    case 'true':
      return 'yes';
    case 'no':
    case 'false':
    case 'off':
      return 'no';
    case 'accept-new':
      return 'accept-new';
    default:
      return 'ask';
  }
}

/** A list that only changes OpenSSH's own (`+x`, `-x`, `^x`) is left to `ssh -G` to work out. */
function algorithmNames(value: string): readonly string[] | undefined {
  return /^[+\-^]/.test(value) ? undefined : value.split(',');
}

function methods(first: ReadonlyMap<string, string>): readonly AuthenticationMethod[] {
  const isOn = (...keys: readonly string[]): boolean => {
    for (const key of keys) {
      const value = flag(first.get(key));
      if (value !== undefined) return value;
    }
    // pubkeyauthentication may also say unbound or host-bound: on, with a restriction that only agents know.
    return true;
  };
  const allowed: Readonly<Record<AuthenticationMethod, boolean>> = {
    publickey: isOn('pubkeyauthentication'),
    'keyboard-interactive': isOn('kbdinteractiveauthentication', 'challengeresponseauthentication'),
    password: isOn('passwordauthentication'),
  };
  const preferred = unlessNone(first.get('preferredauthentications'))?.split(',') ?? METHODS;
  return preferred.filter((name): name is AuthenticationMethod => allowed[name as AuthenticationMethod] === true);
}

/** IdentityAgent: a socket, SSH_AUTH_SOCK, `$NAME` or `none`; without it the environment's SSH_AUTH_SOCK. */
function agentSocket(
  value: string | undefined,
  path: (value: string) => string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  if (value?.toLowerCase() === 'none') return undefined;
  if (value === undefined || value === 'SSH_AUTH_SOCK') return unlessNone(env['SSH_AUTH_SOCK']);
  if (/^\$[A-Za-z_]\w*$/.test(value)) return unlessNone(env[value.slice(1)]);
  return path(unquoted(value));
}
