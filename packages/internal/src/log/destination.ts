// What a sink writes to: a file that may be rotated and moved, or a descriptor that is simply there.

export interface Destination {
  /** For messages: `/var/log/access.log`, `standard output`. */
  readonly name: string;
  /** Another one after it was renewed. */
  readonly fd: number;
  /** Nobody can read what is written to the descriptor: its file is gone, and no other one could be opened. */
  readonly isLost: boolean;
  /** No more bytes than this are given to one write, but for a line that alone is larger. */
  readonly room: number;
  /** Is there something to be done before so many bytes are written? */
  isDue(size: number): boolean;
  /** Does it. If it rejects, what can be written is written as before, unless `isLost`; it is due again after a while. */
  renew(size: number): Promise<void>;
  /** Writes as many of the bytes, whose end is that of a line, as it can at once, and tells how many; 0: later. Throws or rejects with what the system says. */
  write(bytes: Buffer): number | Promise<number>;
  /** The same, with the process waiting for a disk, though for no reader. */
  writeSync(bytes: Buffer): number;
  /** What is written from now on stands in a file of this name, though the present one may have been moved. */
  reopen(): void;
  close(): Promise<void>;
}
