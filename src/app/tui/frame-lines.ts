/**
 * What stands below a frame once it is unfolded: the registers that its function held, as far as they are known, the words
 * that it has on the stack, with symbols named, and the instructions that led to where it stands.
 */
import { type Line, textOf } from '../../core/output/line.ts';
import type { App } from './contract.ts';
import { refIn } from './line-search.ts';

/** Instructions before the frame's program counter, and lines of its registers and words, that are shown. */
const CODE_LINES = 5;
const WORD_LINES = 10;
const INDENT = '      ';

/** The lines, or why there are none. `command` is the line that the stack came from. */
export function frameLines(app: App, line: Line, command: string | undefined): Promise<readonly Line[]> | string {
  const frame = refIn(line, 'frame');
  if (frame === undefined) return 'only frames of a stack unfold';
  if (command?.startsWith('bt') !== true) return 'only frames of bt unfold';
  return unfold(app, frame, pcOf(line));
}

/** `... at ffffffff81234567`: the program counter that the frame's line ends with. */
function pcOf(line: Line): string | undefined {
  return /\bat ([0-9a-f]{8,16})\b/.exec(textOf(line))?.[1];
}

async function unfold(
  app: App,
  frame: { readonly task: bigint; readonly index: number },
  pc: string | undefined,
): Promise<readonly Line[]> {
  const stack = await app.query(`bt -kF ${frame.task.toString(16)}`);
  const words = wordsOf(stack, frame.index);
  const code = pc === undefined ? [] : await app.query(`dis -r ${pc}`).catch((): readonly Line[] => []);
  return [
    ...words.slice(0, WORD_LINES).map(indented),
    ...(words.length > WORD_LINES
      ? [`${INDENT}... ${words.length - WORD_LINES} more: bt -kF ${frame.task.toString(16)}`]
      : []),
    ...code.slice(-CODE_LINES).map(indented),
  ];
}

/** The lines below the frame's own in `bt -kF`. */
function wordsOf(stack: readonly Line[], index: number): readonly Line[] {
  const start = stack.findIndex((each) => refIn(each, 'frame')?.index === index);
  if (start < 0) return [];
  const end = stack.findIndex((each, i) => i > start && refIn(each, 'frame') !== undefined);
  return stack.slice(start + 1, end < 0 ? undefined : end).filter((each) => /^\s/.test(textOf(each)));
}

function indented(line: Line): Line {
  return typeof line === 'string' ? `${INDENT}${line.trim()}` : [INDENT, ...trimmed(line)];
}

/** The spans without the blanks that the line begins with. */
function trimmed(spans: Exclude<Line, string>): Exclude<Line, string> {
  const [first, ...rest] = spans;
  return typeof first === 'string' ? [first.trimStart(), ...rest] : spans;
}
