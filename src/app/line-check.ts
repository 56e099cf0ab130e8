/**
 * What can be said of a line before it runs, without asking the engine: whether its form is right, and which command the
 * cursor is in.
 */
import { parseStatement, splitStatements } from '../core/command/grammar.ts';
import { splitWords } from '../core/command/words.ts';
import { UsageError } from '../core/errors.ts';
import type { Complaint } from './prompt/editor-state.ts';

/** What is wrong with the form of a line; whether its commands exist and take their arguments is the engine's to say. */
export function malformed(line: string): Complaint | undefined {
  try {
    for (const { text } of splitStatements(line)) {
      const place = line.indexOf(text);
      try {
        for (const statement of parseStatement(text, { takesInput: () => false, expand: (same) => same })) {
          if (statement.kind === 'pipeline') for (const stage of statement.stages) splitWords(stage.text, stage.column);
        }
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        return { column: error.column === undefined ? undefined : place + error.column, message: error.message };
      }
    }
  } catch (error) {
    if (error instanceof UsageError) return { column: error.column, message: error.message };
    throw error;
  }
  return undefined;
}

/** The command that a line ends in, as far as its name stands there: `bt` in `ps UN | bt -`. */
export function commandAt(before: string): string | undefined {
  return /(?:^|[|;\n])\s*\\?([A-Za-z_?][\w?.-]*|\*)[^|;\n]*$/.exec(before)?.[1];
}
