/** What the screen is opened with. */
import type { EngineClient } from '../../engine/client.ts';
import type { History } from '../prompt/history.ts';
import type { ProcessHost, TerminalInput, TerminalOutput } from '../prompt/terminal-mode.ts';
import type { ScreenConfig } from './config.ts';
import type { App, OverlayPart, PromptPart, ScrollbackPart } from './contract.ts';

/** What makes the parts beside the panes. */
export interface Parts {
  readonly prompt: (app: App) => PromptPart;
  readonly scrollback: (app: App) => ScrollbackPart;
  readonly palette: (app: App) => OverlayPart;
}

export interface HostOptions {
  readonly engine: EngineClient;
  readonly history: History;
  readonly config: ScreenConfig;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly input: TerminalInput;
  readonly output: TerminalOutput;
  readonly process: ProcessHost;
  readonly parts: Parts;
  readonly recording: string | undefined;
  /** The session is for the recording's lesson. */
  readonly lesson?: boolean;
}
