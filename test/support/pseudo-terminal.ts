/** A program in a pseudo-terminal, seen through a headless terminal. */
import { type IPty, spawn } from '@lydell/node-pty';
import { openScreen, type Screen } from '../app/prompt/screen.ts';

export interface PseudoTerminal {
  readonly screen: Screen;
  readonly pty: IPty;
  type(text: string): void;
  /** Waits until all rows, those scrolled away included, satisfy a condition, and gives them. */
  until(condition: (rows: readonly string[]) => boolean): Promise<readonly string[]>;
  /** Waits until the last row is this. */
  endsWith(row: string): Promise<readonly string[]>;
  readonly exited: Promise<{ readonly exitCode: number; readonly signal?: number | undefined }>;
  kill(): void;
}

export interface PseudoTerminalOptions {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  readonly columns?: number;
  readonly rows?: number;
  /** How long a condition may take, in milliseconds. */
  readonly patienceMs?: number;
}

const PATIENCE_MS = 15_000;

export function openPseudoTerminal(
  file: string,
  args: readonly string[],
  { cwd, env, columns = 100, rows = 24, patienceMs = PATIENCE_MS }: PseudoTerminalOptions,
): PseudoTerminal {
  const screen = openScreen(columns, rows);
  const name = 'xterm-256color';
  const pty = spawn(file, [...args], { cols: columns, rows, cwd, name, env: { ...env, TERM: name } });
  let alive = true;
  pty.onData((data) => void screen.write(data));
  screen.onData((answer) => alive && pty.write(answer));
  const exited = new Promise<{ exitCode: number; signal?: number | undefined }>((done) =>
    pty.onExit((status) => {
      alive = false;
      done(status);
    }),
  );
  const until = async (condition: (rows: readonly string[]) => boolean): Promise<readonly string[]> => {
    for (const deadline = Date.now() + patienceMs; ; ) {
      await screen.write('');
      if (condition(screen.scrollback())) return screen.scrollback();
      if (Date.now() > deadline) throw new Error(`the screen stays at:\n${screen.scrollback().join('\n')}`);
      await new Promise((later) => setTimeout(later, 15));
    }
  };
  return {
    screen,
    pty,
    type: (text) => pty.write(text),
    until,
    endsWith: (row) => until((shown) => shown.at(-1) === row),
    exited,
    kill: () => alive && pty.kill('SIGKILL'),
  };
}
