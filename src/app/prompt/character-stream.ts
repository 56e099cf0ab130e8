/**
 * Chunks of bytes or strings to whole characters: UTF-8 sequences and surrogate pairs may be cut anywhere between
 * chunks. What is no Unicode becomes U+FFFD.
 */
export class CharacterStream {
  #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  /** A high surrogate at the end of a chunk that came as a string. */
  #surrogate = '';

  /** The characters that a chunk completes. */
  *feed(chunk: Uint8Array | string): Generator<string> {
    let text = typeof chunk === 'string' ? chunk : this.#decoder.decode(chunk, { stream: true });
    text = this.#surrogate + text;
    const last = text.charCodeAt(text.length - 1);
    this.#surrogate = last >= 0xd800 && last < 0xdc00 ? text.slice(-1) : '';
    for (const character of this.#surrogate === '' ? text : text.slice(0, -1)) {
      const code = character.codePointAt(0) ?? 0;
      yield code >= 0xd800 && code < 0xe000 ? '\ufffd' : character;
    }
  }
}
