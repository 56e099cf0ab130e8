import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asciicast } from '../../../src/core/command/export-asciicast.ts';
import { markdown } from '../../../src/core/command/export-markdown.ts';
import type { RecordedLine, RecordedSession } from '../../../src/core/command/recorded-session.ts';

interface Typed {
  readonly line: Partial<RecordedLine>;
  readonly output?: readonly string[];
}

function sessionOf(typed: readonly Typed[]): RecordedSession {
  return {
    target: 'ssh:web7',
    release: '6.1.0',
    created: Date.UTC(2026, 10, 21, 6, 4),
    lines: typed.map(({ line, output }) => ({
      kind: 'command',
      text: 'ps',
      at: 0,
      ms: 10,
      status: 0,
      printed: output?.length ?? 0,
      ...line,
    })),
    position: undefined,
    goTo: () => undefined,
    answerAs: () => undefined,
    output: (index) => typed[index]?.output,
    redact: () => {
      throw new Error('an export does not redact');
    },
  };
}

function events(session: RecordedSession): readonly [number, string, string][] {
  const [, ...lines] = [...asciicast(session, 100)].join('').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as [number, string, string]);
}

describe('an asciicast', () => {
  const session = sessionOf([
    { line: { kind: 'note', text: 'who?', at: 5000 } },
    { line: { text: 'ps UN', at: 20_000 }, output: ['PID', 'a\tb\u001b[2J'] },
    { line: { text: 'bt', at: 20_001, status: undefined, ms: undefined } },
  ]);

  test('tells its terminal and when it was', () => {
    const header = JSON.parse([...asciicast(session, 100)][0] as string);
    expect(header).toMatchObject({
      version: 2,
      width: 100,
      timestamp: 1795241040,
      title: 'kdbg on ssh:web7, Linux 6.1.0',
    });
  });

  test('shows what a terminal showed, and no control character of the target', () => {
    const text = events(session)
      .map(([, , each]) => each)
      .join('')
      .replaceAll('\u001b[2m', '')
      .replaceAll('\u001b[0m', '');
    expect(text).toBe(
      'kdbg> # who?\r\nkdbg> ps UN\r\nPID\r\na\tb\\x1b[2J\r\nkdbg> bt\r\n(its output was not recorded)\r\nkdbg> \r\n',
    );
  });

  test('keeps the pace of the session, and leaves time to read', () => {
    const at = (text: string): number => events(session).find(([, , each]) => each.startsWith(text))?.[0] as number;
    expect(at('PID') - at('#')).toBeCloseTo(15, 0);
    expect(at('(its') - at('PID')).toBeGreaterThan(0.6);
  });

  test('times never go back', () => {
    const lines = fc.array(
      fc.record({
        line: fc.record({ at: fc.double({ min: 0, max: 1e9, noNaN: true }), ms: fc.nat(100_000), text: fc.string() }),
        output: fc.array(fc.string(), { maxLength: 5 }),
      }),
      { maxLength: 20 },
    );
    fc.assert(
      fc.property(lines, (typed) => {
        const times = events(sessionOf(typed)).map(([at]) => at);
        expect(times).toEqual([...times].sort((a, b) => a - b));
      }),
      { numRuns: 200 },
    );
  });
});

test('Markdown has the notes as text and each command with its output', () => {
  const session = sessionOf([
    { line: { kind: 'note', text: 'look at `*this*` <b>' } },
    { line: { text: 'rd x', at: 61_500 }, output: ['```', 'end  '] },
    { line: { text: 'boom', at: 62_000, status: 1 }, output: [] },
  ]);
  expect([...markdown(session)].join('')).toBe(`# ssh:web7, Linux 6.1.0

3 lines of a session with kdbg, begun 2026-11-21 06:04 UTC.

look at \\\`\\*this\\*\\\` \\<b\\>

\`\`\`\`text
kdbg> rd x
\`\`\`
end
\`\`\`\`
<sub>2, at 1:01.5</sub>

\`\`\`text
kdbg> boom
\`\`\`
<sub>3, at 1:02.0, status 1</sub>
`);
});

test('no text of the target ends a block of Markdown', () => {
  fc.assert(
    fc.property(fc.array(fc.stringMatching(/^[ `~a\n]*$/), { maxLength: 6 }), (output) => {
      const text = [...markdown(sessionOf([{ line: {}, output }]))].join('');
      const [, fence = ''] = /^(`{3,})text$/m.exec(text) ?? [];
      const inner = text.slice(text.indexOf(`${fence}text\n`) + fence.length + 5);
      const end = inner.search(new RegExp(`^ *${fence}`, 'm'));
      expect(inner.slice(end)).toMatch(new RegExp(`^${fence}\n<sub>1, at 0:00.0</sub>\n$`));
    }),
    { numRuns: 300 },
  );
});
