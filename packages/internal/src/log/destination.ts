// The destination of a sink: a file that may be rotated and moved, or an inherited descriptor.

export interface Destination {
  /** For messages: `/var/log/access.log`, `standard output`. */
  readonly name: string;
  /** Changes when it is renewed. */
  readonly fd: number;
  /** Whether the output is unreachable: the file is gone, and no other one could be opened. */
  readonly isLost: boolean;
  /** The maximum number of bytes for one write, except for a single line that is larger. */
  readonly room: number;
  /** Whether `renew` must be called before this many bytes are written. */
  isDue(size: number): boolean;
  /** Renews it. If it rejects, writing continues as before, unless `isLost`; it is due again after a while. */
  renew(size: number): Promise<void>;
  /**
   * Writes as many of the bytes as it can at once, and returns their number; 0: try later. The bytes end with the end
   * of a line. Throws or rejects with the system's error.
   */
  write(bytes: Buffer): number | Promise<number>;
  /** The same, synchronously. It may wait for a disk, but not for a reader. */
  writeSync(bytes: Buffer): number;
  /** Reopens the file by its name, because the current one may have been moved. */
  reopen(): void;
  close(): Promise<void>;
}
