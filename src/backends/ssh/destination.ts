/**
 * Where to connect, as it is typed: `host`, `user@host`, `user@host:port`, `[2001:db8::1]:2222`, `ssh://user@host:port`.
 * The parts become arguments of `ssh -G` and words of a ProxyCommand, so what could be taken for an option or for
 * shell text there is refused, as OpenSSH does since 9.6 (CVE-2023-51385).
 */
import { UsageError } from '../../core/errors.ts';

export interface Destination {
  readonly user: string | undefined;
  /** A name, an alias of the configuration, or an address; IPv6 without its brackets. */
  readonly host: string;
  readonly port: number | undefined;
}

/** As long as a name of the DNS gets, with room for a scope. */
const NAME_MAX = 255 + 64;

/** Throws UsageError, which points at what is wrong. */
export function parseDestination(text: string): Destination {
  const isUrl = /^ssh:\/\//i.test(text);
  const wrong = (message: string): UsageError =>
    new UsageError(message, { hint: 'a destination is [user@]host[:port], or ssh://[user@]host[:port]' });
  const body = isUrl ? text.slice('ssh://'.length).replace(/\/$/, '') : text;
  const at = body.lastIndexOf('@');
  const typedUser = at < 0 ? undefined : body.slice(0, at);
  const user = typedUser !== undefined && isUrl ? decodeUser(typedUser) : typedUser;
  const place = hostAndPort(body.slice(at + 1));
  if (place === undefined) throw wrong(`"${text}" is not a destination`);
  if (user !== undefined && !isSafeUser(user)) throw wrong(`"${user}" cannot be a user's name`);
  if (!isSafeHost(place.host)) throw wrong(`"${place.host}" cannot be a host's name`);
  return { user, ...place };
}

/** `web7`, or `[web7]:2222`: how known_hosts and messages write a host with its port. */
export function hostWithPort(host: string, port: number): string {
  return port === 22 ? host : `[${host}]:${port}`;
}

export function parsePort(text: string): number | undefined {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  return port >= 1 && port <= 65535 ? port : undefined;
}

/** Nothing that ssh takes for an option or that a shell takes for more than a word. */
export function isSafeHost(host: string): boolean {
  return host !== '' && host.length <= NAME_MAX && !/^-|['"`$\\;&<>|(){}[\]\s\u0000-\u001f\u007f]/.test(host);
}

/** A backslash may stand inside: DOMAIN\user. */
export function isSafeUser(user: string): boolean {
  return user !== '' && user.length <= NAME_MAX && !/^-|['"`$;&<>|(){}\u0000-\u001f\u007f]|\s-|\\$/.test(user);
}

function hostAndPort(text: string): { host: string; port: number | undefined } | undefined {
  const bracketed = /^\[([^[\]]*)\](?::(.*))?$/.exec(text);
  if (bracketed !== null) return placed(bracketed[1] as string, bracketed[2]);
  const colons = text.split(':');
  // Several colons without brackets are an IPv6 address, as in OpenSSH.
  if (colons.length === 2) return placed(colons[0] as string, colons[1]);
  return placed(text, undefined);
}

function placed(host: string, portText: string | undefined): { host: string; port: number | undefined } | undefined {
  if (portText === undefined) return { host, port: undefined };
  const port = parsePort(portText);
  return port === undefined ? undefined : { host, port };
}

function decodeUser(user: string): string {
  try {
    return decodeURIComponent(user);
  } catch {
    return user;
  }
}
