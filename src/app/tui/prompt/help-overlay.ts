/**
 * Help on a command over the screen: what is known of the word under the cursor, then the command's page.
 */
import type { Line } from '../../../core/output/line.ts';
import type { App } from '../contract.ts';
import { textOverlay } from './text-overlay.ts';

/** Opens the page of a command. `word` is what the cursor is on: an option of it is shown first, a name is looked up. */
export async function openHelp(app: App, command: string, word: string): Promise<void> {
  const isName = word !== command && /^[A-Za-z_][\w.]*$/.test(word);
  const [page, known] = await Promise.allSettled([
    app.query(`help ${command}`),
    isName ? app.query(`whatis ${word}`) : Promise.reject(new Error('not asked')),
  ]);
  if (page.status === 'rejected' && known.status === 'rejected') {
    app.tell((page.reason as Error).message, 'warn');
    return;
  }
  const about: readonly Line[] = known.status === 'fulfilled' && known.value.length > 0 ? [...known.value, ''] : [];
  const lines = page.status === 'fulfilled' ? page.value : [];
  app.open('help', textOverlay(app, { title: `help ${command}`, lines: [...about, ...lines], find: optionIn(word) }));
}

/** What to scroll to: the line that explains the option. */
function optionIn(word: string): RegExp | undefined {
  const option = /^-(\w+)$/.exec(word)?.[1];
  return option === undefined ? undefined : new RegExp(`^\\s+-${option}\\b`);
}
