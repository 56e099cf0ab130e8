/**
 * An archive in cpio's "newc" format, the one that the kernel unpacks as its first root file system
 * (Documentation/driver-api/early-userspace/buffer-format.rst). The kernel takes several archives one after another.
 */
export interface ArchiveFile {
  /** Without a leading slash. */
  readonly path: string;
  readonly mode: number;
  /** A file's bytes or a symbolic link's target; absent for a folder. */
  readonly content?: Uint8Array | undefined;
}

const folderMode = 0o040755;
const fileType = 0o100000;
const linkType = 0o120000;

export const file = (path: string, content: Uint8Array | string, permissions = 0o644): ArchiveFile => ({
  path,
  mode: fileType | permissions,
  content: Buffer.from(content),
});

export const link = (path: string, target: string): ArchiveFile => ({
  path,
  mode: linkType | 0o777,
  content: Buffer.from(target),
});

const pad = (length: number): Uint8Array => new Uint8Array((4 - (length % 4)) % 4);

const header = (number: number, mode: number, size: number, name: Uint8Array): Uint8Array => {
  const fields = [number, mode, 0, 0, 1, 0, size, 0, 0, 0, 0, name.length, 0];
  return Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
};

/** The archive's bytes. The folders that the files need are added; all belongs to root. */
export const packArchive = (files: readonly ArchiveFile[]): Uint8Array => {
  const entries = new Map<string, ArchiveFile>();
  for (const entry of files) {
    const folders = entry.path.split('/').slice(0, -1);
    folders.forEach((_, index) => {
      const path = folders.slice(0, index + 1).join('/');
      if (!entries.has(path)) entries.set(path, { path, mode: folderMode });
    });
    entries.set(entry.path, entry);
  }
  const parts: Uint8Array[] = [];
  let number = 1;
  const add = (path: string, mode: number, content: Uint8Array): void => {
    const name = Buffer.from(`${path}\0`);
    const head = header(number++, mode, content.length, name);
    parts.push(head, name, pad(head.length + name.length), content, pad(content.length));
  };
  for (const entry of entries.values()) add(entry.path, entry.mode, entry.content ?? new Uint8Array());
  add('TRAILER!!!', 0, new Uint8Array());
  return Buffer.concat(parts);
};
