/** Which words of a text are replaced, and by what. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pseudonyms } from '../../../../src/backends/recording/redact/pseudonyms.ts';
import type { Vocabulary } from '../../../../src/backends/recording/redact/vocabulary.ts';
import { Redactor, type Rule } from '../../../../src/backends/recording/redact/words.ts';

const VOCABULARY: Vocabulary = {
  names: new Set(['task_struct', 'mutex_lock']),
  words: new Set(['task', 'struct', 'mutex', 'lock', 'holds', 'the', 'cpu', 'who', 'writer']),
  typed: new Set(['ps', 'mutex', 'task_struct']),
  secrets: new Set(['brunhilde', 'mutex', 'db1']),
  isPartOfSymbol: (word) => 'mutex_lock'.includes(word),
};

function redactor(): Redactor {
  const pseudonyms = new Pseudonyms((word) => VOCABULARY.words.has(word), Buffer.alloc(32, 1));
  pseudonyms.begin();
  return new Redactor(VOCABULARY, pseudonyms);
}

describe('words of a text', () => {
  it.each<[rule: Rule, text: string, form: RegExp, gone: RegExp]>([
    ['unknown', 'the writer holds cpu3, not kowalski', /^the writer holds cpu3, [a-z]{3} [a-z]{8}$/, /not|kowalski/],
    ['unknown', 'who holds mutex of brunhilde', /^who holds [a-z]{5} of [a-z]{9}$/, /mutex|brunhilde/],
    ['unknown', 'db1 +0xdb1 12ms ffff8880db100000', /^[a-z]{2}\d \+0xdb1 12ms ffff8880db100000$/, /^db1/],
    [
      'unknown',
      '10.0.2.15 fe80::5054:ff:fe12:3456',
      /^\d+\.\d\.\d\.\d\d \w{4}::\w{4}:\w\w:\w{4}:\w{4}$/,
      /2\.15|fe80|fe12/,
    ],
    ['unknown', 'at /home/kowalski/x, /sys/lock', /^at \/[a-z]{4}\/[a-z]{8}\/[a-z], \/sys\/lock$/, /home|kowalski/],
    ['typed', 'ps brunhilde', /^ps [a-z]{9}$/, /brunhilde/],
    ['typed', 'struct mutex ffff888012345678', /^struct mutex ffff888012345678$/, /^$/],
    ['typed', 'sym -q ex_lo', /^.{3} -q ex_lo$/, /^$/],
    ['every', 'task the', /^[a-z]{4} [a-z]{3}$/, /task|the/],
    ['named', '/proc/brunhilde/anything', /^\/proc\/[a-z]{9}\/anything$/, /brunhilde/],
  ])('%s: %s', (rule, text, form, gone) => {
    const fresh = redactor().unicode(text, rule, () => undefined);
    expect(fresh).toMatch(form);
    expect(fresh).not.toMatch(gone);
  });

  it('are as long as before, in bytes, and what is no word stays', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }),
        fc.constantFrom<Rule>('every', 'unknown', 'typed', 'found'),
        (text, rule) => {
          const fresh = redactor().unicode(text, rule, () => undefined);
          expect(Buffer.from(fresh)).toHaveLength(Buffer.from(text).length);
        },
      ),
    );
  });

  it('get different pseudonyms, of the same kinds of characters', () => {
    const pseudonyms = new Pseudonyms(() => false);
    pseudonyms.begin();
    const words = Array.from({ length: 500 }, (_, i) => `Word${i}x`);
    const fresh = words.map((word) => pseudonyms.of(word));
    expect(new Set(fresh).size).toBe(500);
    for (const [i, word] of fresh.entries()) {
      expect(word).toMatch(new RegExp(`^[A-Z][a-z]{3}\\d{${String(i).length}}[a-z]$`));
      expect(pseudonyms.of(`Word${i}x`)).toBe(word);
    }
    const others = new Pseudonyms(() => false);
    others.begin();
    expect(words.map((word) => others.of(word))).not.toEqual(fresh);
  });
});
