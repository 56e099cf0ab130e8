/**
 * The grammar of a command line: commands separated by `;` or newlines; each a pipeline of kdbg commands, with its
 * input from a file and its output to a file or to the user's shell. As in crash `|` (or `!`) hands the rest of the
 * line to the shell; beyond crash, `|` before a kdbg command that takes input is a typed pipe.
 *
 * Nothing here touches a target: text from a target never becomes part of a shell line.
 */
import { UsageError } from '../errors.ts';
import { isBlank, LINE_LENGTH_MAX, type Nesting, nest } from './words.ts';

/** One kdbg command of a pipeline: its text and where that stands in the line. */
export interface Stage {
  readonly text: string;
  readonly column: number;
}

/** Where the output goes when not to the screen. */
export type Sink =
  | { readonly kind: 'shell'; readonly command: string }
  | { readonly kind: 'file'; readonly path: string; readonly append: boolean };

export type Statement =
  | {
      readonly kind: 'pipeline';
      readonly source: string;
      readonly stages: readonly Stage[];
      readonly sink: Sink | undefined;
      /** `cmd < file` runs the command once for each line of the file, as its arguments. */
      readonly argumentFile: string | undefined;
    }
  /** `!ls` or a lone `!`: a command of the user's own shell; an empty one is a shell to work in. */
  | { readonly kind: 'shell'; readonly source: string; readonly command: string }
  /** `< file`: the file's lines are run. */
  | { readonly kind: 'source'; readonly source: string; readonly path: string };

/** What the grammar must know of the shell's commands. */
export interface Vocabulary {
  /** True for a kdbg command that a typed pipe can feed. */
  readonly takesInput: (name: string) => boolean;
  /** The statement with the alias that it begins with replaced: an alias may hold a whole pipeline. */
  readonly expand: (text: string) => string;
}

/** Parses a line (or several). Columns of stages and errors are those of the statement's `source`. */
export function parseLine(line: string, vocabulary: Vocabulary): readonly Statement[] {
  if (line.length > LINE_LENGTH_MAX) throw new UsageError(`a command line has at most ${LINE_LENGTH_MAX} characters`);
  const statements: Statement[] = [];
  for (const part of splitStatements(line)) {
    const statement = parseStatement(part, vocabulary);
    if (statement !== undefined) statements.push(statement);
  }
  return statements;
}

/** Splits at `;` and newlines outside quotes and parentheses; a shell command keeps its semicolons. */
function splitStatements(line: string): readonly Stage[] {
  const parts: Stage[] = [];
  const state: Nesting = { quote: '', depth: 0 };
  let start = 0;
  let shell = false;
  for (let at = 0; at <= line.length; at++) {
    const character = line[at];
    const outside = state.quote === '' && state.depth === 0;
    const newline = character === '\n';
    if (character === undefined || newline || (character === ';' && outside && !shell)) {
      parts.push({ text: line.slice(start, at), column: start });
      start = at + 1;
      shell = false;
      if (newline) Object.assign(state, { quote: '', depth: 0 });
      continue;
    }
    if (outside && character === '!' && line.slice(start, at).trim() === '') shell = true;
    nest(state, character);
  }
  return parts;
}

function parseStatement(part: Stage, vocabulary: Vocabulary): Statement | undefined {
  const { text } = trimStage(part);
  if (text === '' || text.startsWith('#') || text.startsWith('//')) return undefined;
  if (text.startsWith('!') || text.startsWith('|')) {
    return { kind: 'shell', source: text, command: text.slice(1).trim() };
  }
  if (text.startsWith('<')) {
    const path = text.slice(1).trim();
    if (path === '') throw new UsageError('"<" wants a file', { source: text, column: text.length });
    return { kind: 'source', source: text, path };
  }
  return parsePipeline(text.startsWith('\\') ? text : vocabulary.expand(text), vocabulary);
}

function parsePipeline(source: string, vocabulary: Vocabulary): Statement {
  const stages: Stage[] = [];
  const state: Nesting = { quote: '', depth: 0 };
  let start = 0;
  let sink: Sink | undefined;
  let argumentFile: string | undefined;
  let end = source.length;
  const stage = (to: number): void => {
    const trimmed = trimStage({ text: source.slice(start, to), column: start });
    if (trimmed.text === '') throw new UsageError('a command is missing here', { source, column: to });
    stages.push(trimmed);
  };
  for (let at = 0; at < end; at++) {
    const character = source[at] as string;
    if (state.quote === '' && state.depth === 0) {
      if (isPipe(source, at)) {
        const after = source.slice(at + 1);
        stage(at);
        if (character === '|' && vocabulary.takesInput(firstName(after))) {
          start = at + 1;
          continue;
        }
        const command = after.trim();
        if (command === '') throw new UsageError(`"${character}" wants a command`, { source, column: at });
        return { kind: 'pipeline', source, stages, sink: { kind: 'shell', command }, argumentFile };
      }
      if (isRedirect(source, at)) {
        const append = source[at + 1] === '>';
        sink = { kind: 'file', append, path: fileName(source, at + (append ? 2 : 1)) };
        end = at;
        break;
      }
      if (character === '<' && source[at + 1] !== '<' && source[at + 1] !== '=') {
        argumentFile = fileName(source, at + 1);
        end = at;
        break;
      }
    }
    nest(state, character);
  }
  stage(end);
  return { kind: 'pipeline', source, stages, sink, argumentFile };
}

/** `|` that is not `||`, and `!` after a blank that is not `!=`. */
function isPipe(text: string, at: number): boolean {
  const character = text[at];
  if (character === '|') return text[at + 1] !== '|' && text[at - 1] !== '|';
  return character === '!' && text[at + 1] !== '=' && at > 0 && isBlank(text[at - 1] as string);
}

/** `>` that is not part of `->` or `>=`. A comparison or shift wants parentheses around it. */
function isRedirect(text: string, at: number): boolean {
  return text[at] === '>' && text[at - 1] !== '-' && text[at + 1] !== '=';
}

function fileName(source: string, from: number): string {
  const name = source.slice(from).trim();
  const quoted = /^(['"])(.*)\1$/.exec(name)?.[2];
  if (quoted !== undefined && quoted !== '') return quoted;
  if (name === '') throw new UsageError('a file name is missing', { source, column: from });
  if (/\s/.test(name)) {
    throw new UsageError('one file name is wanted; quote it if it has blanks', { source, column: from });
  }
  return name;
}

/** The command name that a stage starts with. */
export function firstName(text: string): string {
  return /^\s*(\S+)/.exec(text)?.[1] ?? '';
}

function trimStage(part: Stage): Stage {
  const lead = part.text.length - part.text.trimStart().length;
  return { text: part.text.trim(), column: part.column + lead };
}
