/**
 * What the far side says that is not for kdbg: banners, messages of the day, complaints of failing rc files. The first
 * and the last of it is kept, for the error when the start fails; it is hostile text and may repeat a secret.
 */
import { escapeControls } from '../../../core/output/escape.ts';

const KEPT_MAX = 2000;
const LINES_MAX = 8;

export class Noise {
  #head = '';
  #tail = '';
  #secrets: string[] = [];

  add(text: string): void {
    const room = KEPT_MAX - this.#head.length;
    this.#head += text.slice(0, Math.max(0, room));
    this.#tail = (this.#tail + text.slice(Math.max(0, room))).slice(-KEPT_MAX);
  }

  /** Must not be shown, should the far side repeat it. */
  hide(secret: string): void {
    if (secret !== '') this.#secrets.push(secret);
  }

  /** Its last lines, escaped, on one line; '' when there is nothing. */
  get said(): string {
    let text = this.#tail === '' ? this.#head : `${this.#head} ... ${this.#tail}`;
    for (const secret of this.#secrets) text = text.replaceAll(secret, '***');
    const lines = text
      // Colours and titles of a terminal are no words.
      .replace(/\x1b(?:\[[0-9;?]*[A-Za-z]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)/g, '')
      .split(/[\r\n]+/)
      .map((line) => escapeControls(line.replaceAll('\t', ' ').trim()))
      .filter((line) => line !== '');
    return lines.slice(-LINES_MAX).join(' / ').slice(0, 600);
  }
}
