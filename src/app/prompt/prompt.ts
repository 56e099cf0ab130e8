/**
 * The prompt that the line REPL talks to: asks for lines and secrets, prints beside them. `openPrompt` (open-prompt.ts)
 * opens one.
 */
import type { Complaint, Completion } from './editor-state.ts';
import type { History } from './history.ts';
import type { Keymap } from './keymap.ts';
import type { ProcessHost, TerminalInput, TerminalOutput } from './terminal-mode.ts';

/** What a line prompt may ask its owner. */
export interface LineHelp {
  /** Candidates for the word at the cursor. A rejection is shown, not thrown. */
  readonly complete?: (line: string, cursor: number, signal: AbortSignal) => Promise<Completion>;
  /** What is wrong with a line, before it is accepted. Enter on the unchanged line accepts it all the same. */
  readonly check?: (line: string) => Complaint | undefined | Promise<Complaint | undefined>;
  /** What to print above the prompt for the help key. */
  readonly explain?: (line: string, cursor: number) => string | undefined | Promise<string | undefined>;
  /** Text that stands in the line at first. */
  readonly initial?: string;
  /** False: the line does not enter the history. */
  readonly remember?: boolean;
}

export interface Prompt {
  /** The next line without its line end, or undefined at the end of input (Ctrl-D on an empty line). */
  readLine(prompt: string, help?: LineHelp): Promise<string | undefined>;
  /** A line that is not shown, or undefined when it was cancelled. Keys typed before it was asked for do not count. */
  readSecret(prompt: string): Promise<string | undefined>;
  /** The answer to a question: shown as it is typed, but as little remembered as a secret. Ctrl-C leaves it. */
  readAnswer(prompt: string): Promise<string | undefined>;
  /** Prints text of kdbg's own, above the line that is being edited if there is one. */
  print(text: string): void;
  /** Gives the terminal to someone else, a pager or a shell command, while `work` runs. */
  lend<T>(work: () => Promise<T> | T): Promise<T>;
  /** Restores the terminal and lets go of the input. A line that is being read ends as undefined. */
  close(): void;
}

export interface PromptOptions {
  readonly input?: TerminalInput;
  readonly output?: TerminalOutput;
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly host?: ProcessHost;
  readonly history?: History;
  readonly keymap?: Keymap;
  /** Whether to use colours; by default unless NO_COLOR is set. Bold, dim, underline and reverse are always used. */
  readonly colour?: boolean;
  /** Ctrl-C while no line is being read. */
  readonly onInterrupt?: () => void;
}

/** Options with their defaults. */
export type PromptSetting = Required<PromptOptions>;
