/** The user's clipboard, by way of the terminal: OSC 52. */

/** More than this is dropped by terminals (tmux takes 74,994 bytes of base64). */
export const CLIPBOARD_MAX = 56_000;

/** The sequence that asks the terminal to take a text. */
export function clipboardSequence(text: string): string {
  return `\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`;
}
