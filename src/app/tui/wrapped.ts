/** Words set into lines of a width, at least 1; a word that is wider (a path) is broken. */
export function wrapped(text: string, width: number): readonly string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) {
      lines[lines.length - 1] = `${last} ${word}`;
      continue;
    }
    let at = 0;
    for (; word.length - at > width; at += width) lines.push(word.slice(at, at + width));
    lines.push(word.slice(at));
  }
  return lines;
}
