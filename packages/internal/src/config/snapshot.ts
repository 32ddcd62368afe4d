// A snapshot of the files of a configuration: what was read once can be read again, whatever happens on the disk.

import { filesOnDisk, type ConfigFiles } from "./files.ts";

/** Plain data, so that it can be sent to another process. */
export interface ConfigSnapshot {
  /** The text of each file that was read, by absolute path. */
  readonly texts: Readonly<Record<string, string>>;
  /** The matches of each pattern of an include, by base directory and pattern. */
  readonly globs: Readonly<Record<string, readonly string[]>>;
}

/** Reads from `files` and remembers what was read. */
export class SnapshotRecorder implements ConfigFiles {
  readonly #files: ConfigFiles;
  readonly #texts: Record<string, string> = {};
  readonly #globs: Record<string, readonly string[]> = {};

  constructor(files: ConfigFiles = filesOnDisk) {
    this.#files = files;
  }

  async read(location: string): Promise<string> {
    return (this.#texts[location] = await this.#files.read(location));
  }

  async glob(pattern: string, baseDir: string): Promise<readonly string[]> {
    return (this.#globs[globKey(pattern, baseDir)] = await this.#files.glob(pattern, baseDir));
  }

  /** What was read until now. */
  get snapshot(): ConfigSnapshot {
    return { texts: { ...this.#texts }, globs: { ...this.#globs } };
  }
}

/** Reads from a snapshot. A file that is not in it does not exist. */
export function filesOfSnapshot({ texts, globs }: ConfigSnapshot): ConfigFiles {
  return {
    read(location) {
      const text = texts[location];
      if (text === undefined) return Promise.reject(new Error("it is not part of the running configuration"));
      return Promise.resolve(text);
    },
    glob: (pattern, baseDir) => Promise.resolve(globs[globKey(pattern, baseDir)] ?? []),
  };
}

function globKey(pattern: string, baseDir: string): string {
  return JSON.stringify([baseDir, pattern]);
}
