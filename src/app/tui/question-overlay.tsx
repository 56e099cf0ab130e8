/**
 * A question of the connection's thread (a passphrase, a host key) over the screen: what is to be read first, and a
 * field for the answer. A secret is drawn as stars; it is kept nowhere.
 */
import { Box, Text } from 'ink';
import type { ReactNode } from 'react';
import type { Ask, Question } from '../../backends/remote/question.ts';
import type { Drawing, Handled, OverlayPart, Rect, Size } from './contract.ts';
import type { Host } from './host.ts';
import { TextField } from './text-field.tsx';
import type { Theme } from './theme.ts';
import { Tint } from './tint.tsx';
import { wrapped } from './wrapped.ts';

const WIDTH = 76;
/** Columns that are left for the answer beside the prompt; with fewer it gets a row of its own. */
const ANSWER = 16;

/** Asks on the screen, one question after the other; undefined when it was left. */
export function askOnScreen(host: Host): Ask {
  let before: Promise<unknown> = Promise.resolve();
  return (question) => {
    const answer = before.then(() => put(host, question));
    before = answer;
    return answer;
  };
}

function put(host: Host, question: Question): Promise<string | undefined> {
  return new Promise((resolve) => {
    let text = '';
    const width = Math.min(WIDTH, host.state.size.width - 2);
    const lines = question.lines.flatMap((line) => wrapped(line, width - 4));
    const prompt = [...wrapped(question.prompt, width - 4)];
    if ((prompt.at(-1) as string).length > width - 4 - ANSWER) prompt.push('');
    const change = (next: string): void => {
      text = next;
    };
    const end = (answer: string | undefined): Handled => {
      host.close();
      resolve(answer);
      return 'taken';
    };
    const overlay: OverlayPart = {
      place({ width: columns, height: rows }: Size): Rect {
        const height = Math.min(rows - 2, lines.length + prompt.length + 2);
        return { x: Math.floor((columns - width) / 2), y: Math.floor((rows - height) / 2), width, height };
      },
      draw: (size): Drawing => ({
        kind: 'ink',
        element: (
          <Asked size={size} theme={host.theme} kind={question.kind} lines={lines} prompt={prompt} onChange={change} />
        ),
      }),
      handle(event): Handled {
        if (event.kind === 'paste') {
          for (const character of event.text.split('\n', 1)[0] ?? '') host.typeInk(character);
          return 'taken';
        }
        if (event.kind !== 'key') return 'taken';
        if (event.name === 'enter') return end(text);
        if (event.name === 'escape' || (event.ctrl && (event.name === 'c' || event.name === 'd')))
          return end(undefined);
        return event.text !== '' || event.name === 'backspace' ? 'ink' : 'taken';
      },
    };
    host.open('question', overlay);
  });
}

interface AskedProps {
  readonly size: Size;
  readonly theme: Theme;
  readonly kind: Question['kind'];
  readonly lines: readonly string[];
  /** The rows of the prompt; the field follows the last. */
  readonly prompt: readonly string[];
  readonly onChange: (text: string) => void;
}

function Asked({ size, theme, kind, lines, prompt, onChange }: AskedProps): ReactNode {
  const mask = kind === 'secret' ? '*' : undefined;
  const asked = (row: string): ReactNode => (
    <Tint theme={theme} look="key">
      {row}
    </Tint>
  );
  return (
    <Box width={size.width} height={size.height} flexDirection="column" borderStyle="single" paddingX={1}>
      {lines.map((line) => (
        <Text key={line} wrap="truncate">
          {line}
        </Text>
      ))}
      {prompt.slice(0, -1).map((row) => (
        <Text key={row}>{asked(row)}</Text>
      ))}
      <Text wrap="truncate-start">
        {asked(prompt.at(-1) ?? '')}
        <TextField initial="" onChange={onChange} placeholder="" mask={mask} />
      </Text>
    </Box>
  );
}
