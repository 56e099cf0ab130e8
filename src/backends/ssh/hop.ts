/**
 * One host that is logged in to: the target, or one on the way to it. ssh2 speaks the protocol; what it throws or
 * emits about a hostile server ends here, in words.
 */
import type { AnyAuthMethod, Client } from 'ssh2';
import { CancelledError, OpenError } from '../../core/errors.ts';
import type { Ask } from '../remote/question.ts';
import { protocolWords, wordsOf } from './failure-words.ts';
import { type HostKeyCheck, hostKeyCheck } from './host-key.ts';
import { gatherIdentities } from './identities.ts';
import type { Ssh2 } from './library.ts';
import { type Allowed, Login } from './login.ts';
import { Patience } from './patience.ts';
import { serverText } from './server-text.ts';
import type { SshSettings } from './settings.ts';
import type { Transport } from './transport.ts';

export interface Hop {
  readonly client: Client;
  readonly settings: SshSettings;
  readonly transport: Transport;
  /** Told once, with why, when the connection is gone; at once if it already is. */
  onLost(listener: (why: string) => void): void;
  close(): void;
}

export interface HopOptions {
  readonly settings: SshSettings;
  /** Files of -i, as the settings name them. */
  readonly given: readonly string[];
  readonly ask: Ask;
  /** What the user should know and need not answer. */
  readonly tell: (notice: string) => void;
  readonly signal: AbortSignal;
}

/** How long a server may be silent while the connection is made, questions to the user aside. */
const HANDSHAKE_MS = 30_000;
/** How often what comes is noted as a sign of life. */
const ALIVE_MS = 500;
const BANNER_MAX = 4000;
const PATH_MAX = 300;

/** Throws OpenError, CancelledError; closes the transport then. */
export async function openHop(ssh2: Ssh2, transport: Transport, options: HopOptions): Promise<Hop> {
  const connection = new Connection(ssh2, transport, options);
  try {
    return await connection.open();
  } catch (error) {
    connection.close();
    throw error;
  }
}

class Connection implements Hop {
  readonly client: Client;
  readonly settings: SshSettings;
  readonly transport: Transport;
  readonly #ssh2: Ssh2;
  readonly #options: HopOptions;
  readonly #listeners: ((why: string) => void)[] = [];
  #lost: string | undefined;
  /** The last that ssh2 told before the connection ended: it says more than the end itself. */
  #why: string | undefined;
  #banner = '';
  #isClosed = false;

  constructor(ssh2: Ssh2, transport: Transport, options: HopOptions) {
    this.client = new ssh2.Client();
    this.settings = options.settings;
    this.transport = transport;
    this.#ssh2 = ssh2;
    this.#options = options;
    // Listened to for as long as the object lives: an `error` nobody listens to would end the process.
    this.client.on('error', (error) => {
      const words = protocolWords(error, this.settings);
      if (words === undefined) return;
      this.#why ??= words;
      // ssh2 ends its half only, and would wait for a server that does not.
      this.#end();
    });
    this.client.on('banner', (text: string) => {
      this.#banner = (this.#banner + text).slice(0, BANNER_MAX);
    });
    this.client.on('close', () => this.#end());
    this.client.on('end', () => this.#end());
    transport.stream.on('error', (error) => {
      this.#why ??= wordsOf(error);
    });
    transport.stream.on('close', () => this.#end());
  }

  async open(): Promise<Hop> {
    const { settings, signal, tell } = this.#options;
    const patienceMs = settings.connectTimeoutMs ?? HANDSHAKE_MS;
    const patience = new Patience(patienceMs);
    const ask: Ask = (question) => patience.during(() => this.#options.ask(question));
    const check = hostKeyCheck(settings, ask, tell);
    const identities = settings.methods.includes('publickey')
      ? await gatherIdentities(
          this.#ssh2,
          { ...settings, files: settings.identityFiles, given: this.#options.given },
          (path, isAgain) => askPassphrase(settings.batchMode ? undefined : ask, path, isAgain),
        )
      : { candidates: [], notes: [] };
    let mayAsk = true;
    let login: Login | undefined;
    let abort: () => void = () => undefined;
    try {
      await new Promise<void>((resolve, reject) => {
        abort = () => reject(new CancelledError());
        signal.addEventListener('abort', abort);
        if (signal.aborted) abort();
        patience.onOver = () => reject(this.#failure(login, `no answer within ${patienceMs / 1000} s`));
        this.onLost((why) => reject(this.#failure(login, why)));
        this.client.on('ready', resolve);
        this.client.on('change password', () =>
          reject(
            new OpenError(
              `the password of ${settings.user} on ${settings.alias} has expired`,
              'log in with ssh once to change it',
            ),
          ),
        );
        let attempts: AsyncGenerator<AnyAuthMethod, void, Allowed> | undefined;
        this.client.on('ready', () => void attempts?.return());
        this.#connect(check, {
          onTrust: (trusted) => {
            mayAsk = trusted;
          },
          onFailure: reject,
          onAttempt: async (allowed) => {
            if (attempts === undefined) {
              login = new Login(this.#ssh2, {
                during: (work) => patience.during(work),
                settings,
                identities,
                mayAsk,
                ask,
                banner: () => this.#banner,
                giveUp: reject,
              });
              attempts = login.attempts();
            }
            const next = await attempts.next(allowed);
            if (next.done === true) throw login?.failure(undefined);
            return next.value;
          },
        });
      });
    } finally {
      patience.end();
      // ssh2 remembers the last key that it tried for as long as the connection lives.
      for (const candidate of identities.candidates) candidate.forget();
      signal.removeEventListener('abort', abort);
    }
    this.#stayAlive();
    return this;
  }

  onLost(listener: (why: string) => void): void {
    if (this.#lost !== undefined) listener(this.#lost);
    else this.#listeners.push(listener);
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#why ??= 'closed';
    try {
      this.client.end();
    } catch {
      // The protocol may be in a state in which it cannot even say goodbye.
    }
    this.transport.close();
    this.#end();
  }

  #connect(
    check: HostKeyCheck,
    on: {
      onTrust(isSure: boolean): void;
      onFailure(error: unknown): void;
      onAttempt(allowed: Allowed): Promise<AnyAuthMethod>;
    },
  ): void {
    const { settings, transport } = this;
    this.client.connect({
      sock: transport.stream,
      host: settings.host,
      username: settings.user,
      // The deadlines are kept here, where they can wait for the user.
      readyTimeout: 0,
      keepaliveInterval: settings.serverAlive.intervalMs,
      keepaliveCountMax: settings.serverAlive.countMax,
      algorithms: {
        serverHostKey: [...check.algorithms] as never,
        // A server that could compress could send a little that becomes a lot.
        compress: ['none'],
      },
      hostVerifier: (key: Buffer, done: (isTrusted: boolean) => void) => {
        const isTheSame = check.isTheSame(key);
        if (isTheSame !== undefined) return done(isTheSame);
        check
          .verify(key)
          .then(
            ({ isSure }) => {
              on.onTrust(isSure);
              done(true);
            },
            (error: unknown) => {
              on.onFailure(error);
              done(false);
            },
          )
          .catch(on.onFailure);
      },
      authHandler: (allowed: unknown, _isPartial: unknown, next: (attempt: AnyAuthMethod) => void) => {
        on.onAttempt(Array.isArray(allowed) ? (allowed as string[]) : undefined)
          .then(next)
          .catch(on.onFailure);
      },
    } as never);
  }

  /**
   * What comes at all tells that the server lives, as with ssh: ssh2 counts only answers to its own questions, which
   * wait behind megabytes on a slow link.
   */
  #stayAlive(): void {
    const client = this.client as Client & { readonly _resetKA?: () => void };
    let last = performance.now();
    this.transport.stream.on('data', () => {
      const now = performance.now();
      if (now - last < ALIVE_MS) return;
      last = now;
      client._resetKA?.();
    });
  }

  #failure(login: Login | undefined, why: string): Error {
    const { alias } = this.settings;
    if (login !== undefined) return login.failure(why);
    const hint = /no matching/i.test(why) ? `kdbg shell -- ssh ${alias} sh lets ssh connect` : undefined;
    return new OpenError(`cannot connect to ${alias}: ${why}`, hint);
  }

  #end(): void {
    if (this.#lost !== undefined) return;
    const explained = this.transport.explain();
    const why = this.#why ?? 'the server closed the connection';
    this.#lost = explained === '' ? why : `${why} (${explained})`;
    for (const listener of this.#listeners.splice(0)) listener(this.#lost);
    this.transport.close();
  }
}

async function askPassphrase(ask: Ask | undefined, path: string, isAgain: boolean): Promise<Buffer | undefined> {
  const lines = isAgain ? ['That is not the passphrase.'] : [];
  const answer = await ask?.({ kind: 'secret', lines, prompt: `Passphrase for ${serverText(path, PATH_MAX)}: ` });
  return answer === undefined ? undefined : Buffer.from(answer);
}
