/** A headless terminal as the oracle of what escape sequences do. */
import headless from '@xterm/headless';

export interface Screen {
  write(data: string): Promise<void>;
  resize(columns: number, rows: number): void;
  /** Rows from the top of the visible screen, blanks and empty rows at the end dropped. */
  rows(): string[];
  /** All rows, those scrolled away included. */
  scrollback(): string[];
  readonly cursor: { row: number; column: number };
  readonly isCursorHidden: boolean;
  readonly isPasteBracketed: boolean;
  /** The answers that the terminal itself sends. */
  onData(listener: (data: string) => void): void;
}

export function openScreen(columns: number, rows: number): Screen {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 1000, allowProposedApi: true });
  let hidden = false;
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'l' }, (params) => {
    if (params.includes(25)) hidden = true;
    return false;
  });
  terminal.parser.registerCsiHandler({ prefix: '?', final: 'h' }, (params) => {
    if (params.includes(25)) hidden = false;
    return false;
  });
  const lines = (from: number): string[] => {
    const buffer = terminal.buffer.active;
    const text = Array.from(
      { length: buffer.length - from },
      (_, i) =>
        buffer
          .getLine(from + i)
          ?.translateToString(true)
          .trimEnd() ?? '',
    );
    while (text.at(-1) === '') text.pop();
    return text;
  };
  return {
    write: (data) => new Promise((done) => terminal.write(data, done)),
    resize: (width, height) => terminal.resize(width, height),
    rows: () => lines(terminal.buffer.active.baseY),
    scrollback: () => lines(0),
    get cursor() {
      return { row: terminal.buffer.active.cursorY, column: terminal.buffer.active.cursorX };
    },
    get isCursorHidden() {
      return hidden;
    },
    get isPasteBracketed() {
      return terminal.modes.bracketedPasteMode;
    },
    onData: (listener) => void terminal.onData(listener),
  };
}
