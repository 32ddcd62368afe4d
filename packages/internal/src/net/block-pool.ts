// Blocks of memory that are lent to connections for a short time: fresh memory for each use would cost more than the
// use, by page faults and the collector. Blocks that were not needed for a while are left to the collector, so that a
// burst of work leaves no memory behind.
//
//   spare blocks   ███▆▅▂▁▁▂▃▅▅▃▂▂▃    the fewest within an interval were needed by nobody:
//                  └─ interval ─┘      so many are dropped at its end

/** In ms. No prop: long enough that steady work never makes a block anew. */
const trimInterval = 5_000;

export interface BlockPoolOptions<Block> {
  readonly make: () => Block;
  /** So many spare blocks are kept at most. */
  readonly maxSpare: number;
  /** With so many blocks lent, the pool is used up. Default: any number. */
  readonly maxLent?: number;
}

export class BlockPool<Block> {
  readonly #options: Required<BlockPoolOptions<Block>>;
  readonly #spare: Block[] = [];
  #lent = 0;
  /** Within the present interval. */
  #fewestSpare = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: BlockPoolOptions<Block>) {
    this.#options = { maxLent: Infinity, ...options };
  }

  /** How many blocks nobody uses. */
  get spare(): number {
    return this.#spare.length;
  }

  /** Who can do without a block should not ask for one. */
  get isUsedUp(): boolean {
    return this.#lent >= this.#options.maxLent;
  }

  /** A block that nobody uses. */
  lend(): Block {
    this.#lent++;
    const block = this.#spare.pop();
    if (block === undefined) return this.#options.make();
    if (this.#spare.length < this.#fewestSpare) this.#fewestSpare = this.#spare.length;
    return block;
  }

  /** Nobody uses it any more. To be called once for each time that it was lent. */
  giveBack(block: Block): void {
    this.#lent--;
    if (this.#spare.length >= this.#options.maxSpare) return;
    this.#spare.push(block);
    // It keeps no process alive.
    this.#timer ??= setInterval(() => this.trim(), trimInterval).unref();
  }

  /** An interval is over: drops the blocks that nobody needed in it. */
  trim(): void {
    this.#spare.length -= this.#fewestSpare;
    this.#fewestSpare = this.#spare.length;
    if (this.#spare.length > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }
}
