/**
 * The words after an action of `trace`, as they are completed: functions where functions are wanted; for a probe its
 * place, then its arguments: parameters of the function, and along a path the members of what it has come to.
 */
import { KdbgError } from '../errors.ts';
import type { Kernel } from '../kernel/kernel.ts';
import { splitArgument } from '../kernel/probe-argument.ts';
import { pointedAt } from '../kernel/probe-operand.ts';
import { type ProbeNames, probeOperand, RETURNED, TASK_NAME } from '../kernel/probe-path.ts';
import { probeNames, probeTarget } from '../kernel/probe-target.ts';
import { PROBE_TYPES } from '../kernel/probe-type.ts';
import { programFunctions } from '../kernel/program-place.ts';
import { tracefs } from '../kernel/tracefs.ts';
import { symbolCandidates } from '../types/expression-candidates.ts';
import { parseExpression } from '../types/expression-parser.ts';
import { memberNamed, memberNames } from '../types/member-path.ts';
import { type CType, resolve } from '../types/type.ts';
import { typeName } from '../types/type-name.ts';
import { CANDIDATES_MAX } from './complete.ts';
import type { Candidate, Completions, Kind } from './define.ts';
import { eventCompletions } from './trace-kinds.ts';

const NOTHING: Completions = { candidates: [] };

/** A word as it is; `before` begins with the action. */
export const traceWord: Kind<string> = {
  name: 'word',
  parse: (text) => text,
  completeAfter([action, place], text, { kernel }) {
    try {
      switch (action) {
        case 'callers':
        case 'callees':
        case 'functions':
        case 'profile':
          return place === undefined || action === 'functions' || action === 'profile'
            ? functions(kernel, text)
            : NOTHING;
        case 'hist':
          return place === undefined ? eventCompletions(kernel, text) : NOTHING;
        case 'probe':
          return place === undefined ? places(kernel, text) : argumentCompletions(text, namesAt(kernel, place));
        default:
          return NOTHING;
      }
    } catch (error) {
      // What is typed may be wrong in any way so far.
      if (error instanceof KdbgError && !error.endsCommand) return NOTHING;
      throw error;
    }
  },
};

function functions(kernel: Kernel, text: string): Completions {
  if (text === '') return NOTHING;
  const all = symbolCandidates(kernel.symbols, text, CANDIDATES_MAX);
  return { candidates: all.filter(({ detail }) => detail.startsWith('text')), partial: all.length >= CANDIDATES_MAX };
}

/** `SYSTEM:` is followed by its events, `/PATH:` by functions of the program. */
function places(kernel: Kernel, text: string): Completions {
  const [, path, name = ''] = /^(\/[^\s:]+):([^\s+@]*)$/.exec(text) ?? [];
  if (path !== undefined) {
    const names = programFunctions(kernel, path, name, CANDIDATES_MAX);
    return {
      start: text.length - name.length,
      candidates: names.map((each) => ({ text: each, detail: 'function' })),
      partial: names.length >= CANDIDATES_MAX,
    };
  }
  const [, system, start = ''] = /^([\w-]+):(\w*)$/.exec(text) ?? [];
  if (system === undefined) return functions(kernel, text);
  const fs = tracefs(kernel);
  const events = fs.names(`${fs.root}/events/${system}`).filter((name) => !/^(?:enable|filter)$/.test(name));
  const candidates = events.filter((name) => name.startsWith(start)).map((name) => ({ text: name, detail: 'event' }));
  return { start: text.length - start.length, candidates: candidates.slice(0, CANDIDATES_MAX) };
}

function namesAt(kernel: Kernel, place: string): ProbeNames {
  return probeNames(kernel, probeTarget(kernel, place));
}

function argumentCompletions(text: string, names: ProbeNames): Completions {
  const type = /:(\w*)$/.exec(text)?.[1];
  if (type !== undefined)
    return ending(
      text,
      type,
      PROBE_TYPES.map((each) => ({ text: each, detail: 'type' })),
    );
  const { path } = splitArgument(text);
  const [, owner, member = ''] = /^(.+?)\s*(?:->|\.)\s*(\w*)$/s.exec(path) ?? [];
  if (owner === undefined) return ending(text, /\w*$/.exec(path)?.[0] ?? '', parameterCandidates(names));
  const operand = probeOperand(
    parseExpression(owner, (name) => names.types.find('typedef', name) !== undefined),
    names,
  );
  const object = pointedAt(operand) ?? operand;
  const compound = object.kind === 'address' ? undefined : object.type;
  return ending(text, member, compound === undefined ? [] : memberCandidates(compound));
}

/** The candidates that go on with what the text ends with. */
function ending(text: string, prefix: string, candidates: readonly Candidate[]): Completions {
  const fitting = candidates.filter((each) => each.text.startsWith(prefix));
  return { start: text.length - prefix.length, candidates: fitting.slice(0, CANDIDATES_MAX) };
}

function parameterCandidates({ parameters = [], returns }: ProbeNames): readonly Candidate[] {
  const isVoid = returns !== undefined && resolve(returns).kind === 'void';
  return [
    ...parameters.map(({ name, type }) => ({ text: name, detail: typeName(type) })),
    ...(isVoid ? [] : [{ text: RETURNED, detail: returns === undefined ? 'what it returns' : typeName(returns) }]),
    { text: TASK_NAME, detail: 'name of the task' },
    { text: 'if', detail: 'a filter follows' },
  ];
}

function memberCandidates(type: CType): readonly Candidate[] {
  const compound = resolve(type);
  return memberNames(type).map((name) => {
    const found = compound.kind === 'struct' || compound.kind === 'union' ? memberNamed(compound, name) : undefined;
    return { text: name, ...(found === undefined ? {} : { detail: typeName(found.member.type) }) };
  });
}
