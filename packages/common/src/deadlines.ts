// Many deadlines that share one timer: for thousands of connections that move their deadlines at every request.
//
// A wheel of slots, one for each tick. A deadline is in the slot of its tick, in a doubly linked list through the
// deadlines themselves: nothing is allocated, and adding, removing and moving are O(1).
//
//      current = 5             The sweep advances, tick by tick, to the present, and empties each slot:
//            v                   - C is due: it expires;
//    |  | B |  |  | A |  |       - A was moved to a later time meanwhile: it is added again there;
//    +--+---+--+--+---+--+       - a deadline beyond the wheel is in the last slot, and is added again from there.
//    tick 6 7      10
//         |         |          Moving a deadline to a later time, the usual case, is one store: it stays in its slot
//         C         D          until the sweep reaches it. Moving it to an earlier time adds it again.
//
// The event loop runs timers before it reads. After a pause of the process (a signal, a snapshot of the machine, no
// processor to be had), what others have sent in time is not read yet when the timer fires. So the sweep waits until
// the loop has read, and takes the time of before.

/** One deadline, made by `Deadlines.add`. It can be set and cleared any number of times. */
export interface Deadline {
  /** Whether it is set and has not expired. */
  readonly isSet: boolean;
  /**
   * Sets it, or moves it, to `ms` milliseconds from now. 0 or less expires at the next sweep, `Infinity` clears it.
   *
   * @throws RangeError if `ms` is not a number.
   */
  set(ms: number): void;
  /** Clears it, and drops all references to it. */
  clear(): void;
}

export interface DeadlinesOptions {
  /**
   * The interval of sweeps in milliseconds. A deadline never expires early, and at most this late (plus the delay of
   * the event loop). Default: 250.
   */
  readonly resolution?: number;
  /** A monotonic clock in milliseconds. Default: `performance.now`. */
  readonly now?: () => number;
  /**
   * Receives an error that a deadline's callback has thrown; the others expire all the same. Default: the sweep throws
   * it.
   */
  readonly failed?: (error: unknown) => void;
}

/** The size of the wheel; with 250 ms, 128 s. Later deadlines are inspected once in that time. */
const slotCount = 512;

export class Deadlines {
  readonly #resolution: number;
  readonly #now: () => number;
  readonly #failed: ((error: unknown) => void) | undefined;
  /** Made with the first deadline that is set: many wheels never turn. */
  #slots: readonly Slot[] = [];
  /** The last swept tick; its slot contains only deadlines that a throwing callback left behind. */
  #current = 0;
  #size = 0;
  #timer: NodeJS.Timeout | undefined;
  #immediate: NodeJS.Immediate | undefined;
  #isClosed = false;
  /** When the timer was last seen to run, by the clock of the process. */
  #ranAt = 0;
  #stood = 0;

  constructor(options: DeadlinesOptions = {}) {
    this.#resolution = options.resolution ?? 250;
    this.#now = options.now ?? (() => performance.now());
    this.#failed = options.failed;
    if (!(this.#resolution > 0)) throw new RangeError(`a resolution has to be above 0, not ${this.#resolution}`);
  }

  /** The number of set deadlines. */
  get size(): number {
    return this.#size;
  }

  /**
   * For how long the process has stood while deadlines were set, in milliseconds: what others have sent meanwhile could
   * not be read. Pauses of less than two resolutions do not count. By the clock of the process, not by `now`.
   */
  get stood(): number {
    if (this.#timer === undefined) return this.#stood;
    const passed = performance.now() - this.#ranAt;
    return passed > 2 * this.#resolution ? this.#stood + passed - this.#resolution : this.#stood;
  }

  /**
   * Makes a deadline that is not set. The sweep calls `expire`; the deadline is cleared by then, and may be set again.
   */
  add(expire: () => void): Deadline {
    return new Hanger(this.#wheel, expire);
  }

  /** Expires all deadlines that are due. Called by a caller with its own clock. */
  sweep(): void {
    this.#sweepUntil(this.#now());
  }

  #sweepUntil(now: number): void {
    const target = Math.floor(now / this.#resolution);
    if (this.#size === 0) {
      this.#current = Math.max(this.#current, target);
      this.#stop();
      return;
    }
    // After a long pause of the process, one turn of the wheel visits all slots.
    this.#current = Math.max(this.#current, target - slotCount);
    for (;;) {
      const slot = this.#slotOf(this.#current);
      for (let hanger = slot.next; hanger instanceof Hanger; hanger = slot.next) {
        this.#unhang(hanger);
        if (Math.ceil(hanger.at / this.#resolution) <= target) this.#expire(hanger);
        else this.#hang(hanger);
      }
      if (this.#current >= target) break;
      this.#current++;
    }
    if (this.#size === 0) this.#stop();
  }

  #expire(hanger: Hanger): void {
    try {
      hanger.expire();
    } catch (error) {
      if (this.#failed === undefined) throw error;
      this.#failed(error);
    }
  }

  /** Drops all deadlines without expiring them. Deadlines that are set later have no effect. */
  close(): void {
    this.#isClosed = true;
    this.#stop();
    for (const slot of this.#slots) {
      for (let hanger = slot.next; hanger instanceof Hanger; hanger = slot.next) this.#unhang(hanger);
    }
  }

  /** The operations of a deadline on its wheel. */
  readonly #wheel: Wheel = {
    set: (hanger, ms) => {
      if (Number.isNaN(ms)) throw new RangeError("a deadline has to be a number");
      if (ms === Infinity || this.#isClosed) {
        this.#wheel.clear(hanger);
        return;
      }
      const now = this.#now();
      // Later than now in any case, so that the deadline belongs to a tick that has not been swept.
      const at = now + Math.max(ms, 0.001);
      if (hanger.isSet && at >= hanger.at) {
        hanger.at = at;
        return;
      }
      this.#wheel.clear(hanger);
      if (this.#size === 0 && !this.#timer) this.#start(now);
      hanger.at = at;
      this.#hang(hanger);
    },
    clear: (hanger) => {
      if (hanger.isSet) this.#unhang(hanger);
    },
  };

  #start(now: number): void {
    if (this.#slots.length === 0) this.#slots = Array.from({ length: slotCount }, () => new Slot());
    this.#current = Math.floor(now / this.#resolution);
    this.#ranAt = performance.now();
    this.#timer = setInterval(() => this.#sweepAfterReading(), this.#resolution).unref();
  }

  #sweepAfterReading(): void {
    this.#stood = this.stood;
    this.#ranAt = performance.now();
    if (this.#size === 0) return this.#stop();
    const now = this.#now();
    this.#immediate ??= setImmediate(() => {
      this.#immediate = undefined;
      this.#sweepUntil(now);
    });
  }

  #stop(): void {
    this.#stood = this.stood;
    clearInterval(this.#timer);
    clearImmediate(this.#immediate);
    this.#timer = undefined;
    this.#immediate = undefined;
  }

  #slotOf(tick: number): Slot {
    return this.#slots[tick % slotCount] ?? outside(tick);
  }

  #hang(hanger: Hanger): void {
    const tick = Math.ceil(hanger.at / this.#resolution);
    const slot = this.#slotOf(Math.min(Math.max(tick, this.#current + 1), this.#current + slotCount - 1));
    hanger.previous = slot.previous;
    hanger.next = slot;
    slot.previous.next = hanger;
    slot.previous = hanger;
    this.#size++;
  }

  #unhang(hanger: Hanger): void {
    hanger.previous.next = hanger.next;
    hanger.next.previous = hanger.previous;
    hanger.previous = hanger.next = hanger;
    this.#size--;
  }
}

/** A node of a ring: the head of a slot. An empty ring is linked to itself. */
class Slot {
  previous: Slot = this;
  next: Slot = this;
}

interface Wheel {
  set(hanger: Hanger, ms: number): void;
  clear(hanger: Hanger): void;
}

class Hanger extends Slot implements Deadline {
  readonly #wheel: Wheel;
  readonly expire: () => void;
  /** The due time, by the clock of the wheel. */
  at = 0;

  constructor(wheel: Wheel, expire: () => void) {
    super();
    this.#wheel = wheel;
    this.expire = expire;
  }

  get isSet(): boolean {
    return this.next !== this;
  }

  set(ms: number): void {
    this.#wheel.set(this, ms);
  }

  clear(): void {
    this.#wheel.clear(this);
  }
}

function outside(tick: number): never {
  throw new RangeError(`tick ${tick} is not on the wheel: the clock has to count from 0 upwards`);
}
