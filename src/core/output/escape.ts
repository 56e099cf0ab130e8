/**
 * The one place where text meets a terminal. Kernel strings are hostile: a process may choose a comm that moves the
 * cursor or retitles the window. C0 and C1 controls, DEL, bidirectional overrides and line separators are written
 * visibly; a tab stays where `keepTabs` says so.
 */

const HOSTILE =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Text that a terminal prints and does nothing else with. */
export function escapeControls(text: string): string {
  return text.replace(HOSTILE, (character) => {
    const code = character.charCodeAt(0);
    return code <= 0xff ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`;
  });
}
