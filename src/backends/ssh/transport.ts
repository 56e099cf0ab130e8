/**
 * The byte stream that SSH is spoken over: a TCP connection, a ProxyCommand, or a tunnel through another host.
 */
import { lookup } from 'node:dns/promises';
import { connect as connectSocket, isIP, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { CancelledError, OpenError } from '../../core/errors.ts';
import { hostWithPort } from './destination.ts';
import { wordsOf } from './failure-words.ts';
import type { SshSettings } from './settings.ts';

export interface Transport {
  readonly stream: Duplex;
  /** What else is known of why it ended, "" if nothing: what a ProxyCommand wrote to its standard error. */
  explain(): string;
  /** Ends it and all that it started. */
  close(): void;
}

/** What one address gets where ConnectTimeout does not say. */
const CONNECT_MS = 20_000;
const ADDRESSES_MAX = 16;

/** Tries the host's addresses in turn, as ssh does. Throws OpenError, CancelledError. */
export async function openTcp(settings: SshSettings, signal: AbortSignal): Promise<Transport> {
  const place = hostWithPort(settings.host, settings.port);
  let why = 'it has no address';
  for (const address of await addresses(settings, signal)) {
    const outcome = await connectTo(address, settings, signal);
    if (typeof outcome !== 'string') return { stream: outcome, explain: () => '', close: () => outcome.destroy() };
    if (signal.aborted) throw new CancelledError();
    why = address === settings.host ? outcome : `${address}: ${outcome}`;
  }
  throw new OpenError(`cannot connect to ${settings.alias}: ${place === settings.alias ? '' : `${place}: `}${why}`);
}

async function addresses(settings: SshSettings, signal: AbortSignal): Promise<readonly string[]> {
  const { host, addressFamily } = settings;
  if (isIP(host.split('%')[0] as string) !== 0) return [host];
  const family = addressFamily === 'any' ? 0 : addressFamily === 'inet' ? 4 : 6;
  try {
    const found = await unlessAborted(lookup(host, { all: true, family, verbatim: true }), signal);
    return found.slice(0, ADDRESSES_MAX).map((entry) => entry.address);
  } catch (error) {
    if (error instanceof CancelledError) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    const why = code === 'ENOTFOUND' ? 'no host of this name is known' : `its name cannot be looked up: ${message}`;
    const named = host === settings.alias ? '' : ` (HostName ${host})`;
    throw new OpenError(`cannot connect to ${settings.alias}${named}: ${why}`);
  }
}

/** What cannot be stopped, like a look-up of a name, is not waited for. */
function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(new CancelledError());
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

/** The socket, or why not. */
function connectTo(address: string, settings: SshSettings, signal: AbortSignal): Promise<Socket | string> {
  const timeoutMs = settings.connectTimeoutMs ?? CONNECT_MS;
  return new Promise((resolve) => {
    const socket = connectSocket({
      host: address,
      port: settings.port,
      ...(settings.bindAddress === undefined ? {} : { localAddress: settings.bindAddress }),
    });
    const finish = (outcome: Socket | string): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      if (typeof outcome === 'string') socket.on('error', () => undefined).destroy();
      resolve(outcome);
    };
    const onError = (error: NodeJS.ErrnoException): void => finish(wordsOf(error));
    const onAbort = (): void => finish('interrupted');
    const timer = setTimeout(() => finish(`no answer within ${timeoutMs / 1000} s`), timeoutMs);
    socket.on('error', onError);
    socket.once('connect', () => {
      // A request waits for its answer: Nagle's algorithm would hold every small packet back for 40 ms.
      socket.setNoDelay(true);
      finish(socket);
    });
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
  });
}
