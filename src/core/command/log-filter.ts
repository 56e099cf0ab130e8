/** Kinds of arguments that pick records of the kernel log. */
import { UsageError } from '../errors.ts';
import { FACILITIES, levelName } from '../kernel/log-record.ts';
import type { Kind } from './define.ts';

const LEVELS = Array.from({ length: 8 }, (_, level) => levelName(level));
/** Names that people use besides printk's own. */
const SYNONYMS: Readonly<Record<string, string>> = {
  emergency: 'emerg',
  critical: 'crit',
  error: 'err',
  warning: 'warn',
};

/** `err`, `warn,notice`, `3`, `warn+` (that and all more urgent), `err..notice`. */
export const logLevels: Kind<ReadonlySet<number>> = {
  name: 'levels',
  parse(text) {
    const levels = new Set<number>();
    let column = 0;
    for (const part of text.split(',')) {
      const [from, to] = levelRange(part, column);
      for (let each = from; each <= to; each++) levels.add(each);
      column += part.length + 1;
    }
    return levels;
  },
  complete: () => ({
    candidates: LEVELS.flatMap((text) => [{ text }, { text: `${text}+`, detail: 'and more urgent ones' }]),
  }),
};

function levelRange(part: string, column: number): readonly [from: number, to: number] {
  const [first = '', last] = part.split('..', 2);
  if (last === undefined) {
    const level = levelOf(first.replace(/\+$/, ''), column);
    return [first.endsWith('+') ? 0 : level, level];
  }
  const ends = [levelOf(first, column), levelOf(last, column + first.length + 2)];
  return [Math.min(...ends), Math.max(...ends)];
}

function levelOf(name: string, column: number): number {
  const level = /^[0-7]$/.test(name) ? Number(name) : LEVELS.indexOf(SYNONYMS[name] ?? name);
  if (level < 0) throw new UsageError(`"${name}" is none of the levels ${LEVELS.join(', ')}`, { column });
  return level;
}

/** `kern`, `user,daemon`, `3`. */
export const logFacilities: Kind<ReadonlySet<number>> = {
  name: 'facilities',
  parse(text) {
    const facilities = new Set<number>();
    let column = 0;
    for (const name of text.split(',')) {
      const facility = /^\d{1,3}$/.test(name) ? Number(name) : FACILITIES.indexOf(name);
      if (facility < 0) {
        throw new UsageError(`"${name}" is none of the facilities ${FACILITIES.join(', ')}`, { column });
      }
      facilities.add(facility);
      column += name.length + 1;
    }
    return facilities;
  },
  complete: () => ({ candidates: FACILITIES.map((text) => ({ text })) }),
};

/** What to look for in texts; `anyCase` does so in any case. */
export type LogPattern = (anyCase: boolean) => (text: string) => boolean;

/** A part of the text in any case, or a regular expression between slashes. */
export const logPattern: Kind<LogPattern> = {
  name: 'pattern',
  parse(text) {
    const regex = /^\/(.+)\/(i?)$/.exec(text);
    if (regex === null) {
      const wanted = text.toLowerCase();
      return () => (body) => body.toLowerCase().includes(wanted);
    }
    const [, source = '', flags = ''] = regex;
    try {
      const expressions = { asIs: new RegExp(source, flags), anyCase: new RegExp(source, 'i') };
      return (anyCase) => (body) => (anyCase ? expressions.anyCase : expressions.asIs).test(body);
    } catch {
      throw new UsageError(`"${text}" is no regular expression`, { column: 0 });
    }
  },
};
