import { edit } from '../prompt/editor.ts';
import { type EditorState, modeOf, newLine } from '../prompt/editor-state.ts';
import { actionOf, DEFAULT_KEYMAP } from '../prompt/keymap.ts';
import { view } from '../prompt/view.ts';
import type { App, PromptPart, ScrollbackPart } from './contract.ts';
import { Viewport } from './viewport.ts';

export function openLinePart(app: App): PromptPart {
  let state: EditorState = newLine(app.history.entries, undefined, undefined);
  const at = (width: number, height: number) => view(state, { prompt: 'kdbg> ', width, height });
  return {
    rows: (width, most) => at(width, most).rows.length,
    get isEmpty() {
      return state.text === '';
    },
    setLine() {},
    insert(text) {
      state = edit(state, { name: 'paste', text });
    },
    remember() {},
    draw: (size) => ({
      kind: 'cells',
      paint: (window) => at(size.width, size.height).rows.forEach((row, y) => window.row(0, y, row)),
    }),
    cursor: (size) => {
      const { row, column } = at(size.width, size.height).cursor;
      return { x: column, y: row };
    },
    handle(event) {
      const action = actionOf(DEFAULT_KEYMAP, event, modeOf(state));
      if (action === undefined || action.name === 'cancel' || action.name.endsWith('prefix')) return 'passed';
      if (event.kind === 'key' && event.ctrl && event.name === 'p') return 'passed';
      state = edit(state, action);
      const { effect } = state;
      if (effect?.kind === 'submit') {
        const line = effect.line;
        app.history.add(line);
        state = newLine(app.history.entries, state, undefined);
        app.run(line, 'prompt');
      }
      if (effect?.kind === 'end-of-input') app.quit();
      return 'taken';
    },
  };
}

export function openScrollback(app: App): ScrollbackPart {
  const viewport = new Viewport();
  viewport.follows = true;
  const part: ScrollbackPart = {
    command(line) {
      viewport.append([[{ text: `kdbg> ${line}`, tone: 'header' }]]);
      viewport.follows = true;
      app.redraw(part);
    },
    append(lines) {
      viewport.append(lines);
      app.redraw(part);
    },
    say(lines) {
      viewport.append(lines);
      app.redraw(part);
    },
    scroll: (rows) => {
      viewport.scroll(rows);
      app.redraw(part);
    },
    search() {},
    draw: () => ({ kind: 'cells', paint: (window) => viewport.paint(window, app.state.focus === 'scrollback') }),
    handle: () => 'passed',
  };
  return part;
}
