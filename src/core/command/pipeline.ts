/**
 * One statement's pipeline: its stages, and what `<`, `>`, `>>`, `|` and `!` after them mean.
 */
import { UsageError } from '../errors.ts';
import type { Sink, Stage, Statement, Vocabulary } from './grammar.ts';
import { firstName, isBlank, isOutside, nest, newNesting } from './words.ts';

/** What a character outside quotes and parentheses does to the pipeline. */
export type Operator = 'pipe' | 'shell' | 'output' | 'input';

/**
 * The operator at this place: `|` that is not `||`, `!` after a blank that is not `!=`, `>` that is not part of `->` or
 * `>=`, `<` that is not part of `<<` or `<=`. A comparison or shift wants parentheses around it, as in crash.
 */
export function operatorAt(text: string, at: number): Operator | undefined {
  const before = text[at - 1];
  const after = text[at + 1];
  switch (text[at]) {
    case '|':
      return after === '|' || before === '|' ? undefined : 'pipe';
    case '!':
      return after !== '=' && before !== undefined && isBlank(before) ? 'shell' : undefined;
    case '>':
      return before === '-' || after === '=' ? undefined : 'output';
    case '<':
      return after === '<' || after === '=' || before === '<' ? undefined : 'input';
    default:
      return undefined;
  }
}

/** Parses the text of a statement that is neither the shell's nor a file's. Throws UsageError. */
export function parsePipeline(text: string, vocabulary: Vocabulary): Statement {
  let source = text;
  const stages: Stage[] = [];
  let start = 0;
  let state = newNesting();
  for (let at = 0; at < source.length; at++) {
    const operator = isOutside(state) ? operatorAt(source, at) : undefined;
    if (operator === undefined) {
      nest(state, source[at] as string);
      continue;
    }
    stages.push(stageOf(source, start, at));
    const fed = operator === 'pipe' ? fedStage(source.slice(at + 1), vocabulary) : undefined;
    if (fed === undefined) return { kind: 'pipeline', source, stages, ...redirections(source, at) };
    source = source.slice(0, at + 1) + fed;
    start = at + 1;
    state = newNesting();
  }
  stages.push(stageOf(source, start, source.length));
  return { kind: 'pipeline', source, stages, sink: undefined, argumentFile: undefined };
}

function stageOf(source: string, start: number, end: number): Stage {
  const text = source.slice(start, end);
  if (text.trim() === '') throw new UsageError('a command is missing here', { source, column: end });
  return { text: text.trim(), column: start + text.length - text.trimStart().length };
}

/** The text after a typed pipe with its alias replaced; undefined when what follows is the shell's. */
function fedStage(after: string, vocabulary: Vocabulary): string | undefined {
  const name = firstName(after);
  if (name.startsWith('\\')) return vocabulary.takesInput(name.slice(1)) ? after : undefined;
  const expanded = vocabulary.expand(after.trimStart());
  if (!vocabulary.takesInput(firstName(expanded))) return undefined;
  return expanded === after.trimStart() ? after : ` ${expanded}`;
}

interface Redirections {
  readonly sink: Sink | undefined;
  readonly argumentFile: string | undefined;
}

/** What stands after the last stage: `< FILE` and one place for the output, in any order. */
function redirections(source: string, from: number): Redirections {
  let sink: Sink | undefined;
  let argumentFile: string | undefined;
  for (let at = from; at < source.length; ) {
    if (isBlank(source[at] as string)) {
      at++;
      continue;
    }
    const operator = operatorAt(source, at);
    if (operator === undefined) {
      throw new UsageError('one file name is wanted; quote it if it has blanks', { source, column: at });
    }
    if (operator === 'input') {
      if (argumentFile !== undefined) throw new UsageError('the arguments come from one file', { source, column: at });
      const file = fileName(source, at + 1);
      argumentFile = file.path;
      at = file.end;
      continue;
    }
    if (sink !== undefined) throw new UsageError('the output goes to one place', { source, column: at });
    if (operator !== 'output') {
      const command = source.slice(at + 1).trim();
      if (command === '') throw new UsageError(`"${source[at]}" wants a command`, { source, column: at });
      if (command.startsWith('|')) {
        throw new UsageError('a command is missing here', { source, column: source.indexOf('|', at + 1) });
      }
      return { sink: { kind: 'shell', command }, argumentFile };
    }
    const append = source[at + 1] === '>';
    const file = fileName(source, at + (append ? 2 : 1));
    sink = { kind: 'file', append, path: file.path };
    at = file.end;
  }
  return { sink, argumentFile };
}

function fileName(source: string, from: number): { readonly path: string; readonly end: number } {
  const match = /^\s*(?:"([^"]+)"|'([^']+)'|([^\s|<>'"]+))/.exec(source.slice(from));
  const path = match?.[1] ?? match?.[2] ?? match?.[3];
  if (match === null || path === undefined) throw new UsageError('a file name is missing', { source, column: from });
  return { path, end: from + match[0].length };
}
