/** The names that complete an expression at a place, with what they are; at most as many as a menu takes. */

import { completeSymbol } from '../symbols/search.ts';
import { isTextType, type SymbolTable } from '../symbols/symbol-table.ts';
import { EXPRESSION_WORDS, type ExpressionCompletion, expressionCompletion } from './expression-completion.ts';
import type { ExpressionEnvironment } from './expression-environment.ts';
import { memberNamed, memberNames } from './member-path.ts';
import { typeName } from './type-name.ts';

export interface ExpressionCandidate {
  readonly text: string;
  /** What it is: a member's type, `symbol`, `struct`. */
  readonly detail: string;
}

export interface ExpressionCandidates {
  /** Where the text that a candidate replaces begins. */
  readonly start: number;
  readonly candidates: readonly ExpressionCandidate[];
}

/** Candidates at the cursor, those that begin with what is typed already, by name. */
export function expressionCandidates(
  text: string,
  cursor: number,
  environment: ExpressionEnvironment,
  limit: number,
): ExpressionCandidates {
  const completion = expressionCompletion(text, cursor, environment);
  if (completion === undefined) return { start: cursor, candidates: [] };
  const candidates: ExpressionCandidate[] = [];
  const seen = new Set<string>();
  for (const candidate of namesFor(completion, environment, limit)) {
    if (candidates.length >= limit) break;
    if (!candidate.text.startsWith(completion.prefix) || seen.has(candidate.text)) continue;
    seen.add(candidate.text);
    candidates.push(candidate);
  }
  return { start: completion.start, candidates };
}

function* namesFor(
  completion: ExpressionCompletion,
  environment: ExpressionEnvironment,
  limit: number,
): Generator<ExpressionCandidate> {
  switch (completion.kind) {
    case 'member':
      for (const name of memberNames(completion.type)) {
        if (!name.startsWith(completion.prefix)) continue;
        const member = memberNamed(completion.type, name)?.member;
        yield { text: name, detail: member === undefined ? '' : typeName(member.type) };
      }
      break;
    case 'type':
      yield* typeNames(environment, (namespace) => namespace === completion.namespace);
      break;
    case 'variable':
      for (const name of environment.variableNames?.() ?? []) yield { text: name, detail: 'variable' };
      break;
    case 'cpu':
      yield { text: 'all', detail: 'every CPU' };
      for (const cpu of environment.cpus) yield { text: String(cpu), detail: 'CPU' };
      break;
    case 'name':
      for (const word of EXPRESSION_WORDS) yield { text: word, detail: 'builtin' };
      if (completion.types) yield* typeNames(environment, (namespace) => namespace === 'typedef');
      // A symbol is one of hundreds of thousands: without a letter of it there is nothing to offer.
      if (completion.prefix !== '' && environment.symbols !== undefined) {
        yield* symbolCandidates(environment.symbols, completion.prefix, limit);
      }
  }
}

/** Symbols that begin so, each with what it is: `text`, `data [ext4]`. */
export function symbolCandidates(table: SymbolTable, prefix: string, limit: number): readonly ExpressionCandidate[] {
  return completeSymbol(table, prefix, limit).map((text) => {
    const symbol = table.find(text);
    const kind = symbol !== undefined && isTextType(symbol.type) ? 'text' : 'data';
    return { text, detail: symbol?.module === undefined ? kind : `${kind} [${symbol.module}]` };
  });
}

function* typeNames(
  environment: ExpressionEnvironment,
  isWanted: (namespace: string) => boolean,
): Generator<ExpressionCandidate> {
  for (const { namespace, name } of environment.types.names()) {
    if (isWanted(namespace)) yield { text: name, detail: namespace };
  }
}
