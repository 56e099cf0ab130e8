import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  clustersOf,
  nextCluster,
  previousCluster,
  showCluster,
  showText,
  snapToCluster,
} from '../../../src/app/prompt/graphemes.ts';

const anyText = fc.string({ unit: 'binary', maxLength: 20 });

describe('grapheme clusters', () => {
  it.each([
    ['ASCII', 'ab', ['a', 'b']],
    ['a mark', 'ae\u0301b', ['a', 'e\u0301', 'b']],
    ['Hangul', '한국', ['한', '국']],
    ['a family', '👨\u200d👩\u200d👧x', ['👨\u200d👩\u200d👧', 'x']],
    ['flags', '🇩🇪🇫🇷', ['🇩🇪', '🇫🇷']],
    ['CR LF is two control characters', 'a\r\nb', ['a', '\r', '\n', 'b']],
  ])('%s', (_, text, expected) => {
    expect(clustersOf(text)).toEqual(expected);
    const forward: string[] = [];
    for (let at = 0; at < text.length; at = nextCluster(text, at)) forward.push(text.slice(at, nextCluster(text, at)));
    expect(forward).toEqual(expected);
  });

  it('walks the same boundaries in both directions, for any text', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const forward = [0];
        while ((forward.at(-1) ?? 0) < text.length) forward.push(nextCluster(text, forward.at(-1) ?? 0));
        const backward = [text.length];
        while ((backward.at(-1) ?? 0) > 0) backward.push(previousCluster(text, backward.at(-1) ?? 0));
        expect(backward.reverse()).toEqual(forward);
        expect(clustersOf(text).join('')).toBe(text);
        expect(clustersOf(text).length).toBe(forward.length - 1);
        for (let at = 0; at <= text.length; at++)
          expect(snapToCluster(text, at)).toBe(forward.find((each) => each >= at));
      }),
      { numRuns: 1000 },
    );
  });

  it('are those of the whole text when it is long, in time that grows with its length', () => {
    const unit = fc.constantFrom(
      'a',
      '漢',
      'e\u0301',
      '🇩🇪',
      '👨\u200d👩\u200d👧',
      '\u0301'.repeat(700),
      '\r\n',
      'ก\u0e33',
    );
    const whole = new Intl.Segmenter(undefined, { granularity: 'grapheme' });
    fc.assert(
      fc.property(fc.array(unit, { minLength: 200, maxLength: 600 }), (units) => {
        const text = units.join('');
        const expected = Array.from(whole.segment(text), (part) => part.segment)
          .join('|')
          .replaceAll('\r\n', '\r|\n');
        expect(clustersOf(text).join('|')).toBe(expected);
      }),
      { numRuns: 20 },
    );
    const start = performance.now();
    clustersOf('漢'.repeat(200_000));
    expect(performance.now() - start).toBeLessThan(2000);
  });
});

describe('what is shown', () => {
  it.each([
    ['a', 'a', 1],
    ['é', 'é', 1],
    ['e\u0301', 'e\u0301', 1],
    ['漢', '漢', 2],
    ['ｱ', 'ｱ', 1],
    ['Ａ', 'Ａ', 2],
    ['한', '한', 2],
    ['😀', '😀', 2],
    ['☎', '☎', 1],
    ['☎\ufe0f', '☎\ufe0f', 2],
    ['\x1b', '\\x1b', 4],
    ['\x9b', '\\x9b', 4],
    ['\u202e', '\\u202e', 6],
    ['\u0301', '\\u0301', 6],
    ['\u{e0041}', '\\u{e0041}', 9],
    ['\ud800', '\\ud800', 6],
    ['👨\u200d👩', '👨\\u200d👩', 10],
  ])('%j', (cluster, text, width) => {
    expect(showCluster(cluster)).toMatchObject({ text, width });
  });

  it('never contains what would steer a terminal, and never exceeds its width', () => {
    fc.assert(
      fc.property(anyText, fc.nat(12), (text, width) => {
        const shown = showText(text, width);
        expect(shown.text).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069]/u);
        expect(shown.width).toBeLessThanOrEqual(width);
      }),
      { numRuns: 1000 },
    );
  });

  it.each([
    ['mutex_lock', 10, 'mutex_lock'],
    ['mutex_lock', 9, 'mutex_l..'],
    ['mutex', 2, '..'],
    ['mutex', 1, '.'],
    ['mutex', 0, ''],
    ['漢字漢字', 7, '漢字..'],
    ['漢字漢字', 8, '漢字漢字'],
  ])('cuts %s to %d cells', (text, width, expected) => {
    expect(showText(text, width).text).toBe(expected);
  });
});
