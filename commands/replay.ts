/**
 * The session that is replayed, step by step.
 */
import { defineCommand, maybe, rest } from '../src/core/command/define.ts';
import { choice, count, text } from '../src/core/command/kinds.ts';
import {
  goTo,
  listed,
  placed,
  recordedSession,
  run,
  search,
  step,
  stepBack,
} from '../src/core/command/replay-steps.ts';
import { UsageError } from '../src/core/errors.ts';

const SPEED_MAX = 1000;

export default defineCommand({
  name: 'replay',
  group: 'shell',
  summary: 'go through the recorded session: step, run, search',
  description: [
    'Alone it lists what was typed in the session that is replayed, and when. "replay step" shows the next line with what it printed, "replay step 5" the next five, "replay prev" the one before; "replay run" shows all that follow at the pace at which they were typed (no pause is longer than two seconds), "replay run 4" four times as fast; Ctrl-C stops it there.',
    'goto stands at a line by its number, or at a time after the beginning (1:30, 12.5s). What you type then is answered from that moment: what a live kernel was like then, as far as it was read. "replay end" goes back to the end, where most is known.',
    'search finds a text in what was typed, printed and noted.',
  ],
  operands: {
    action: maybe(
      choice('list', 'step', 'prev', 'run', 'goto', 'end', 'search'),
      'ACTION',
      'list, step, prev, run, goto, end or search; list unless given',
    ),
    text: rest(text, '[N|SPEED|TIME|TEXT]', 'how many lines, how fast, where to, or what to find'),
  },
  examples: [
    { line: 'replay', shows: 'what was typed, and when' },
    { line: 'replay step', shows: 'the next line, and what it printed' },
    { line: 'replay goto 4', shows: 'stands at the fourth line' },
    { line: 'replay search lab_ba', shows: 'where this was typed or printed' },
  ],
  *run(scope, { action, text: given }) {
    const session = recordedSession(scope);
    switch (action ?? 'list') {
      case 'list':
        yield* listed(session);
        return;
      case 'step':
        yield* step(scope, session, given === '' ? 1 : count.parse(given, scope));
        return;
      case 'prev':
        yield* stepBack(scope, session, given === '' ? 1 : count.parse(given, scope));
        return;
      case 'run':
        yield* run(scope, session, speedOf(given));
        return;
      case 'goto':
        if (given === '') throw new UsageError('replay goto wants the number of a line, or a time');
        yield* goTo(session, given);
        return;
      case 'end':
        session.goTo(undefined);
        yield* placed(session);
        return;
      case 'search':
        if (given === '') throw new UsageError('replay search wants a text');
        yield* search(scope, session, given);
    }
  },
});

/** `4`, `4x`, `0.5`; the recorded pace unless given. */
function speedOf(given: string): number {
  if (given === '') return 1;
  const speed = /^(\d{1,4}(?:\.\d+)?)x?$/.exec(given)?.[1];
  if (speed === undefined || Number(speed) <= 0 || Number(speed) > SPEED_MAX) {
    throw new UsageError(`"${given}" is no speed: 2 is twice as fast, 0.5 half (${SPEED_MAX} at most)`);
  }
  return Number(speed);
}
