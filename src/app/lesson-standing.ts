/**
 * Where the session's lesson stands, as its own command tells it.
 */
import type { EngineClient } from '../engine/client.ts';

/** What a session says at its beginning that could be for a lesson, and is not. */
export const LESSON_THERE = 'this recording has a lesson: "lesson" begins it';

export interface Standing {
  readonly step: number;
  readonly steps: number;
}

/** Undefined where there is no lesson. Throws EngineDied. */
export async function lessonStanding(engine: EngineClient): Promise<Standing | undefined> {
  let line = '{}';
  for await (const output of engine.run('lesson', { json: true, rc: false, pane: true })) {
    if (output.kind === 'json') line = output.line;
  }
  const { rows } = JSON.parse(line) as { readonly rows?: readonly Partial<Standing>[] };
  const { step, steps } = rows?.[0] ?? {};
  return typeof step === 'number' && typeof steps === 'number' ? { step, steps } : undefined;
}
