/**
 * The small prompts of panes: find, filter, the command, a note. Each covers the title of its pane, and shows
 * what it does while one types.
 */
import { textOf } from '../../core/output/line.ts';
import type { Rect } from './contract.ts';
import type { Host } from './host.ts';
import { matcher } from './line-search.ts';
import type { Pane } from './pane.ts';
import { showIn } from './pane-actions.ts';
import { askSmall, type Question } from './small-prompt.tsx';

/** Asks for a text in the place of the pane's title. */
export function ask(host: Host, pane: Pane, question: Omit<Question, 'place'>): void {
  const place = (): Rect => {
    const rect = host.desk.arrangement.leaves.get(pane.kind.name);
    return rect === undefined ? { x: 0, y: 0, width: 1, height: 1 } : { ...rect, height: 1 };
  };
  host.open(question.label, askSmall(host, host.theme, { ...question, place }));
}

export function askFind(host: Host, pane: Pane): void {
  const { viewport } = pane;
  const { chosen, top } = viewport;
  const goBack = (): void => {
    viewport.top = top;
    viewport.choose(chosen);
    host.redraw(pane);
  };
  ask(host, pane, {
    label: 'find',
    onChange: (text) => {
      goBack();
      if (text !== '' && !matcher(text)(textOf(viewport.line ?? ''))) viewport.search(matcher(text), 1);
    },
    onSubmit: (text) => {
      if (text !== '') host.lastSearch = text;
      host.chosen(pane);
    },
    onLeave: goBack,
  });
}

export function findNext(host: Host, pane: Pane, direction: 1 | -1): void {
  const text = host.lastSearch ?? '';
  if (!pane.viewport.search(matcher(text), direction)) host.tell(`no line has "${text}"`, 'warn');
  host.chosen(pane);
  host.redraw(pane);
}

export function askFilter(host: Host, pane: Pane): void {
  const before = pane.filterText ?? '';
  const filter = (text: string): void => pane.filter(text);
  ask(host, pane, {
    label: 'only lines with',
    initial: before,
    placeholder: '! before it: without',
    onChange: filter,
    onSubmit: filter,
    onLeave: () => filter(before),
  });
}

export function askCommand(host: Host, pane: Pane): void {
  ask(host, pane, {
    label: 'command',
    initial: pane.line ?? '',
    onSubmit: (text) => {
      if (text.trim() !== '') showIn(host, pane, text.trim());
    },
  });
}

export function askNote(host: Host, pane: Pane): void {
  ask(host, pane, {
    label: 'note',
    onSubmit: (text) => {
      if (text.trim() !== '') host.note(text.trim());
    },
  });
}
