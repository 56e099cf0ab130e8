/**
 * What ended a connection, in words.
 */
import { serverText } from './server-text.ts';
import type { SshSettings } from './settings.ts';

const WORD_MAX = 300;

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EPIPE: 'the connection was closed',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'its network cannot be reached',
  ETIMEDOUT: 'the connection timed out',
  EADDRNOTAVAIL: 'the address to connect from is not one of this machine',
};

/** A failed system call. */
export function wordsOf(error: NodeJS.ErrnoException): string {
  return WORDS[error.code ?? ''] ?? error.message;
}

/** An error that ssh2 emits, or undefined for one after which the connection goes on. */
export function protocolWords(
  error: Error & { readonly level?: string; readonly code?: unknown },
  settings: SshSettings,
): string | undefined {
  // A key that could not sign: the next try goes on.
  if (error.level === 'agent' || error.level === 'client-authentication') return undefined;
  if (error.level === 'client-socket') return wordsOf(error as NodeJS.ErrnoException);
  if (error.level === 'client-timeout') {
    const { intervalMs, countMax } = settings.serverAlive;
    return `the server did not answer for ${(intervalMs * countMax) / 1000} s`;
  }
  if (error.message === 'Connection lost before handshake') return 'the connection was closed before a server spoke';
  const said = serverText(error.message, WORD_MAX).replace(/^Inbound: /, 'the server broke the protocol: ');
  // A number is the reason of an SSH_MSG_DISCONNECT (RFC 4253, 11.1); the text is the server's.
  return typeof error.code === 'number' ? `the server said: ${said}` : said;
}
