import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { runHost } from './cache.ts';

/** Debian packages that are downloaded and unpacked, not installed. */

const dependenciesOf = (name: string): readonly string[] =>
  runHost('apt-cache', ['depends', '--no-recommends', '--no-suggests', name])
    .split('\n')
    .map((line) => line.match(/^ [ |]Depends: (\S+)$/)?.[1])
    .filter((dependency) => dependency !== undefined);

/** The one dependency of a package whose name fits, e.g. the versioned image of a kernel meta-package. */
export const dependencyOf = (name: string, pattern: RegExp): string => {
  const found = dependenciesOf(name).find((dependency) => pattern.test(dependency));
  if (found === undefined) throw new Error(`no dependency of ${name} matches ${pattern}; run test/lab/packages.sh`);
  return found;
};

/** The version that would be downloaded. */
export const versionOf = (name: string): string => {
  const version = runHost('apt-cache', ['policy', name]).match(/Candidate: (\S+)/)?.[1];
  if (version === undefined || version === '(none)') {
    throw new Error(`no package ${name}; run test/lab/packages.sh`);
  }
  return version;
};

/** Downloads packages and unpacks them all into one folder. */
export const unpack = (packages: readonly string[], into: string): void => {
  const downloads = `${into}.debs`;
  mkdirSync(downloads, { recursive: true });
  // The sandbox user of apt could not write here.
  const download = (): string =>
    runHost('apt-get', ['-q', '-o', 'APT::Sandbox::User=root', 'download', ...packages], { cwd: downloads });
  try {
    download();
  } catch {
    // Package lists of some days ago name versions that the servers have dropped.
    runHost('apt-get', ['-q', 'update']);
    download();
  }
  for (const file of readdirSync(downloads)) runHost('dpkg-deb', ['-x', join(downloads, file), into]);
  rmSync(downloads, { recursive: true });
};
