// Lines that wait for a reader. A reader that is too slow gets the number of those that it has missed.

export interface BufferedLines {
  readonly lines: readonly string[];
  /** How many there were besides. */
  readonly dropped: number;
}

export class LineBuffer {
  #lines: string[] = [];
  /** In UTF-16 code units. */
  #size = 0;
  #dropped = 0;

  get isEmpty(): boolean {
    return this.#lines.length === 0 && this.#dropped === 0;
  }

  /** A line too many is dropped, and counted. */
  add(line: string): void {
    if (this.#lines.length >= maxLines || this.#size + line.length > maxSize) this.#dropped++;
    else {
      this.#lines.push(line);
      this.#size += line.length;
    }
  }

  /** Others have dropped lines before they came here. */
  missed(count: number): void {
    this.#dropped += count;
  }

  /** All of it; the buffer is empty after that. */
  take(): BufferedLines {
    const taken = { lines: this.#lines, dropped: this.#dropped };
    this.#lines = [];
    this.#size = 0;
    this.#dropped = 0;
    return taken;
  }
}

/** Together they fit into a message of the control socket, which has at most 1 MiB in UTF-8. */
const maxLines = 2000;
const maxSize = 256 * 1024;
