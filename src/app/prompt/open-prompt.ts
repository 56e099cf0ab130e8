/**
 * Opens the prompt that fits: on a terminal an editor (terminal.ts), on a dumb terminal or a pipe lines as they come
 * (plain.ts).
 */
import { stdin, stdout } from 'node:process';
import { memoryHistory } from './history.ts';
import { DEFAULT_KEYMAP } from './keymap.ts';
import { PlainPrompt } from './plain.ts';
import type { Prompt, PromptOptions, PromptSetting } from './prompt.ts';
import { TerminalPrompt } from './terminal.ts';

/** Opens the prompt. A terminal is in raw mode from here on, so that nothing typed ahead is lost or echoed. */
export function openPrompt(options: PromptOptions = {}): Prompt {
  const setting: PromptSetting = {
    input: options.input ?? stdin,
    output: options.output ?? stdout,
    env: options.env ?? process.env,
    host: options.host ?? process,
    history: options.history ?? memoryHistory(),
    keymap: options.keymap ?? DEFAULT_KEYMAP,
    colour: options.colour ?? ((options.env ?? process.env)['NO_COLOR'] ?? '') === '',
    onInterrupt: options.onInterrupt ?? (() => {}),
  };
  const { input, output, env } = setting;
  const edits = input.isTTY === true && output.isTTY === true && input.setRawMode !== undefined;
  return edits && env['TERM'] !== 'dumb' ? new TerminalPrompt(setting) : new PlainPrompt(setting);
}
