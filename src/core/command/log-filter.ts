/** Kinds of arguments that pick records of the kernel log. */
import { UsageError } from '../errors.ts';
import { levelName } from '../kernel/log-record.ts';
import type { Kind } from './define.ts';

const LEVELS = Array.from({ length: 8 }, (_, level) => levelName(level));
/** Names that people use besides printk's own. */
const SYNONYMS: Readonly<Record<string, string>> = {
  emergency: 'emerg',
  critical: 'crit',
  error: 'err',
  warning: 'warn',
};

/** `err`, `warn,notice`, `3`, `warn+` (that and all more urgent). */
export const logLevels: Kind<ReadonlySet<number>> = {
  name: 'levels',
  parse(text) {
    const levels = new Set<number>();
    let column = 0;
    for (const part of text.split(',')) {
      const name = part.replace(/\+$/, '');
      const level = /^[0-7]$/.test(name) ? Number(name) : LEVELS.indexOf(SYNONYMS[name] ?? name);
      if (level < 0) throw new UsageError(`"${name}" is none of the levels ${LEVELS.join(', ')}`, { column });
      for (let each = part.endsWith('+') ? 0 : level; each <= level; each++) levels.add(each);
      column += part.length + 1;
    }
    return levels;
  },
  complete: () => ({
    candidates: LEVELS.flatMap((text) => [{ text }, { text: `${text}+`, detail: 'and more urgent ones' }]),
  }),
};

/** A part of the text in any case, or a regular expression between slashes. */
export const logPattern: Kind<(text: string) => boolean> = {
  name: 'pattern',
  parse(text) {
    const regex = /^\/(.+)\/(i?)$/.exec(text);
    if (regex === null) {
      const wanted = text.toLowerCase();
      return (body) => body.toLowerCase().includes(wanted);
    }
    try {
      const expression = new RegExp(regex[1] as string, regex[2]);
      return (body) => expression.test(body);
    } catch {
      throw new UsageError(`"${text}" is no regular expression`, { column: 0 });
    }
  },
};
