// What a sink writes to: a file that may be rotated and moved, or a descriptor that is simply there.

export interface Destination {
  /** For messages: `/var/log/access.log`, `standard output`. */
  readonly name: string;
  /** Another one after it was renewed. */
  readonly fd: number;
  /** Nobody can read what is written to the descriptor: its file is gone, and no other one could be opened. */
  readonly isLost: boolean;
  /** Is there something to be done before so many bytes are written? */
  isDue(size: number): boolean;
  /** Does it. If it rejects, what can be written is written as before, unless `isLost`; it is due again after a while. */
  renew(size: number): Promise<void>;
  /** So many bytes have been written. */
  wrote(size: number): void;
  /** What is written from now on stands in a file of this name, though the present one may have been moved. */
  reopen(): void;
  close(): Promise<void>;
}

/** 1 is standard output, 2 standard error. It stays open. */
export class Descriptor implements Destination {
  readonly fd: number;
  readonly isLost = false;

  constructor(fd: number) {
    this.fd = fd;
  }

  get name(): string {
    return ["standard input", "standard output", "standard error"][this.fd] ?? `descriptor ${this.fd}`;
  }

  isDue(): boolean {
    return false;
  }

  renew(): Promise<void> {
    return Promise.resolve();
  }

  wrote(): void {}

  reopen(): void {}

  close(): Promise<void> {
    return Promise.resolve();
  }
}
