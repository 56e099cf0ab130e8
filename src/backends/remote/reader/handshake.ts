/**
 * From a shell to a loader that waits for its program: sends the line of bootstrap.ts, looks for what it says among
 * whatever else comes, and answers sudo's question on the way.
 */
import { OpenError } from '../../../core/errors.ts';
import type { ByteChannel } from '../channel.ts';
import type { Ask } from '../question.ts';
import type { ReaderKind } from '../reader.ts';
import { type Bootstrap, type Found, found } from './bootstrap.ts';
import { Noise } from './noise.ts';

/** sudo gives up after as many itself. */
const PASSWORDS_MAX = 3;
/** The stream is searched for the marks in so much of its end. */
const SEARCHED_MAX = 16 * 1024;
/** A far side that says this much without a mark is no shell. */
const NOISE_MAX = 4 * 1024 * 1024;
/** A question of sudo's own words, where the host's login system does not use ours. */
const QUESTION = /[:?]\s*$/;
const QUESTION_MS = 2000;

export interface HandshakeOptions {
  readonly channel: ByteChannel;
  readonly bootstrap: Bootstrap;
  readonly forced: ReaderKind | undefined;
  readonly ask: Ask | undefined;
  readonly timeoutMs: number;
}

export interface Handshaken {
  readonly found: Found & { readonly kind: ReaderKind };
  /** What came behind the last mark. */
  readonly rest: Uint8Array;
}

export class Handshake {
  readonly noise = new Noise();
  readonly done: Promise<Handshaken>;
  readonly #options: HandshakeOptions;
  #resolve: (result: Handshaken) => void = () => undefined;
  #reject: (error: Error) => void = () => undefined;
  #buffer = '';
  #errors = '';
  #noiseBytes = 0;
  #found: Found | undefined;
  #asked = 0;
  #isAsking = false;
  #isOver = false;
  #isSaid = false;
  #timer: NodeJS.Timeout | undefined;
  #questionTimer: NodeJS.Timeout | undefined;

  constructor(options: HandshakeOptions) {
    this.#options = options;
    this.done = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    // Whoever awaits it may not do so yet.
    this.done.catch(() => undefined);
  }

  /** `isSaid`: the far side runs the line already. */
  begin(isSaid: boolean): void {
    this.#isSaid = isSaid;
    this.#await();
    if (!isSaid) this.#options.channel.write(Buffer.from(this.#options.bootstrap.line));
  }

  data(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#buffer += Buffer.from(bytes).toString('latin1');
    this.#noiseBytes += bytes.length;
    this.#step();
    if (!this.#isOver && this.#noiseBytes > NOISE_MAX) this.fail('it sends without end and is no shell');
  }

  errorData(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#errors = (this.#errors + Buffer.from(bytes).toString('latin1')).slice(-SEARCHED_MAX);
    const { ask } = this.#options.bootstrap;
    const at = this.#errors.lastIndexOf(ask);
    this.noise.add(Buffer.from(bytes).toString('utf8').replaceAll(ask, ''));
    if (at >= 0) {
      this.#errors = this.#errors.slice(at + ask.length);
      void this.#askPassword();
    } else this.#watchQuestion();
  }

  fail(why: string, hint?: string): void {
    this.#end();
    const { said } = this.noise;
    const { name } = this.#options.channel;
    const heard = said === '' ? '' : `; the far side said: ${said}`;
    this.#reject(new OpenError(`cannot start a reader on ${name}: ${why}${heard}`, hint));
  }

  abort(error: Error): void {
    this.#end();
    this.#reject(error);
  }

  #step(): void {
    const { bootstrap } = this.#options;
    if (this.#found === undefined) {
      const match = bootstrap.start.exec(this.#buffer);
      if (match === null) {
        this.#forget();
        return;
      }
      this.noise.add(this.#buffer.slice(0, match.index));
      this.#buffer = this.#buffer.slice(match.index + match[0].length);
      this.#found = found(match);
      this.#judge(this.#found);
      if (this.#isOver) return;
      this.#await();
    }
    const match = bootstrap.ready.exec(this.#buffer);
    if (match === null) {
      this.#searchPrompt();
      return;
    }
    const rest = Buffer.from(this.#buffer.slice(match.index + match[0].length), 'latin1');
    this.#end();
    this.#resolve({ found: this.#found as Handshaken['found'], rest });
  }

  /** What was found may be the end already. */
  #judge({ kind, terminal, sudo }: Found): void {
    if (sudo === 'none') {
      this.fail('there is no sudo there', 'log in as root, or without --sudo for what an ordinary user may see');
    } else if (kind === 'none') {
      const { forced } = this.#options;
      const missing =
        forced === undefined ? 'none of perl, python3, or sh with dd works there' : `${forced} does not work there`;
      this.fail(missing, forced === undefined ? undefined : 'leave out --reader to use what the host has');
    } else if (terminal === 'cooked') {
      this.fail(
        'it is a terminal that changes what passes, and stty cannot stop it',
        'use a command without a terminal: "ssh -T", "kubectl exec -i"',
      );
    }
  }

  /** On a terminal both outputs are one. */
  #searchPrompt(): void {
    const { ask } = this.#options.bootstrap;
    const at = this.#buffer.lastIndexOf(ask);
    if (at >= 0) {
      this.noise.add(this.#buffer.slice(0, at).replaceAll(ask, ''));
      this.#buffer = this.#buffer.slice(at + ask.length);
      void this.#askPassword();
      return;
    }
    this.#forget();
  }

  #forget(): void {
    if (this.#buffer.length <= SEARCHED_MAX) return;
    this.noise.add(this.#buffer.slice(0, -1024));
    this.#buffer = this.#buffer.slice(-1024);
  }

  /** sudo may ask in words of its own: after a while a line that looks like a question is taken for one. */
  #watchQuestion(): void {
    clearTimeout(this.#questionTimer);
    if (this.#found?.sudo !== 's' || !QUESTION.test(this.#errors)) return;
    this.#questionTimer = setTimeout(() => void this.#askPassword(), QUESTION_MS);
  }

  async #askPassword(): Promise<void> {
    if (this.#isAsking || this.#isOver) return;
    const { ask, channel } = this.#options;
    if (this.#asked >= PASSWORDS_MAX) return;
    clearTimeout(this.#timer);
    clearTimeout(this.#questionTimer);
    this.#isAsking = true;
    const lines = this.#asked++ === 0 ? [] : ['sudo did not accept that password.'];
    const answer = await ask?.({ kind: 'secret', lines, prompt: `Password for sudo on ${channel.name}: ` });
    this.#isAsking = false;
    if (this.#isOver) return;
    if (answer === undefined || /[\r\n\0]/.test(answer)) {
      this.fail(
        'sudo there wants a password and none was given',
        'a rule with NOPASSWD, or a login as root, needs none',
      );
      return;
    }
    this.noise.hide(answer);
    this.#errors = '';
    channel.write(Buffer.from(`${answer}\n`));
    this.#await();
  }

  /** The channel ended before the loader waited. */
  ended(why: string): void {
    if (this.#isOver) return;
    this.noise.add(this.#buffer);
    const { said } = this.noise;
    if (/must have a tty|no tty present/.test(said)) {
      this.fail('sudo there wants a terminal', '"Defaults !requiretty" for this user in sudoers, or a login as root');
    } else if (this.#asked > 0) this.fail('sudo there did not accept the password');
    else if (this.#found?.sudo === 's' || this.#found?.sudo === 'n') this.fail(`sudo there does not run it (${why})`);
    else if (this.#found !== undefined) this.fail(`${this.#found.kind} ended there (${why})`);
    else this.fail(`the shell ended (${why})`, 'the account may have no shell, or a start-up file of it may fail');
  }

  #await(): void {
    clearTimeout(this.#timer);
    const seconds = this.#options.timeoutMs / 1000;
    this.#timer = setTimeout(() => {
      this.noise.add(this.#buffer);
      if (this.#found === undefined)
        this.fail(
          `no shell answered within ${seconds} s`,
          this.#isSaid
            ? 'does the server run another command than it is asked to? "kdbg shell -- ssh HOST" uses what that gives'
            : 'the command must give a shell that reads its standard input: end it with "sh"',
        );
      else this.fail(`${this.#found.kind} there did not start within ${seconds} s`);
    }, this.#options.timeoutMs);
  }

  #end(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    clearTimeout(this.#questionTimer);
  }
}
