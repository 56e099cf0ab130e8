/**
 * A recorded session as Markdown, to go on writing from: notes are paragraphs, each command is a block with what it
 * printed.
 */
import { escapeControls } from '../output/escape.ts';
import { type RecordedSession, recordedTime } from './recorded-session.ts';

/** The file's text, piece by piece. */
export function* markdown(session: RecordedSession): Iterable<string> {
  const { created, target, release, lines } = session;
  const when = created === undefined ? undefined : new Date(created).toISOString().slice(0, 16).replace('T', ' ');
  yield `# ${plain(target)}${release === undefined ? '' : `, Linux ${plain(release)}`}\n\n`;
  yield `${lines.length} lines of a session with kdbg${when === undefined ? '' : `, begun ${when} UTC`}.\n`;
  for (const [i, line] of lines.entries()) {
    if (line.kind === 'note') {
      yield `\n${plain(line.text)}\n`;
      continue;
    }
    const output = session.output(i) ?? ['(its output was not recorded)'];
    const rows = [`kdbg> ${line.text}`, ...output].map((row) => row.split('\t').map(escapeControls).join('\t'));
    const fence = fenceFor(rows);
    const failed = line.status === 0 ? '' : line.status === undefined ? ', did not end' : `, status ${line.status}`;
    yield `\n${fence}text\n${rows.map((row) => `${row.trimEnd()}\n`).join('')}${fence}\n`;
    yield `<sub>${i + 1}, at ${recordedTime(line.at)}${failed}</sub>\n`;
  }
}

/** More backticks than any line begins with: no output ends its own block. */
function fenceFor(rows: readonly string[]): string {
  const longest = rows.reduce((most, row) => Math.max(most, /^\s*(`+)/.exec(row)?.[1]?.length ?? 0), 2);
  return '`'.repeat(longest + 1);
}

/** Text that Markdown and HTML take for text. */
function plain(text: string): string {
  return escapeControls(text).replace(/[\\`*_{}[\]<>#|&~]/g, (character) => `\\${character}`);
}
