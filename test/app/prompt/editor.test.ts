import { describe, expect, it } from 'vitest';
import { edit } from '../../../src/app/prompt/editor.ts';
import { type Candidate, LINE_MAX, newLine } from '../../../src/app/prompt/editor-state.ts';
import { suggestionOf } from '../../../src/app/prompt/history-browse.ts';
import { markedOf, resultOf, stateOf, typed } from './typing.ts';

const ESC = '\x1b';
/** The Escape key as terminals with the fixterms encoding send it, unambiguous within a chunk. */
const ESCAPE = `${ESC}[27u`;
const [UP, DOWN, RIGHT, LEFT] = [`${ESC}[A`, `${ESC}[B`, `${ESC}[C`, `${ESC}[D`];

describe('moving', () => {
  it.each([
    ['C-a', 'ps UN| x', '\x01', '|ps UN x'],
    ['Home', 'ps UN| x', `${ESC}[H`, '|ps UN x'],
    ['C-e', 'ps |UN', '\x05', 'ps UN|'],
    ['End', 'ps |UN', `${ESC}[F`, 'ps UN|'],
    ['C-b', 'ps|', '\x02', 'p|s'],
    ['Left at the start', '|ps', LEFT, '|ps'],
    ['C-f', '|ps', '\x06', 'p|s'],
    ['Right', 'p|s', RIGHT, 'ps|'],
    ['Right over a wide character', '|漢字', RIGHT, '漢|字'],
    ['Left over a combining mark', 'e\u0301|', LEFT, '|e\u0301'],
    ['Left over a family', 'x👨\u200d👩\u200d👧|', LEFT, 'x|👨\u200d👩\u200d👧'],
    ['M-b stops at underscores', 'mutex_lock->owner|', `${ESC}b`, 'mutex_lock->|owner'],
    ['M-b twice', 'mutex_lock->|owner', `${ESC}b${ESC}b`, '|mutex_lock->owner'],
    ['C-Left', 'bt  1|', `${ESC}[1;5D`, 'bt  |1'],
    ['M-f', '|mutex_lock x', `${ESC}f`, 'mutex|_lock x'],
    ['M-f from a blank', 'bt| 1 2', `${ESC}f`, 'bt 1| 2'],
    ['C-Right', '|é漢 x', `${ESC}[1;5C`, 'é漢| x'],
    ['C-a in the second of several lines', 'ps\nbt| 1', '\x01', 'ps\n|bt 1'],
    ['C-e in the first of several lines', '|ps\nbt 1', '\x05', 'ps|\nbt 1'],
    ['Up within several lines', 'abc\nlonger|', UP, 'abc|\nlonger'],
    ['Down within several lines', 'a|bc\nlonger', DOWN, 'abc\nl|onger'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys)).toBe(expected);
  });
});

describe('deleting and killing', () => {
  it.each([
    ['Backspace', 'bt|', '\x7f', 'b|'],
    ['C-h', 'bt|', '\b', 'b|'],
    ['Backspace at the start', '|bt', '\x7f', '|bt'],
    ['Backspace takes a whole cluster', 'ae\u0301|', '\x7f', 'a|'],
    ['Delete', 'b|t', `${ESC}[3~`, 'b|'],
    ['C-d', '|bt', '\x04', '|t'],
    ['C-d at the end', 'bt|', '\x04', 'bt|'],
    ['C-w back to a blank', 'struct task_struct.comm| x', '\x17', 'struct | x'],
    ['C-w over trailing blanks', 'bt 1  |', '\x17', 'bt |'],
    ['M-Backspace to the word start', 'task_struct.comm|', `${ESC}\x7f`, 'task_struct.|'],
    ['M-d', 'bt |task_x', `${ESC}d`, 'bt |_x'],
    ['C-k', 'bt| 1', '\x0b', 'bt|'],
    ['C-k within several lines', 'b|t 1\nps', '\x0b', 'b|\nps'],
    ['C-k at a line end takes the line break', 'bt|\nps', '\x0b', 'bt|ps'],
    ['C-u', 'bt| 1', '\x15', '| 1'],
    ['C-u at a line start takes the line break', 'bt\n|ps', '\x15', 'bt|ps'],
    ['C-k C-y', '|bt', '\x0b\x19', 'bt|'],
    ['C-y twice', 'a|', '\x15\x19\x19', 'aa|'],
    ['C-y with nothing killed', 'a|', '\x19', 'a|'],
    ['kills in a row join, backward', 'a b c|', '\x17\x17\x19', 'a b c|'],
    ['kills in a row join, forward', '|a b c', `${ESC}d${ESC}d\x19`, 'a b| c'],
    ['kills apart do not join', 'a b|', `\x17\x02\x0b\x19`, 'a |'],
    ['M-y exchanges what was yanked', 'one| two', `\x15\x05\x15\x19${ESC}y`, 'one|'],
    ['M-y goes round', 'one| two', `\x15\x05\x15\x19${ESC}y${ESC}y`, ' two|'],
    ['M-y without a yank', 'one|', `${ESC}y`, 'one|'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys)).toBe(expected);
  });

  it('keeps killed text for the next line', () => {
    const { state } = typed(stateOf('pid 4711|'), '\x17');
    expect(markedOf(typed(newLine([], state), '\x19').state)).toBe('4711|');
  });
});

describe('transposing and case', () => {
  it.each([
    ['C-t in the middle', 'a|bc', '\x14', 'ba|c'],
    ['C-t at the end', 'abc|', '\x14', 'acb|'],
    ['C-t at the start', '|abc', '\x14', '|abc'],
    ['C-t with one character', 'a|', '\x14', 'a|'],
    ['C-t with a wide character', '漢|b', '\x14', 'b漢|'],
    ['C-t does not cross lines', 'a\n|b', '\x14', 'a\n|b'],
    ['M-t at the end', 'ps bt|', `${ESC}t`, 'bt ps|'],
    ['M-t between', 'ps |bt x', `${ESC}t`, 'bt ps| x'],
    ['M-t within the second word', 'ps b|t', `${ESC}t`, 'bt ps|'],
    ['M-t behind trailing blanks', 'ps bt  |', `${ESC}t`, 'bt ps|  '],
    ['M-t with one word', 'ps|', `${ESC}t`, 'ps|'],
    ['M-u', '|task x', `${ESC}u`, 'TASK| x'],
    ['M-u from inside', 'ta|sk', `${ESC}u`, 'taSK|'],
    ['M-l', '|TASK', `${ESC}l`, 'task|'],
    ['M-c', '|task', `${ESC}c`, 'Task|'],
    ['M-c over a blank', 'bt| task', `${ESC}c`, 'bt Task|'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys)).toBe(expected);
  });
});

describe('typing and undo', () => {
  it.each([
    ['inserting in the middle', 'b|1', 't ', 'bt |1'],
    ['a mark joins the character before', 'e|x', '\u0301', 'e\u0301|x'],
    ['undo takes back a run of typing', 'a |', 'bcd\x1f', 'a |'],
    ['undo takes back a word at a time', '|', 'bt 1 x\x1f', 'bt 1 |'],
    ['undo takes back a kill', 'bt 1|', '\x17\x1f', 'bt 1|'],
    ['undo brings back an abandoned line', 'bt 1|', '\x03\x1f', 'bt 1|'],
    ['undo at the beginning', 'a|', '\x1f\x1f', 'a|'],
    ['C-v inserts a control character', 'a|', '\x16\x01', 'a\x01|'],
    ['C-v inserts a sequence', 'a|', `\x16${UP}`, `a${UP}|`],
    ['M-Enter adds a line', 'ps|', `${ESC}\rbt`, 'ps\nbt|'],
    ['unknown sequences and mouse reports type nothing', 'a|', `${ESC}[99~${ESC}[<0;1;1Mb`, 'ab|'],
    ['Alt with a letter that means nothing types nothing', 'a|', `${ESC}xb`, 'ab|'],
    ['Caps Lock changes no command', 'bt 1|', `${ESC}B`, 'bt |1'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys)).toBe(expected);
  });

  it.each([
    ['line ends become lines', `ps\r\nbt 1\rx`, 'ps\nbt 1\nx|'],
    ['the last line end does not count', 'ps\n', 'ps|'],
    ['tabs and no-break spaces become blanks', 'bt\u00a01\t-f', 'bt 1 -f|'],
    ['other controls stay', 'a\x07b', 'a\x07b|'],
  ])('pasting: %s', (_, text, expected) => {
    const { state, effects } = typed(newLine([]), `${ESC}[200~${text}${ESC}[201~`);
    expect(markedOf(state)).toBe(expected);
    expect(effects).toEqual([]);
  });

  it('takes of a huge paste what fits and says what did not', () => {
    const state = edit(stateOf('ab|'), { name: 'paste', text: '😀'.repeat(LINE_MAX) });
    expect(state.text.length).toBe(LINE_MAX);
    expect(state.complaint?.message).toBe(
      `the line is full: the last ${2 * LINE_MAX - (LINE_MAX - 2)} characters were not pasted`,
    );
    const full = edit(state, { name: 'insert', text: 'x' });
    expect([full.text, full.complaint?.message]).toEqual([state.text, 'the line is full']);
  });

  it('does not grow beyond the bound by yanking', () => {
    let state = typed(stateOf(`${'x'.repeat(1000)}|`), '\x15').state;
    for (let i = 0; i < 200; i++) state = edit(state, { name: 'yank' });
    expect(state.text.length).toBeLessThanOrEqual(LINE_MAX);
  });
});

describe('effects', () => {
  it.each([
    ['Enter', 'bt 1|', '\r', [{ kind: 'submit', line: 'bt 1' }]],
    ['Enter in the middle', 'b|t', '\r', [{ kind: 'submit', line: 'bt' }]],
    ['Enter with several lines', 'ps\nbt|', '\r', [{ kind: 'submit', line: 'ps\nbt' }]],
    ['C-d on an empty line', '|', '\x04', [{ kind: 'end-of-input' }]],
    ['C-d held down while it deletes does not leave', '|ab', '\x04\x04\x04\x04', []],
    ['C-d after another key leaves again', '|a', '\x04\x04 \x7f\x04', [{ kind: 'end-of-input' }]],
    ['C-c', 'bt|', '\x03', [{ kind: 'interrupt' }]],
    ['C-l', 'bt|', '\x0c', [{ kind: 'clear-screen' }]],
    ['C-z', 'bt|', '\x1a', [{ kind: 'suspend' }]],
    ['Tab', 'b|', '\t', [{ kind: 'complete' }]],
    ['F1', 'b|', `${ESC}OP`, [{ kind: 'help' }]],
    [
      'two lines typed ahead',
      '|',
      'ps\rbt\r',
      [
        { kind: 'submit', line: 'ps' },
        { kind: 'submit', line: 'psbt' },
      ],
    ],
  ])('%s', (_, before, keys, expected) => {
    expect(typed(stateOf(before), keys).effects).toEqual(expected);
  });

  it('rings when a key can do nothing', () => {
    expect(typed(stateOf('|'), '\x7f').state.effect).toEqual({ kind: 'bell' });
    expect(typed(stateOf('|'), LEFT).state.effect).toEqual({ kind: 'bell' });
  });

  it('shows a complaint until the text changes', () => {
    const wrong = edit(stateOf('bt zz|'), { name: 'complain', column: 3, message: 'no task "zz"' });
    expect(typed(wrong, LEFT).state.complaint?.column).toBe(3);
    expect(typed(wrong, '1').state.complaint).toBeUndefined();
    expect(typed(wrong, ESC).state.complaint).toBeUndefined();
  });
});

describe('history', () => {
  const entries = ['ps UN', 'bt 1', 'struct task_struct 0xff', 'bt 102'];
  it.each([
    ['Up', '|', UP, 'bt 102|'],
    ['C-p twice', '|', '\x10\x10', 'struct task_struct 0xff|'],
    ['Up beyond the oldest', '|', UP.repeat(9), 'ps UN|'],
    ['Down from the newest returns what was typed', 'half|', `${UP}${UP}${DOWN}\x0e`, 'half|'],
    ['an edited entry keeps its edit', '|', `${UP}x${UP}${DOWN}`, 'bt 102x|'],
    ['M-p by prefix', 'bt |', `${ESC}p`, 'bt 102|'],
    ['M-p again', 'bt |', `${ESC}p${ESC}p`, 'bt 1|'],
    ['M-p then M-n', 'bt |', `${ESC}p${ESC}p${ESC}n`, 'bt 102|'],
    ['PageUp and PageDown back to what was typed', 's|', `${ESC}[5~${ESC}[6~`, 's|'],
    ['M-p without a match', 'zz|', `${ESC}p`, 'zz|'],
    ['M-<', '|', `${ESC}<`, 'ps UN|'],
    ['M->', 'now|', `${ESC}<${ESC}>`, 'now|'],
    ['M-.', 'rd |', `${ESC}.`, 'rd 102|'],
    ['M-. again', 'rd |', `${ESC}.${ESC}.${ESC}.`, 'rd 1|'],
    ['undo of Up', 'x|', `${UP}\x1f`, 'x|'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys, entries)).toBe(expected);
  });

  it('takes a quoted last argument whole', () => {
    expect(resultOf('x |', `${ESC}.`, ['log | grep "task blocked"'])).toBe('x "task blocked"|');
    expect(resultOf('x |', `${ESC}.`, ["it's  odd "])).toBe("x it's  odd |");
  });

  it.each([
    ['the newest entry with this beginning', 'b|', 't 102'],
    ['nothing for an empty line', '|', ''],
    ['nothing within the line', 'b|t', ''],
    ['nothing for a whole entry', 'ps UN|', ''],
  ])('suggests %s', (_, before, expected) => {
    expect(suggestionOf(stateOf(before, entries))).toBe(expected);
  });

  it.each([
    ['Right', 'st|', RIGHT, 'struct task_struct 0xff|'],
    ['C-e', 'st|', '\x05', 'struct task_struct 0xff|'],
    ['M-f takes a word', 'st|', `${ESC}f`, 'struct|'],
  ])('%s takes the suggestion', (_, before, keys, expected) => {
    expect(resultOf(before, keys, entries)).toBe(expected);
  });
});

describe('incremental search', () => {
  const entries = ['ps UN', 'bt 1', 'struct Task_x', 'bt 102'];
  it.each([
    ['C-r finds the newest', 'half|', '\x12bt', '|bt 102'],
    ['C-r again goes on', '|', '\x12bt\x12', '|bt 1'],
    ['a failing search stays', '|', '\x12bt\x12\x12', '|bt 1'],
    ['the query narrows where it stands', '|', '\x12b\x12t', '|bt 1'],
    ['small letters match capitals', '|', '\x12task', 'struct |Task_x'],
    ['capitals match only capitals', '|', '\x12Task', 'struct |Task_x'],
    ['C-s goes back', '|', '\x12bt\x12\x13', '|bt 102'],
    ['Backspace shortens the query', '|', '\x12struct\x7f\x7f\x7f\x7f\x7f\x7f', '|'],
    ['Esc keeps the match', '|', `\x12bt 1${ESC}`, '|bt 102'],
    ['an editing key keeps the match', '|', '\x12UN\x05x', 'ps UNx|'],
    ['C-g goes back', 'ha|lf', '\x12bt\x07', 'ha|lf'],
    ['C-c clears', 'half|', '\x12bt\x03', '|'],
    ['C-r C-r repeats the last query', '|', '\x12UN\x07\x12\x12', 'ps |UN'],
    ['Up after a search continues from the match', '|', `\x12struct${ESCAPE}${UP}`, 'bt 1|'],
    ['undo after a search', 'half|', `\x12bt${ESCAPE}\x1f`, 'half|'],
  ])('%s', (_, before, keys, expected) => {
    expect(resultOf(before, keys, entries)).toBe(expected);
  });

  it('Enter runs the match', () => {
    expect(typed(stateOf('|', entries), '\x12UN\r').effects).toEqual([{ kind: 'submit', line: 'ps UN' }]);
  });

  it('says when there is no match', () => {
    expect(typed(stateOf('|', entries), '\x12zz').state.search).toMatchObject({ query: 'zz', failed: true });
    expect(typed(stateOf('|', entries), '\x12TASK').state.search).toMatchObject({ query: 'TASK', failed: true });
  });
});

describe('completion', () => {
  const candidates: Candidate[] = [
    { text: 'vfs_read', detail: 'T' },
    { text: 'vfs_readlink', detail: 'T' },
    { text: 'vfs_rename', detail: 'T' },
  ];

  /** The state after Tab was answered for the word before the cursor. */
  function offered(marked: string, offers = candidates, partial = false) {
    const state = stateOf(marked);
    const start = state.text.lastIndexOf(' ', state.cursor - 1) + 1;
    const completion = { start, end: state.cursor, candidates: offers, partial };
    return edit(state, { name: 'offer', asked: { text: state.text, cursor: state.cursor }, completion });
  }

  it('types the only candidate with its suffix', () => {
    expect(markedOf(offered('sym vfs_re|', [{ text: 'vfs_read', suffix: ' ' }]))).toBe('sym vfs_read |');
  });

  it('types what all candidates begin with and opens the menu', () => {
    const state = offered('sym v| x');
    expect(markedOf(state)).toBe('sym vfs_re| x');
    expect(state.menu).toMatchObject({ selected: -1 });
  });

  it('adds nothing that only some of a partial list begin with', () => {
    expect(markedOf(offered('sym v|', candidates, true))).toBe('sym v|');
  });

  it('leaves what was typed when candidates were found by a looser rule', () => {
    expect(markedOf(offered('sym rdln|'))).toBe('sym rdln|');
  });

  it('never splits a cluster between candidates', () => {
    expect(markedOf(offered('|', [{ text: 'xe\u0301' }, { text: 'xe\u0300' }]))).toBe('x|');
  });

  it.each([
    ['Tab', '\t', 'sym vfs_read| x'],
    ['Tab Tab', '\t\t', 'sym vfs_readlink| x'],
    ['Down', DOWN, 'sym vfs_read| x'],
    ['Shift-Tab goes round', `${ESC}[Z`, 'sym vfs_rename| x'],
    ['Tab goes round by what was typed', '\t\t\t\t', 'sym vfs_re| x'],
    ['PageDown', `${ESC}[6~`, 'sym vfs_rename| x'],
    ['Esc closes', `\t\t${ESC}`, 'sym vfs_re| x'],
    ['Enter accepts', '\t\r', 'sym vfs_read| x'],
    ['typing goes on behind the candidate', '\t.', 'sym vfs_read.| x'],
    ['Left closes and moves', `\t${LEFT}`, 'sym vfs_rea|d x'],
    ['undo after accepting', '\t\t\r\x1f', 'sym vfs_re| x'],
  ])('%s', (_, keys, expected) => {
    const { state, effects } = typed(offered('sym v| x'), keys);
    expect(markedOf(state)).toBe(expected);
    expect(effects).toEqual([]);
  });

  it('Enter with nothing chosen runs the line', () => {
    expect(typed(offered('sym v|'), '\r').effects).toEqual([{ kind: 'submit', line: 'sym vfs_re' }]);
  });

  it('Enter after Enter runs the line', () => {
    expect(typed(offered('sym v|'), '\t\r\r').effects).toEqual([{ kind: 'submit', line: 'sym vfs_read' }]);
  });

  it('narrows the menu as one types, and closes it when nothing is left', () => {
    const { state } = typed(offered('sym v|'), 'n');
    expect(state.menu?.candidates.map((each) => each.text)).toEqual(['vfs_rename']);
    expect(markedOf(typed(state, '\t').state)).toBe('sym vfs_rename|');
    expect(typed(state, 'z').state.menu).toBeUndefined();
  });

  it('ignores an answer to an older line', () => {
    const state = stateOf('sym vf|');
    const asked = { text: 'sym v', cursor: 5 };
    expect(markedOf(edit(state, { name: 'offer', asked, completion: { start: 4, end: 5, candidates } }))).toBe(
      'sym vf|',
    );
  });

  it.each([
    [-5, 99],
    [Number.NaN, 3],
    [9, 2],
    [1.5, 3],
  ])('survives an answer with a nonsense range %s-%s', (start, end) => {
    const state = stateOf('sym v|');
    const next = edit(state, { name: 'offer', asked: state, completion: { start, end, candidates } });
    expect(next.cursor).toBeLessThanOrEqual(next.text.length);
  });
});
