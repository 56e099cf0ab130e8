/**
 * ink-text-input as the small prompts use it. It keeps its cursor in React state and loses a key that comes before the
 * last one was committed, so it tells the keyboard of its ink root (ink-root.ts) when it is ready for the next.
 */
import { Text } from 'ink';
import TextInput from 'ink-text-input';
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react';

/** Called when what a key changed is committed and its effects have run. */
export const KeyTaken = createContext<() => void>(() => undefined);

interface TextFieldProps {
  readonly initial: string;
  readonly placeholder: string;
  /** Drawn in the place of each character. */
  readonly mask?: string | undefined;
  readonly onChange: (text: string) => void;
}

export function TextField({ initial, placeholder, mask, onChange }: TextFieldProps): ReactNode {
  const [value, setValue] = useState(initial);
  const keyTaken = useContext(KeyTaken);
  // The effects of a child run before its parent's: the input listens for the next key by now. Only a changed text says
  // so: the screen renders the field for reasons of its own as well.
  useEffect(() => {
    if (value !== undefined) keyTaken();
  }, [value, keyTaken]);
  const take = (next: string): void => {
    setValue(next);
    onChange(next);
  };
  return (
    <Text>
      <TextInput value={value} onChange={take} placeholder={placeholder} {...(mask === undefined ? {} : { mask })} />
    </Text>
  );
}
