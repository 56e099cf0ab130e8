/**
 * Logging in, in ssh's order: keys, then questions of the server (keyboard-interactive), then a password. It is one
 * generator: it yields what to try next and is told what the server still allows.
 *
 * Every key is tried as ssh2's "agent with one key": a server is first asked whether it takes the key, and only then
 * is it signed with, which may wait for a passphrase. ssh2 does not tell what the server allows after such a try; it
 * only changes where a key was one of several steps, so the question is put again ("none") after a signature.
 *
 * The first key goes out before it is known what the server allows: where it is the right one, that is a round trip less.
 */
import type { AgentAuthMethod, AnyAuthMethod, BaseAgent, ParsedKey, SignCallback } from 'ssh2';
import type { OpenError } from '../../core/errors.ts';
import type { Ask } from '../remote/question.ts';
import type { Candidate, Identities, Identity } from './identities.ts';
import type { Ssh2 } from './library.ts';
import { loginFailure } from './login-failure.ts';
import { serverLines, serverText } from './server-text.ts';
import type { AuthenticationMethod, SshSettings } from './settings.ts';

/** What the server said to the last try: the methods that it still takes; undefined: it did not say. */
export type Allowed = readonly string[] | undefined;

export interface LoginOptions {
  readonly settings: SshSettings;
  readonly identities: Identities;
  /** False: the host's key is not sure, so nothing is typed for it. */
  readonly mayAsk: boolean;
  readonly ask: Ask;
  /** Around what may wait for the user: the time does not count. */
  readonly during: <T>(work: () => Promise<T>) => Promise<T>;
  /** Text that the server sent before: shown above the first question. */
  readonly banner: () => string;
  /** Told when the server's questions are not answered any more; nothing else follows. */
  readonly giveUp: (error: OpenError) => void;
}

const PROMPTS_MAX = 16;
const ROUNDS_MAX = 20;
const PROMPT_MAX = 200;
const TEXT_MAX = 2000;

interface ServerPrompt {
  readonly prompt: string;
  readonly echo?: boolean;
}

interface KeyAttempt {
  readonly method: AgentAuthMethod;
  /** The server took the key and it has signed. */
  hasSigned(): boolean;
  /** The server took the key and it could not sign. */
  hasFailed(): boolean;
}

export class Login {
  readonly #ssh2: Ssh2;
  readonly #options: LoginOptions;
  readonly #tried: string[] = [];
  readonly #answers = new Map<AuthenticationMethod, number>();
  /** Undefined: the server was not asked yet. */
  #allowed: readonly string[] | undefined;
  #isLeft = false;
  #hasShownBanner = false;

  constructor(ssh2: Ssh2, options: LoginOptions) {
    this.#ssh2 = ssh2;
    this.#options = options;
  }

  /** Ends when nothing is left to try. `return()` it on success: secrets are wiped. */
  async *attempts(): AsyncGenerator<AnyAuthMethod, void, Allowed> {
    const { settings, identities } = this.#options;
    const [first, ...others] = identities.candidates;
    const isEarly = settings.methods[0] === 'publickey' && first?.isShown === true;
    if (isEarly) yield* this.#key(first);
    if (this.#allowed === undefined) this.#allow(yield { type: 'none', username: settings.user });
    for (const method of settings.methods) {
      if (method === 'publickey') yield* this.#keys(isEarly ? others : identities.candidates);
      else if (method === 'keyboard-interactive') yield* this.#questions();
      else yield* this.#passwords();
    }
  }

  /** What was tried, what the server takes, and what to do. `why` is the server's last word, if any. */
  failure(why: string | undefined): OpenError {
    const { settings, identities } = this.#options;
    const { notes, candidates } = identities;
    return loginFailure(settings, why, {
      keys: this.#tried,
      answers: this.#answers,
      allowed: this.#allowed ?? [],
      isLeft: this.#isLeft,
      hasKeys: candidates.length > 0,
      notes,
    });
  }

  #allow(allowed: Allowed): void {
    if (allowed !== undefined) this.#allowed = allowed.slice(0, 20);
  }

  #takes(method: AuthenticationMethod): boolean {
    return this.#allowed?.includes(method) === true;
  }

  async *#keys(candidates: readonly Candidate[]): AsyncGenerator<AnyAuthMethod, void, Allowed> {
    for (const candidate of candidates) {
      if (!this.#takes('publickey')) return;
      yield* this.#key(candidate);
    }
  }

  async *#key(candidate: Candidate): AsyncGenerator<AnyAuthMethod, void, Allowed> {
    const identity = await this.#open(candidate);
    if (identity === undefined) return;
    const attempt = this.#keyAttempt(identity);
    this.#tried.push(identity.name);
    yield attempt.method;
    // The server took it, and would have let it in.
    if (attempt.hasFailed()) this.#tried.pop();
    if (attempt.hasSigned()) this.#allow(yield { type: 'none', username: this.#options.settings.user });
  }

  async #open(candidate: Candidate): Promise<Identity | undefined> {
    const identity = await candidate.open();
    const parsed = identity === undefined ? undefined : this.#ssh2.utils.parseKey(identity.publicKey);
    return parsed instanceof Error ? undefined : identity;
  }

  #keyAttempt(identity: Identity): KeyAttempt {
    const key = this.#ssh2.utils.parseKey(identity.publicKey) as ParsedKey;
    const { during, identities, giveUp } = this.#options;
    const failure = (why: string): OpenError => this.failure(why);
    let outcome: 'signed' | 'failed' | undefined;
    const { BaseAgent: Base } = this.#ssh2;
    class OneKey extends Base<ParsedKey> implements BaseAgent<ParsedKey> {
      override getIdentities(done: (error?: Error | null, keys?: ParsedKey[]) => void): void {
        done(null, [key]);
      }

      override sign(_key: ParsedKey, data: Buffer, options: unknown, done?: SignCallback): void {
        const answer = done ?? (options as SignCallback);
        const { hash } = options as { readonly hash?: string };
        during(() => identity.sign(data, hash))
          .then(
            (signature) => {
              outcome = signature === undefined ? 'failed' : 'signed';
              if (signature === undefined) answer(new Error('the key was not opened'));
              else answer(null, signature);
            },
            (error: Error) => {
              outcome = 'failed';
              identities.notes.push(`${identity.name}: ${serverText(error.message, PROMPT_MAX)}`);
              answer(error);
            },
          )
          // ssh2 throws at a signature that is none.
          .catch((error: Error) => giveUp(failure(serverText(error.message, PROMPT_MAX))));
      }
    }
    const method: AgentAuthMethod = { type: 'agent', username: this.#options.settings.user, agent: new OneKey() };
    return { method, hasSigned: () => outcome === 'signed', hasFailed: () => outcome === 'failed' };
  }

  async *#questions(): AsyncGenerator<AnyAuthMethod, void, Allowed> {
    const { settings, mayAsk } = this.#options;
    if (!mayAsk || settings.batchMode) return;
    for (let attempt = 0; attempt < settings.passwordPrompts; attempt++) {
      if (!this.#takes('keyboard-interactive') || this.#isLeft) return;
      let rounds = 0;
      let isFirst = attempt === 0;
      const prompt = (
        name: string,
        instructions: string,
        _language: string,
        prompts: readonly ServerPrompt[],
        finish: (answers: string[]) => void,
      ): void => {
        this.#count('keyboard-interactive', rounds === 0);
        if (++rounds > ROUNDS_MAX) {
          this.#options.giveUp(this.failure('the server does not stop asking'));
          return;
        }
        const asked = this.#answerAll(name, instructions, prompts, !isFirst);
        isFirst = true;
        asked
          .then((answers) => {
            if (answers === undefined) this.#options.giveUp(this.failure(undefined));
            else finish(answers);
          })
          .catch((error: Error) => this.#options.giveUp(this.failure(serverText(error.message, PROMPT_MAX))));
      };
      this.#allow(yield { type: 'keyboard-interactive', username: settings.user, prompt: prompt as never });
    }
  }

  /** Answers in the order of the prompts, or undefined when one was left. */
  async #answerAll(
    name: string,
    instructions: string,
    prompts: readonly ServerPrompt[],
    isAgain: boolean,
  ): Promise<string[] | undefined> {
    if (prompts.length > PROMPTS_MAX) throw new Error(`the server asks ${prompts.length} questions at once`);
    const answers: string[] = [];
    const lines = [
      ...(isAgain ? ['The answer was not taken.'] : []),
      ...serverLines(`${name}\n${instructions}`, TEXT_MAX, 20),
    ];
    for (const { prompt, echo } of prompts) {
      const kind = echo === true ? 'text' : 'secret';
      const answer = await this.#put(kind, serverText(prompt, PROMPT_MAX), answers.length === 0 ? lines : []);
      if (answer === undefined) return undefined;
      answers.push(answer);
    }
    return answers;
  }

  async *#passwords(): AsyncGenerator<AnyAuthMethod, void, Allowed> {
    const { settings, mayAsk } = this.#options;
    if (!mayAsk || settings.batchMode) return;
    for (let attempt = 0; attempt < settings.passwordPrompts; attempt++) {
      if (!this.#takes('password') || this.#isLeft) return;
      const answer = await this.#put('secret', 'Password:', attempt === 0 ? [] : ['The password was not taken.']);
      if (answer === undefined) return;
      this.#count('password', true);
      const password = Buffer.from(answer);
      try {
        // ssh2 takes bytes as well, which can be wiped.
        this.#allow(yield { type: 'password', username: settings.user, password: password as unknown as string });
      } finally {
        password.fill(0);
      }
    }
  }

  /** Says who asks: a server could pretend to be another prompt. Undefined: the question was left; none follows. */
  async #put(kind: 'secret' | 'text', prompt: string, lines: readonly string[]): Promise<string | undefined> {
    if (this.#isLeft) return undefined;
    const { settings, banner, ask } = this.#options;
    const before = this.#hasShownBanner ? [] : serverLines(banner(), TEXT_MAX, 40);
    this.#hasShownBanner = true;
    const who = `(${settings.user}@${settings.alias})`;
    const answer = await ask({ kind, lines: [...before, ...lines], prompt: `${who} ${prompt.trim()} ` });
    if (answer === undefined) this.#isLeft = true;
    return answer;
  }

  #count(method: AuthenticationMethod, isNew: boolean): void {
    if (isNew) this.#answers.set(method, (this.#answers.get(method) ?? 0) + 1);
  }
}
