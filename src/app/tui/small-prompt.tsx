/**
 * A prompt for one short text, over the row of what it is for: a search, a filter, the command of a pane. ink-text-input
 * edits it; Enter takes it, Esc leaves it, and whoever asked sees each change.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import type { InputEvent } from '../prompt/keys.ts';
import type { App, Drawing, Handled, KeyHelp, OverlayPart, Rect, Size } from './contract.ts';
import { TextField } from './text-field.tsx';
import type { Theme } from './theme.ts';
import { Tint } from './tint.tsx';

export interface Question {
  readonly label: string;
  readonly initial?: string;
  readonly placeholder?: string;
  /** The row that it covers. */
  readonly place: (screen: Size) => Rect;
  readonly onChange?: (text: string) => void;
  /** Enter; the prompt is closed. */
  readonly onSubmit: (text: string) => void;
  /** Esc; the prompt is closed. */
  readonly onLeave?: () => void;
  /** Keys that are not typed but passed on: the arrows of a list below. True when it took the key. */
  readonly onKey?: (event: InputEvent) => boolean;
}

/** Keys that ink-text-input edits with. */
const EDITS: ReadonlySet<string> = new Set(['left', 'right', 'backspace', 'delete']);
/** A pasted text that is longer is no search. */
const PASTE_MAX = 200;

export function askSmall(app: App, theme: Theme, question: Question): OverlayPart {
  let text = question.initial ?? '';
  const change = (next: string): void => {
    text = next;
    question.onChange?.(next);
  };
  return {
    place: question.place,
    draw: (size): Drawing => ({
      kind: 'ink',
      element: <Asked width={size.width} theme={theme} question={question} initial={text} onChange={change} />,
    }),
    handle(event): Handled {
      if (event.kind === 'paste') {
        for (const character of event.text.slice(0, PASTE_MAX)) if (character >= ' ') app.typeInk(character);
        return 'taken';
      }
      if (event.kind !== 'key') return 'passed';
      if (event.name === 'escape' || (event.ctrl && (event.name === 'g' || event.name === 'c'))) {
        app.close();
        question.onLeave?.();
        return 'taken';
      }
      if (event.name === 'enter') {
        app.close();
        question.onSubmit(text);
        return 'taken';
      }
      if (question.onKey?.(event) === true) return 'taken';
      if (event.text !== '' || EDITS.has(event.name)) return 'ink';
      return 'taken';
    },
    keys: (): readonly KeyHelp[] => [
      { keys: 'enter', description: 'take it' },
      { keys: 'escape', description: 'leave it' },
    ],
  };
}

interface AskedProps {
  readonly width: number;
  readonly theme: Theme;
  readonly question: Question;
  readonly initial: string;
  readonly onChange: (text: string) => void;
}

function Asked({ width, theme, question, initial, onChange }: AskedProps): ReactNode {
  return (
    <Box width={width}>
      <Text wrap="truncate-start">
        <Tint theme={theme} look="title-focus">{` ${question.label} `}</Tint>
        <Text> </Text>
        <TextField initial={initial} onChange={onChange} placeholder={question.placeholder ?? ''} />
      </Text>
    </Box>
  );
}
