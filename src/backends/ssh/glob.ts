/**
 * The files that a pattern of a configuration's Include names: `*`, `?` and `[...]` in any part of the path.
 */
import { existsSync, readdirSync } from 'node:fs';

const FILES_MAX = 1000;

/** In the order of their names; an absolute pattern. Folders that cannot be read hold nothing. */
export function globFiles(pattern: string): readonly string[] {
  let found: readonly string[] = [''];
  for (const part of pattern.split('/').filter((name) => name !== '')) {
    const test = /[*?[]/.test(part) ? partPattern(part) : undefined;
    found = found
      .flatMap((folder) => (test === undefined ? [`${folder}/${part}`] : namesIn(folder, test)))
      .slice(0, FILES_MAX);
  }
  return found.filter((path) => existsSync(path));
}

function namesIn(folder: string, test: RegExp): readonly string[] {
  try {
    const names = readdirSync(folder === '' ? '/' : folder).filter((name) => test.test(name));
    return names.sort().map((name) => `${folder}/${name}`);
  } catch {
    return [];
  }
}

/** A leading dot must be written out, as in the shell. */
function partPattern(part: string): RegExp {
  const source = part.replace(/\[(!?)([^\]/]+)\]|[\\^$.|+(){}[\]]|\*+|\?/g, (sign, negated?: string, set?: string) => {
    if (set !== undefined) return `[${negated === '!' ? '^' : ''}${set.replace(/[\\\]^]/g, '\\$&')}]`;
    if (sign.startsWith('*')) return '[^/]*';
    return sign === '?' ? '[^/]' : `\\${sign}`;
  });
  return new RegExp(`^${part.startsWith('.') ? '' : '(?!\\.)'}${source}$`);
}
