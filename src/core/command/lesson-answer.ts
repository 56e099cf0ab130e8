/**
 * What a learner answers, against what a lesson expects. Both are looked up in the target by the rules of arguments, so
 * that each spelling that a command takes is right.
 */
import { KdbgError, NotFoundError, UsageError } from '../errors.ts';
import type { Check, LessonStep } from '../formats/lesson.ts';
import { evaluateInteger } from '../types/evaluate.ts';
import { evaluateAddress } from '../types/evaluate-address.ts';
import { quietEnvironmentOf } from './environment.ts';
import { spellingsOf } from './lesson-spelling.ts';
import { nearCommands } from './resolve.ts';
import type { Scope } from './scope.ts';
import { oneTask } from './task-kinds.ts';

/** What becomes of an answer: right, or wrong, with what the lesson says to just this. */
export type Verdict = { readonly right: true } | { readonly right: false; readonly say: string | undefined };

/** Judges an answer. Throws the error of a command where the answer means nothing: no such task, no such symbol. */
export function judge(scope: Scope, step: LessonStep, answer: string): Verdict {
  const given = answer.trim();
  if (given === '')
    throw new UsageError('the answer is missing', { hint: `answer ${answerForms(step.checks).join('|')}` });
  const taken = reading(() => anyRight(scope, step, step.checks, given));
  if (taken.found === true) return { right: true };
  // A lesson may know an answer that is none by the step's own check: a name where it wants a number.
  for (const { checks, say } of step.wrong) {
    if (reading(() => anyRight(scope, step, checks, given)).found === true) return { right: false, say };
  }
  if (taken.failure === undefined) return { right: false, say: undefined };
  const { failure } = taken;
  throw failure instanceof UsageError ? failure.withHint(`this step wants ${answerWords(step.checks)}`) : failure;
}

/** Throws where what a check expects is not so on this target: no such task, no such symbol or command. */
export function confirmCheck(scope: Scope, step: LessonStep, check: Check): void {
  if (check.kind === 'ran') {
    const { shell } = scope;
    if (check.command === undefined || shell.command(check.command) !== undefined) return;
    throw new NotFoundError('command', check.command, nearCommands(check.command, shell));
  }
  if (check.kind === 'symbol') scope.kernel.symbols.get(check.name);
  if (!isRight(scope, step, check, expectedAnswer(check))) {
    throw new UsageError(`the check "${check.kind}" does not take its own answer, ${expectedAnswer(check)}`);
  }
}

/** What a check expects, as a learner would type it. */
export function expectedAnswer(check: Exclude<Check, { kind: 'ran' }>): string {
  switch (check.kind) {
    case 'pid':
      return String(check.pid);
    case 'address':
      return check.expression;
    case 'symbol':
      return check.name;
    case 'number':
      return String(check.from);
    case 'text':
      return check.text;
    case 'choice':
      return check.letter;
  }
}

/** The forms of an answer, as usage texts write them. */
export function answerForms(checks: readonly Check[]): readonly string[] {
  return [...new Set(checks.flatMap((check) => (check.kind === 'ran' ? [] : [FORMS[check.kind]])))];
}

/** What a step wants, in words: `a number`. */
function answerWords(checks: readonly Check[]): string {
  const words = checks.flatMap((check) => (check.kind === 'ran' ? [] : [WORDS[check.kind]]));
  return [...new Set(words)].join(' or ');
}

const FORMS: Readonly<Record<Exclude<Check['kind'], 'ran'>, string>> = {
  pid: 'PID',
  address: 'ADDRESS',
  symbol: 'SYMBOL',
  number: 'NUMBER',
  text: 'TEXT',
  choice: 'LETTER',
};

const WORDS: typeof FORMS = {
  pid: 'a task: its PID, name or address',
  address: 'an address',
  symbol: 'the name of a function or variable',
  number: 'a number',
  text: 'a word or a name',
  choice: 'the letter of an option',
};

/** Whether one of the checks takes the answer. Throws where it means nothing to any of them. */
function anyRight(scope: Scope, step: LessonStep, checks: readonly Check[], answer: string): boolean {
  const readings = checks.map((check) => reading(() => isRight(scope, step, check, answer)));
  if (readings.some(({ found }) => found === true)) return true;
  const [first] = readings;
  if (first?.failure !== undefined && readings.every(({ found }) => found === undefined)) throw first.failure;
  return false;
}

function isRight(scope: Scope, step: LessonStep, check: Check, answer: string): boolean {
  switch (check.kind) {
    case 'pid':
      return firstMeant(check, answer, (text) => oneTask(text, scope.kernel)).pid === check.pid;
    case 'address':
      return firstMeant(check, answer, (text) => addressOf(scope, text)) === addressOf(scope, check.expression);
    case 'symbol':
      return firstMeant(check, answer, (text) => isSymbol(scope, check.name, text));
    case 'number': {
      const value = firstMeant(check, answer, (text) => numberOf(scope, text));
      return value >= check.from && value <= check.to;
    }
    case 'text':
      return spellingsOf(check.kind, answer).some((text) => plain(text) === plain(check.text));
    case 'choice':
      return letterOf(step, answer) === check.letter;
    case 'ran':
      return false;
  }
}

/** Reads an answer in the first way in which it means something. Throws the error of the way that it is written in. */
function firstMeant<T>({ kind }: Check, answer: string, read: (text: string) => T): T {
  let first: KdbgError | undefined;
  for (const spelling of spellingsOf(kind, answer)) {
    const { found, failure } = reading(() => read(spelling));
    if (failure === undefined) return found as T;
    first ??= failure;
  }
  throw first;
}

/** `b`, `b)`, `(B)`, `b) It waits`, or the option's text. Throws UsageError for what is no option. */
function letterOf({ options }: LessonStep, answer: string): string {
  const letter = /^\(?([a-z])(?:[).].*)?$/is.exec(answer)?.[1]?.toLowerCase();
  const option = options.find((each) => each.letter === letter || plain(each.text) === plain(answer));
  if (option !== undefined) return option.letter;
  throw new UsageError(`"${answer}" is none of ${options.map((each) => each.letter).join(', ')}`);
}

function addressOf(scope: Scope, text: string): bigint {
  return BigInt.asUintN(64, evaluateAddress(text, quietEnvironmentOf(scope)));
}

/** Its name, with or without what stands around it in a stack (`do_exit+0x10/0x90 [module]`); or its address. */
function isSymbol(scope: Scope, name: string, answer: string): boolean {
  const bare = answer
    .replace(/\s*\[\w+\]$/, '')
    .replace(/\(\)$/, '')
    .replace(/^&/, '')
    .replace(/\+0x[0-9a-fA-F]+(?:\/0x[0-9a-fA-F]+)?$/, '');
  // The compiler's clones (mutex_lock.constprop.0) are the function to a reader of the source.
  const base = (text: string): string => text.replace(/\.(?:constprop|isra|part|cold)\b.*$/, '');
  if (base(bare) === base(name)) return true;
  const nearest = scope.kernel.symbols.nearest(addressOf(scope, answer));
  return nearest !== undefined && base(nearest.symbol.name) === base(name);
}

/** A number, whatever stands behind it (`241 s`); else an expression. */
function numberOf(scope: Scope, answer: string): number {
  const digits = /^(-?)(0x[0-9a-fA-F]+|\d+(?:\.\d+)?)\s*(?:[A-Za-z%]+|$)/.exec(answer);
  if (digits !== null) return Number(digits[2]) * (digits[1] === '-' ? -1 : 1);
  try {
    return Number(evaluateInteger(answer, quietEnvironmentOf(scope)));
  } catch (error) {
    // That there is no symbol "five" helps nobody.
    if (/^[A-Za-z ]+$/.test(answer) && error instanceof UsageError) {
      throw new UsageError(`"${answer}" is no number in digits`);
    }
    throw error;
  }
}

/** Words without what does not matter: capitals, blanks, quotes, a full stop, comma or slash at the ends. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .trim()
    .replace(/^["'`]+|(?<=[^/])["'`.,;/]+$/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** What an answer is found to mean, or the error where it means nothing. */
function reading<T>(read: () => T): { readonly found?: T; readonly failure?: KdbgError } {
  try {
    return { found: read() };
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return { failure: error };
    throw error;
  }
}
