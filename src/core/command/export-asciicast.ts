/**
 * A recorded session as an asciicast, for players of terminal recordings: asciicast v2, a line of JSON with the
 * terminal's size and then a line for each piece of output, `[seconds, "o", text]`. Times are those of the session, later
 * where nobody could have read that fast.
 * https://docs.asciinema.org/manual/asciicast/v2/
 */
import { escapeControls } from '../output/escape.ts';
import type { RecordedSession } from './recorded-session.ts';

/** A key every so often, as somebody types who knows what. */
const KEY_SECONDS = 0.04;
/** What a reader needs at least before the next line: a session that was pasted would be over at once. */
const READ_SECONDS = { least: 0.5, ofALine: 0.06, most: 2.5 } as const;
/** A line that does not fit the terminal is the player's to break; beyond this it is nobody's to read. */
const ROWS = 32;
/** Players skip pauses beyond this. */
const IDLE_SECONDS = 2;
/** Lines that appear at once. */
const LINES_PER_EVENT = 64;

const PROMPT = '\u001b[2mkdbg> \u001b[0m';

/** The file's text, piece by piece; `columns` is the width of the terminal. */
export function* asciicast(session: RecordedSession, columns: number): Iterable<string> {
  const { created, target, release, lines } = session;
  const start = (lines[0]?.at ?? 0) / 1000;
  const header = {
    version: 2,
    width: columns,
    height: ROWS,
    ...(created === undefined ? {} : { timestamp: Math.floor(created / 1000) }),
    idle_time_limit: IDLE_SECONDS,
    title: `kdbg on ${escapeControls(target)}${release === undefined ? '' : `, Linux ${escapeControls(release)}`}`,
    env: { TERM: 'xterm-256color' },
  };
  yield `${JSON.stringify(header)}\n`;
  // Times never go back, whatever a recording says.
  let now = 0;
  /** Seconds by which what comes is later than it was. */
  let late = 0;
  let reading = 0;
  const event = (at: number, text: string): string => {
    now = Math.max(now, at);
    return `${JSON.stringify([Number(now.toFixed(3)), 'o', text])}\n`;
  };
  yield event(0, PROMPT);
  for (const [i, line] of lines.entries()) {
    const keys = [...escapeControls(line.kind === 'note' ? `# ${line.text}` : line.text)];
    const begun = line.at / 1000 - start;
    const at = Math.max(begun + late, now + reading + keys.length * KEY_SECONDS);
    late = at - begun;
    for (const [k, key] of keys.entries()) yield event(at - (keys.length - k) * KEY_SECONDS, key);
    yield event(at, '\r\n');
    const end = at + (line.ms ?? 0) / 1000;
    const output = line.kind === 'note' ? [] : (session.output(i) ?? ['(its output was not recorded)']);
    reading = Math.min(READ_SECONDS.least + output.length * READ_SECONDS.ofALine, READ_SECONDS.most);
    for (let first = 0; first < output.length; first += LINES_PER_EVENT) {
      const rows = output.slice(first, first + LINES_PER_EVENT).map((row) => `${escapeRow(row)}\r\n`);
      yield event(end, rows.join(''));
    }
    yield event(end, PROMPT);
  }
  yield event(now + 1, '\r\n');
}

/** Tabs are layout. */
function escapeRow(row: string): string {
  return row.split('\t').map(escapeControls).join('\t');
}
