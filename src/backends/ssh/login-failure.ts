/**
 * Why nobody was let in: what was tried, what the server takes, what could not be used, and what to do.
 */
import { OpenError } from '../../core/errors.ts';
import { serverText } from './server-text.ts';
import type { AuthenticationMethod, SshSettings } from './settings.ts';

export interface LoginTries {
  /** The names of the keys. */
  readonly keys: readonly string[];
  /** How often the user answered. */
  readonly answers: ReadonlyMap<AuthenticationMethod, number>;
  /** What the server takes; empty: it did not say. */
  readonly allowed: readonly string[];
  /** A question was left without an answer. */
  readonly isLeft: boolean;
  readonly hasKeys: boolean;
  /** Keys that could not be used, and why. */
  readonly notes: readonly string[];
}

const NAME_MAX = 40;

/** `why` is the server's last word; undefined: it refused all that was tried. */
export function loginFailure(settings: SshSettings, why: string | undefined, tries: LoginTries): OpenError {
  const { allowed, isLeft, notes } = tries;
  const tried = [...tries.keys, ...answeredWords(tries)].join(', ');
  const parts = [
    `cannot log in to ${settings.alias} as ${settings.user}`,
    ...(why === undefined ? [] : [why]),
    tried === '' ? 'there was nothing to try' : `${why === undefined ? 'refused' : 'tried'}: ${tried}`,
    ...(allowed.length === 0
      ? []
      : [`the server takes ${allowed.map((name) => serverText(name, NAME_MAX)).join(', ')}`]),
    ...(isLeft ? ['a question was left without an answer'] : []),
    ...notes,
  ];
  return new OpenError(parts.join('; '), advice(settings, why, tries));
}

function answeredWords({ answers }: LoginTries): readonly string[] {
  return [...answers].map(([method, count]) => {
    const what = method === 'password' ? 'a password' : 'answers (keyboard-interactive)';
    return count === 1 ? what : `${what} ${count} times`;
  });
}

function advice(settings: SshSettings, why: string | undefined, tries: LoginTries): string | undefined {
  const { alias, user, methods } = settings;
  const { allowed, notes, hasKeys, isLeft } = tries;
  if (why !== undefined) {
    return /too many/i.test(why) ? 'name the right key with -i KEY, or set IdentitiesOnly yes' : undefined;
  }
  const takesOurs = allowed.length === 0 || methods.some((method) => allowed.includes(method));
  if (!takesOurs || notes.some((note) => note.includes('only ssh itself can use'))) {
    return `kdbg shell -- ssh ${alias} sh lets ssh log in`;
  }
  if (isLeft) return 'questions are put on the terminal; a key in the agent (ssh-add) needs none';
  if (!hasKeys) return 'give a key with -i KEY or add one to the agent (ssh-add)';
  if (user === 'root') return 'a host may forbid root to log in: log in as yourself, with --sudo';
  return `is ${user} the right user, and is one of these keys among its authorized_keys?`;
}
