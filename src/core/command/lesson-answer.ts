/**
 * What a learner answers, against what a lesson expects. Both are looked up in the target by the rules of arguments, so
 * that each spelling that a command takes is right.
 */
import { KdbgError, NotFoundError, UsageError } from '../errors.ts';
import type { Check, LessonStep } from '../formats/lesson.ts';
import { evaluateInteger } from '../types/evaluate.ts';
import { evaluateAddress } from '../types/evaluate-address.ts';
import { quietEnvironmentOf } from './environment.ts';
import { nearCommands } from './resolve.ts';
import type { Scope } from './scope.ts';
import { oneTask } from './task-kinds.ts';

/** What becomes of an answer: right, or wrong, with what the lesson says to just this. */
export type Verdict = { readonly right: true } | { readonly right: false; readonly say: string | undefined };

/** Judges an answer. Throws the error of a command where the answer means nothing: no such task, no such symbol. */
export function judge(scope: Scope, step: LessonStep, answer: string): Verdict {
  const given = answer.trim();
  if (given === '') throw new UsageError('the answer is missing', { hint: `answer ${answerForm(step.checks)}` });
  if (isTaken(scope, step, given)) return { right: true };
  for (const { checks, say } of step.wrong) {
    if (quietly(() => anyRight(scope, step, checks, given)) === true) return { right: false, say };
  }
  return { right: false, say: undefined };
}

/** An answer that means nothing gets the error that a command would give. */
function isTaken(scope: Scope, step: LessonStep, answer: string): boolean {
  try {
    return anyRight(scope, step, step.checks, answer);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw error.withHint(`this step wants ${answerForm(step.checks)}`);
  }
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

/** The form of an answer, as usage texts write it. */
export function answerForm(checks: readonly Check[]): string {
  const forms = checks.flatMap((check) => (check.kind === 'ran' ? [] : [FORMS[check.kind]]));
  return [...new Set(forms)].join('|');
}

const FORMS: Readonly<Record<Exclude<Check['kind'], 'ran'>, string>> = {
  pid: 'PID',
  address: 'ADDRESS',
  symbol: 'SYMBOL',
  number: 'NUMBER',
  text: 'TEXT',
  choice: 'LETTER',
};

/** Whether one of the checks takes the answer. Throws where none does and the answer means nothing. */
function anyRight(scope: Scope, step: LessonStep, checks: readonly Check[], answer: string): boolean {
  let failure: { readonly error: unknown } | undefined;
  let isMeant = false;
  for (const check of checks) {
    try {
      if (isRight(scope, step, check, answer)) return true;
      isMeant = true;
    } catch (error) {
      if (!(error instanceof KdbgError) || error.endsCommand) throw error;
      failure ??= { error };
    }
  }
  if (failure !== undefined && !isMeant) throw failure.error;
  return false;
}

function isRight(scope: Scope, step: LessonStep, check: Check, answer: string): boolean {
  switch (check.kind) {
    case 'pid':
      return oneTask(answer.replace(/^pid\s*[:=]?\s*/i, ''), scope.kernel).pid === check.pid;
    case 'address':
      return addressOf(scope, answer) === addressOf(scope, check.expression);
    case 'symbol':
      return isSymbol(scope, check.name, answer);
    case 'number': {
      const value = numberOf(scope, answer);
      return value >= check.from && value <= check.to;
    }
    case 'text':
      return plain(answer) === plain(check.text);
    case 'choice': {
      const letter = /^\(?([a-z])(?:[).].*)?$/is.exec(answer)?.[1]?.toLowerCase();
      const option = step.options.find((each) => plain(each.text) === plain(answer));
      return (letter ?? option?.letter) === check.letter;
    }
    case 'ran':
      return false;
  }
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
  return Number(evaluateInteger(answer, quietEnvironmentOf(scope)));
}

/** Words without what does not matter: capitals, blanks, quotes and a full stop at the ends. */
function plain(text: string): string {
  return text
    .toLowerCase()
    .trim()
    .replace(/^["'`]+|["'`.]+$/g, '')
    .replace(/\s+/g, ' ')
    .trim();
}

/** Undefined for what means nothing. */
function quietly<T>(judged: () => T): T | undefined {
  try {
    return judged();
  } catch (error) {
    if (error instanceof KdbgError && !error.endsCommand) return undefined;
    throw error;
  }
}
