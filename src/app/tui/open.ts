/**
 * Opens the screen on an engine that is ready, and closes it again whatever happens. Loaded only when there is a
 * terminal for it: react and ink take 150 ms to load.
 */
import type { EngineClient } from '../../engine/client.ts';
import { LESSON_THERE } from '../lesson-standing.ts';
import { historyPath, openHistory } from '../prompt/history-file.ts';
import { configPath, readConfig } from './config.ts';
import { Host } from './host.ts';
import { openPalette } from './palette/palette-part.tsx';
import { openLinePart } from './prompt/line-part.tsx';
import { askOnScreen } from './question-overlay.tsx';
import { complaintLines } from './run-line.ts';
import { openScrollback } from './scrollback/scrollback-part.ts';

export interface TuiOptions {
  readonly version: string;
  /** The file that the session is recorded to. */
  readonly recording: string | undefined;
  /** The session is for the recording's lesson: its pane is shown first. */
  readonly lesson: boolean;
}

/** Runs the screen until it is left. Resolves to the exit status. Throws EngineDied. */
export async function runTui(engine: EngineClient, { version, recording, lesson }: TuiOptions): Promise<number> {
  const { env, stdin, stdout } = process;
  const troubles: string[] = [];
  const trouble = (message: string) => troubles.push(message);
  const host = new Host({
    engine,
    history: openHistory(historyPath(env), trouble),
    config: readConfig(configPath(env), trouble),
    env,
    input: stdin,
    output: stdout,
    process,
    parts: {
      prompt: openLinePart,
      scrollback: openScrollback,
      palette: openPalette,
    },
    recording,
    lesson,
  });
  try {
    const greeting = [
      `kdbg ${version} on ${engine.opened.name}`,
      'help lists the commands, F1 explains, Esc goes to the panes',
    ];
    if (engine.opened.hasLesson === true && !lesson) greeting.push(LESSON_THERE);
    host.scrollback.say(greeting.map((text) => [{ text, tone: 'dim' }]));
    for (const notice of engine.opened.notices) host.scrollback.say([[{ text: notice, tone: 'warn' }]]);
    host.scrollback.say([...host.troubles, ...troubles].flatMap((each) => complaintLines([each])));
    engine.ask = askOnScreen(host);
    host.start();
    return await host.ended;
  } finally {
    host.dispose();
  }
}
