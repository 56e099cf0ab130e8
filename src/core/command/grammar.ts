/**
 * The grammar of a command line: statements separated by `;` or newlines; each a pipeline of kdbg commands, with its
 * arguments from a file and its output to a file or to the user's shell. As in crash `|` (or `!`) hands the rest of the
 * statement to the shell; beyond crash, `|` before a kdbg command that takes input is a typed pipe.
 *
 * Nothing here touches a target: text from a target never becomes part of a shell line.
 */
import { UsageError } from '../errors.ts';
import { parsePipeline } from './pipeline.ts';
import { firstName, isBlank, isOutside, LINE_LENGTH_MAX, nest, newNesting } from './words.ts';

/** One kdbg command of a pipeline: its text and where that stands in the statement. */
export interface Stage {
  readonly text: string;
  readonly column: number;
}

/** One statement's text, with the line of the text (1-based) that it begins in. */
export interface StatementText {
  readonly text: string;
  readonly line: number;
}

/** Where the output goes when not to the screen. */
export type Sink =
  | { readonly kind: 'shell'; readonly command: string }
  | { readonly kind: 'file'; readonly path: string; readonly append: boolean };

export type Statement =
  | {
      readonly kind: 'pipeline';
      /** The statement with its aliases replaced: what the columns of its stages and errors count in. */
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
  /** The text with the alias that it begins with replaced: an alias may hold a whole line. */
  readonly expand: (text: string) => string;
}

/** An alias may hold statements that begin with aliases; one that leads back to itself ends here. */
const ALIAS_DEPTH_MAX = 16;
const STATEMENTS_MAX = 10_000;

/** Parses a whole line. Throws UsageError for the first statement that is malformed. */
export function parseLine(line: string, vocabulary: Vocabulary): readonly Statement[] {
  return splitStatements(line).flatMap(({ text }) => parseStatement(text, vocabulary));
}

/**
 * Splits at `;` and newlines outside quotes and parentheses. A quote ends with its line at the latest. A line that
 * begins as a command of the shell keeps its semicolons, and so does a comment.
 */
export function splitStatements(text: string): readonly StatementText[] {
  const parts: StatementText[] = [];
  for (const [i, line] of text.split('\n').entries()) {
    if (line.length > LINE_LENGTH_MAX) throw new UsageError(`a command line has at most ${LINE_LENGTH_MAX} characters`);
    for (const part of splitAtSemicolons(line)) if (part !== '') parts.push({ text: part, line: i + 1 });
  }
  return parts;
}

function splitAtSemicolons(line: string): readonly string[] {
  const parts: string[] = [];
  let state = newNesting();
  let start = 0;
  let begun = false;
  for (let at = 0; at < line.length; at++) {
    const character = line[at] as string;
    if (isOutside(state) && character === ';') {
      parts.push(line.slice(start, at).trim());
      state = newNesting();
      start = at + 1;
      begun = false;
      continue;
    }
    if (!begun && !isBlank(character)) {
      begun = true;
      if (/^(?:[!|#]|\/\/)/.test(line.slice(at, at + 2))) break;
    }
    nest(state, character);
  }
  return [...parts, line.slice(start).trim()];
}

/** Parses one statement. There are several when it begins with an alias of several, none when it is a comment. */
export function parseStatement(statement: string, vocabulary: Vocabulary, depth = 0): readonly Statement[] {
  const text = statement.trim();
  if (text === '' || text.startsWith('#') || text.startsWith('//')) return [];
  if (text.startsWith('!') || text.startsWith('|')) {
    return [{ kind: 'shell', source: text, command: text.slice(1).trim() }];
  }
  if (text.startsWith('<')) {
    const path = unquoted(text.slice(1).trim());
    if (path === '') throw new UsageError('"<" wants a file', { source: text, column: text.length });
    return [{ kind: 'source', source: text, path }];
  }
  const expanded = text.startsWith('\\') ? text : vocabulary.expand(text);
  if (expanded === text) return [parsePipeline(text, vocabulary)];
  if (depth >= ALIAS_DEPTH_MAX) throw new UsageError(`the alias ${firstName(text)} leads back to itself`);
  const statements = splitStatements(expanded).flatMap((part) => parseStatement(part.text, vocabulary, depth + 1));
  if (statements.length > STATEMENTS_MAX) throw new UsageError('the aliases stand for too many statements');
  return statements;
}

/** A file's name without the quotes around it. */
function unquoted(name: string): string {
  return /^(['"])(.*)\1$/s.exec(name)?.[2] ?? name;
}
