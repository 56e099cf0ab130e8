/**
 * The `%` tokens of ssh_config(5), and `~` and `${NAME}` in paths.
 */
import { createHash } from 'node:crypto';
import { homedir, hostname, userInfo } from 'node:os';
import { OpenError } from '../../core/errors.ts';

/** What tokens stand for. */
export interface ConnectionNames {
  readonly alias: string;
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly hostKeyAlias: string | undefined;
}

type Tokens = Readonly<Record<string, string>>;

/** Tokens of paths (IdentityFile, IdentityAgent, UserKnownHostsFile, ...). */
export function pathTokens(names: ConnectionNames): Tokens {
  const { username, uid, homedir: home } = account();
  const local = hostname();
  return {
    ...commandTokens(names),
    C: createHash('sha1').update(`${local}${names.host}${names.port}${names.user}`).digest('hex'),
    d: home,
    i: String(uid),
    k: names.hostKeyAlias ?? names.alias,
    L: local.split('.')[0] as string,
    l: local,
    u: username,
  };
}

/** Tokens of ProxyCommand. */
export function commandTokens(names: ConnectionNames): Tokens {
  return { h: names.host, n: names.alias, p: String(names.port), r: names.user };
}

/** Replaces `%x`; `%%` is a percent sign. A token that is not known stays as it is written. */
export function expandTokens(text: string, tokens: Tokens): string {
  return text.replace(/%(.)/gs, (whole, letter: string) => (letter === '%' ? '%' : (tokens[letter] ?? whole)));
}

/** A path with its `~`, `${NAME}` and tokens replaced. Throws OpenError for a variable that is not set. */
export function expandPath(path: string, tokens: Tokens, env: Readonly<Record<string, string | undefined>>): string {
  const absolute = path === '~' || path.startsWith('~/') ? account().homedir + path.slice(1) : path;
  const named = absolute.replace(/\$\{([A-Za-z_]\w*)\}/g, (_, name: string) => {
    const value = env[name];
    if (value === undefined) throw new OpenError(`the ssh configuration names "${path}", and ${name} is not set`);
    return value;
  });
  return expandTokens(named, tokens);
}

/** The user who runs this, by the password file, as ssh has it; userInfo() throws where that has no such user. */
export function account(): { readonly username: string; readonly uid: number; readonly homedir: string } {
  try {
    return userInfo();
  } catch {
    const uid = process.getuid?.() ?? 0;
    return { username: process.env['USER'] ?? String(uid), uid, homedir: homedir() };
  }
}
