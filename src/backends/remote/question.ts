/**
 * What only the user can answer while a target is opened or regained: a passphrase, a password, whether a host key is
 * to be trusted. The I/O thread asks, the screen's thread shows the question in its own way. Answers are secrets: they
 * are never logged, recorded, or put into an error.
 */

export interface Question {
  /** A secret is typed without echo; a confirmation is typed in full ("yes"). */
  readonly kind: 'secret' | 'confirm' | 'text';
  /** What the user should read first; text from a server among it is already escaped. */
  readonly lines: readonly string[];
  /** "Passphrase for /home/mo/.ssh/id_ed25519: " */
  readonly prompt: string;
}

/** Asks the user. Resolves to undefined when the question was left (Ctrl-C, Ctrl-D) or nobody can answer (batch). */
export type Ask = (question: Question) => Promise<string | undefined>;
