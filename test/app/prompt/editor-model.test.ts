/** The reducer against a model that is too simple to be wrong: two lists of characters and a kill ring. */
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { edit } from '../../../src/app/prompt/editor.ts';
import {
  type Action,
  type ActionName,
  type EditorState,
  modeOf,
  newLine,
} from '../../../src/app/prompt/editor-state.ts';
import { snapToCluster } from '../../../src/app/prompt/graphemes.ts';
import { actionOf, DEFAULT_KEYMAP } from '../../../src/app/prompt/keymap.ts';
import { Tokenizer } from '../../../src/app/prompt/tokenizer.ts';

interface Model {
  left: string[];
  right: string[];
  ring: string[];
  killing: boolean;
}

const blank = (character: string | undefined) => character === ' ';

/** What each key does, told by moving characters between the two lists one at a time. */
const MODEL: Partial<Record<ActionName, (model: Model) => void>> = {
  'character-left': ({ left, right }) => void (left.length > 0 && right.unshift(left.pop() ?? '')),
  'character-right': ({ left, right }) => void (right.length > 0 && left.push(right.shift() ?? '')),
  'line-start': ({ left, right }) => void right.unshift(...left.splice(0)),
  'line-end': ({ left, right }) => void left.push(...right.splice(0)),
  'delete-left': ({ left }) => void left.pop(),
  'delete-right': ({ right }) => void right.shift(),
  'kill-to-end': (model) => killed(model, model.right.splice(0).join(''), 'right'),
  'kill-to-start': (model) => killed(model, model.left.splice(0).join(''), 'left'),
  'kill-blank-word-left': (model) => {
    let at = model.left.length;
    while (at > 0 && blank(model.left[at - 1])) at--;
    while (at > 0 && !blank(model.left[at - 1])) at--;
    killed(model, model.left.splice(at).join(''), 'left');
  },
  yank: ({ left, ring }) => void left.push(...(ring.at(-1) ?? '')),
  'transpose-characters': ({ left, right }) => {
    if (left.length === 0 || left.length + right.length < 2) return;
    if (right.length === 0) right.unshift(left.pop() ?? '');
    const [a, b] = [left.pop() ?? '', right.shift() ?? ''];
    left.push(b, a);
  },
};

function killed(model: Model, text: string, side: 'left' | 'right'): void {
  if (text === '') {
    model.killing = false;
    return;
  }
  const last = model.killing ? (model.ring.pop() ?? '') : '';
  model.ring.push(side === 'left' ? text + last : last + text);
  model.killing = true;
}

const KEYS = Object.keys(MODEL) as ActionName[];
const character = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(...'ab_. ') },
  fc.constantFrom('é', '漢', '字', 'ß'),
);
const step: fc.Arbitrary<Action> = fc.oneof(
  character.map((text): Action => ({ name: 'insert', text })),
  fc.constantFrom(...KEYS).map((name): Action => ({ name })),
);

function run(steps: readonly Action[], state: EditorState = newLine([])): EditorState {
  return steps.reduce(edit, state);
}

describe('the line editor', () => {
  it('agrees with the model', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const model: Model = { left: [], right: [], ring: [], killing: false };
        let state = newLine([]);
        for (const action of steps) {
          state = edit(state, action);
          const kills = action.name.startsWith('kill');
          if (!kills) model.killing = false;
          if (action.name === 'insert') model.left.push(action.text);
          else MODEL[action.name as ActionName]?.(model);
          expect([state.text.slice(0, state.cursor), state.text.slice(state.cursor)]).toEqual([
            model.left.join(''),
            model.right.join(''),
          ]);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('undo returns through earlier texts to the first one', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), fc.string({ maxLength: 10 }), (steps, initial) => {
        let state = newLine([], undefined, initial);
        const seen = new Set([initial]);
        for (const action of steps) {
          state = edit(state, action);
          seen.add(state.text);
        }
        for (let i = 0; i <= steps.length; i++) {
          state = edit(state, { name: 'undo' });
          expect(seen.has(state.text)).toBe(true);
        }
        expect(state.text).toBe(initial);
      }),
      { numRuns: 1000 },
    );
  });

  it('one undo takes back one kill, yank, transposition or recasing', () => {
    const single = fc.constantFrom<ActionName>(
      'kill-to-end',
      'kill-to-start',
      'kill-word-left',
      'kill-word-right',
      'kill-blank-word-left',
      'yank',
      'transpose-characters',
      'transpose-words',
      'upcase-word',
      'downcase-word',
      'capitalize-word',
      'delete-left',
      'interrupt',
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), single, (steps, name) => {
        const before = run(steps);
        const after = edit(before, { name });
        if (after.text === before.text) return;
        expect(edit(after, { name: 'undo' })).toMatchObject({ text: before.text, cursor: before.cursor });
      }),
      { numRuns: 2000 },
    );
  });

  it('a kill and a yank at the same place change nothing', () => {
    const kills = KEYS.filter((name) => name.startsWith('kill'));
    fc.assert(
      fc.property(
        fc.array(step, { maxLength: 30 }),
        fc.constantFrom(...kills, 'kill-word-left', 'kill-word-right'),
        (steps, name) => {
          const before = edit(run(steps), { name: 'cancel' });
          const after = edit(before, { name: name as ActionName });
          if (after.text !== before.text) expect(edit(after, { name: 'yank' }).text).toBe(before.text);
        },
      ),
      { numRuns: 1000 },
    );
  });

  it('moving by words and transposing lose no character', () => {
    const moving = fc.constantFrom<ActionName>(
      'word-left',
      'word-right',
      'transpose-characters',
      'transpose-words',
      'character-left',
      'line-start',
    );
    const sorted = (text: string) => [...text].sort().join('');
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.array(moving), (steps, moves) => {
        const before = run(steps);
        expect(
          sorted(
            run(
              moves.map((name) => ({ name })),
              before,
            ).text,
          ),
        ).toBe(sorted(before.text));
      }),
    );
  });

  it('is consistent whatever bytes are typed at it, in every mode', () => {
    const keys = fc.oneof(
      fc.constantFrom(...DEFAULT_KEYMAP.map((binding) => binding.action)).map((name): Action => ({ name })),
      fc.string({ unit: 'binary', maxLength: 3 }).map((text): Action => ({ name: 'paste', text })),
      fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }).map((text): Action => ({ name: 'insert', text })),
      fc
        .record({
          start: fc.integer({ min: -2, max: 9 }),
          end: fc.integer({ min: -2, max: 20 }),
          texts: fc.array(fc.string({ unit: 'binary' })),
        })
        .map(({ start, end, texts }): Action => {
          const completion = { start, end, candidates: texts.map((text) => ({ text })) };
          return { name: 'offer', asked: { text: '', cursor: -1 }, completion };
        }),
    );
    const bytes = fc.uint8Array({ maxLength: 6 });
    fc.assert(
      fc.property(fc.array(fc.oneof(keys, bytes), { maxLength: 60 }), (inputs) => {
        const entries = ['ps', 'bt 1', 'struct\ntask', 'e\u0301\u0301', '\r\n'];
        let state = newLine(entries);
        const tokenizer = new Tokenizer();
        const perform = (action: Action) => {
          const mended = action.name === 'offer' ? { ...action, asked: state } : action;
          state = edit(state, mended);
          expect(state.cursor >= 0 && state.cursor <= state.text.length).toBe(true);
          expect(snapToCluster(state.text, state.cursor)).toBe(state.cursor);
          expect(state.index >= 0 && state.index <= entries.length).toBe(true);
        };
        for (const input of inputs) {
          if (!(input instanceof Uint8Array)) perform(input);
          else {
            for (const event of [...tokenizer.feed(input), ...tokenizer.flush()]) {
              const action = actionOf(DEFAULT_KEYMAP, event, modeOf(state));
              if (action !== undefined) perform(action);
            }
          }
        }
      }),
      { numRuns: 2000 },
    );
  });
});
