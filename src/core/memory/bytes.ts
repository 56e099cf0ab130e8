/** Bytes in pieces. */

/** The pieces one after the other, a copy; zeros behind them up to `length`, where they are shorter. */
export function joinBytes(pieces: readonly Uint8Array[], length?: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length ?? pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
