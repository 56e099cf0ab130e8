/** Lines above the prompt, until the scrollback is there. */
import type { App, ScrollbackPart } from './contract.ts';
import { Viewport } from './viewport.ts';

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
