// One fetch of a cache: one request to the backend for all clients that want the same.
//
//   client ─┐                                 ┌─ shared: all that wait get it, as it comes
//   client ─┼─> Fetch ──> handlets behind ────┼─ confirmed, stale, filled: all get what was stored
//   client ─┘   (its own wire)                ├─ private: the first gets it, the others ask for themselves, at once
//                                             └─ untaken: no handlet behind takes the request

import { createHash } from "node:crypto";
import { ExchanError } from "../../http/exchan-error.ts";
import { ListedFields } from "../../http/fields.ts";
import type { Lock, LockService } from "../../stage/locks/lock-service.ts";
import { selects, type Purgeable, type PurgeSelector, type WobjectWriter } from "./cacher.ts";
import { mayRefuseItself, type FetchOptions, type FetchOrder, type Outcome } from "./fetch-order.ts";
import { FetchWire, type FetchListener } from "./fetch-wire.ts";
import { fillTurn } from "./fill-turn.ts";
import { couldBeShared, decideReuse, mayReplaceFailure } from "./rules/reuse.ts";
import { isFailure } from "./rules/statuses.ts";
import { conditionFields, confirms } from "./rules/validating.ts";
import { judgeSlice, rangeOf, type SliceAnswer } from "./rules/slicing.ts";
import { storedFields, updatedFields } from "./rules/stored-fields.ts";
import { matchesVariant } from "./rules/vary.ts";
import { SharedContent } from "./shared-content.ts";
import type { Wobject, WobjectHead } from "./wobject.ts";

/** What came from another cache has an age when it comes (RFC 9111 section 5.1). */
function withAge(fieldList: readonly string[], age: string | undefined): readonly string[] {
  return age === undefined ? fieldList : ["age", age, ...fieldList];
}

/** A request to the handlets behind, and its response. */
export class Fetch implements FetchListener {
  readonly #order: FetchOrder;
  /** Keeps what is validated readable, whatever is purged or evicted meanwhile. */
  #kept: Disposable | undefined;
  readonly #options: FetchOptions;
  readonly #over: () => void;
  readonly #outcome = Promise.withResolvers<Outcome>();
  #known: Outcome | undefined;
  readonly #content: SharedContent;
  /** How many wait for it, or read it. */
  #clients = 0;
  #wire: FetchWire | undefined;
  /** Keeps other processes waiting. */
  #lock: Lock | undefined;
  #isAborted = false;
  #isOver = false;
  #writer: WobjectWriter | undefined;
  /** Those of cachers that have come since. They store nothing: purges from then on show in them. */
  readonly #laterWriters: WobjectWriter[] = [];
  /** What will be stored; `undefined`: nothing, or it is not known yet. */
  #head: WobjectHead | undefined;
  #requestTime = 0;
  /** Nothing of the response is wanted, such as that of a 304. */
  #isDropped = false;
  /** Of a slice, in bytes. */
  #expected: number | undefined;
  #isPurged = false;

  constructor(order: FetchOrder, options: FetchOptions, over: () => void) {
    this.#kept = opened(order.stored);
    this.#order = this.#kept === undefined ? { ...order, stored: undefined } : order;
    this.#options = options;
    this.#over = over;
    this.#content = new SharedContent(options.kept);
  }

  /** Resolves when the head has come. Never rejects. */
  get outcome(): Promise<Outcome> {
    return this.#outcome.promise;
  }

  /** Whether a request may wait for it: a response that has come must fit it, and be kept from its begin. */
  mayServe({ req, wishes }: Pick<FetchOrder, "req" | "wishes">): boolean {
    if (this.#wasPurged(this.#purgeable)) return false;
    const known = this.#known;
    if (known === undefined) return !mayRefuseItself(this.#order) || mayRefuseItself({ req, wishes });
    if (known.kind !== "shared" || !matchesVariant(known.head.variant, req.headers)) return false;
    return decideReuse(known.head, wishes, this.#options.now()) !== "validate";
  }

  /** Before the head has come, any tag may be that of the response. */
  get #purgeable(): Purgeable {
    return this.#head ?? { url: this.#options.urlOf(this.#order.req), tags: undefined };
  }

  /** A client waits for it until the result is disposed of. */
  join(): Disposable {
    this.#clients++;
    return {
      [Symbol.dispose]: () => {
        this.#clients--;
        this.#abortIfUnwanted();
        if (this.#isOver) this.#releaseKept();
      },
    };
  }

  purged(selector: PurgeSelector): void {
    this.#isPurged ||= selects(selector, this.#purgeable);
  }

  /** A reload may have replaced the cacher: purges go to another one from now on. */
  cacherChanged(): void {
    if (!this.#isOver) this.#laterWriters.push(this.#options.cacher().begin(this.#order.key));
  }

  /** By this cache, or another one that has the same cacher. */
  #wasPurged(response: Purgeable): boolean {
    const writers = [this.#writer, ...this.#laterWriters];
    return this.#isPurged || writers.some((writer) => writer?.isPurged?.(response) === true);
  }

  run(): void {
    const locks = mayRefuseItself(this.#order) ? undefined : this.#options.locks();
    if (locks === undefined) this.#ask();
    else this.#takeTurn(locks).catch((error: unknown) => this.broken(brokenBy(error)));
  }

  /** Asks, unless another process does. */
  async #takeTurn(locks: LockService): Promise<void> {
    const { wobject, lock } = await fillTurn({
      locks,
      name: `fill ${createHash("sha256").update(this.#order.key).digest("base64url")}`,
      wait: this.#options.lockWait(),
      stored: () => this.#storedMeanwhile(),
      isOver: () => this.#isAborted,
    });
    this.#lock = lock;
    if (this.#isAborted) return this.broken(new ExchanError("HEMI_PEER_GONE", "the fetch was broken off"));
    if (wobject === undefined) return this.#ask();
    this.#settle({ kind: "filled", wobject });
    this.#ends();
  }

  /** A response that needs no validation for this request. */
  async #storedMeanwhile(): Promise<Wobject | undefined> {
    const { key, req, wishes } = this.#order;
    const variants = await this.#options.cacher().lookup(key, req.headers);
    const found = variants.find(({ head }) => matchesVariant(head.variant, req.headers));
    return found !== undefined && decideReuse(found.head, wishes, this.#options.now()) === "fresh" ? found : undefined;
  }

  #ask(): void {
    const { key, req, resp, rule, stored, slice } = this.#order;
    this.#requestTime = this.#options.now();
    this.#writer = this.#options.cacher().begin(key);
    const conditions = stored === undefined ? [] : conditionFields(new ListedFields(stored.head.fieldList));
    const fields = slice === undefined ? conditions : [...conditions, "range", rangeOf(slice)];
    const { hidden, timeout } = this.#options;
    const wire = new FetchWire(req, { fields, hidden: hidden(req), timeout: timeout() }, this);
    this.#wire = wire;
    const taken = resp.detach(wire, (inner, innerResp) => rule.handleBehind(req, inner, innerResp));
    if (taken === false) this.#notTaken();
    else if (taken !== true) void taken.then((taken) => taken || this.#notTaken());
  }

  abort(): void {
    this.#isAborted = true;
    this.#wire?.abort();
  }

  // ---- the response ----

  headCame(status: number, fieldList: readonly string[], size: number | undefined): void {
    const { stored, wishes } = this.#order;
    const now = this.#options.now();
    if (stored !== undefined && status === 304) {
      this.#isDropped = true;
      const isConfirmed = confirms(new ListedFields(fieldList), new ListedFields(stored.head.fieldList));
      if (!isConfirmed) return this.#settle({ kind: "unconfirmed" });
      return this.#confirmed(stored, fieldList);
    }
    if (stored !== undefined && isFailure(status) && mayReplaceFailure(stored.head, wishes, now)) {
      return this.#drop({ kind: "stale", wobject: stored, status });
    }
    const answer = this.#sliceAnswer(status, fieldList, size);
    if (answer.kind === "unsliceable") {
      this.#drop({ kind: "unsliceable", reason: answer.reason });
      return this.abort();
    }
    if (answer.kind === "whole") this.#arrives(answer.status, answer.fieldList, size);
    else {
      this.#expected = answer.size;
      this.#arrives(status, fieldList, answer.size);
    }
  }

  #confirmed(stored: Wobject, received: readonly string[]): void {
    const { judge, endsReuse, cacher } = this.#options;
    const storable = judge(this.#order, this.#requestTime, 304, received);
    // A soft purge after the request was sent holds for its answer, too.
    const isNews = !this.#wasPurged(stored.head);
    if (storable !== undefined) {
      const { head, ownFields } = storable;
      if (isNews) cacher().freshen(stored, head);
      const wobject = { head, source: stored.source };
      return this.#settle({ kind: "confirmed", wobject, ownFields, isPrivate: this.#isForOne(head) });
    }
    if (isNews && endsReuse(stored, received)) cacher().freshen(stored, { ...stored.head, noCache: true });
    const ownFields = storedFields(updatedFields(stored.head.fieldList, received));
    this.#settle({ kind: "confirmed", wobject: stored, ownFields, isPrivate: true });
  }

  /** The size is announced, or that of the slice. */
  #arrives(status: number, fieldList: readonly string[], size: number | undefined): void {
    const fits = size === undefined || size <= this.#options.cacher().maxWobjectSize;
    // That a resource has no such slice is not for those who want another one.
    const isAboutRange = this.#order.slice !== undefined && status === 416;
    const mayStore = fits && !isAboutRange;
    const storable = mayStore ? this.#options.judge(this.#order, this.#requestTime, status, fieldList) : undefined;
    this.#head = storable?.head;
    const content = this.#content;
    if (storable === undefined) {
      this.#stopStoring();
      return this.#settle({ kind: "private", status, fieldList, size, content });
    }
    const { head, ownFields } = storable;
    const age = new ListedFields(fieldList).has("age") ? String(Math.floor(head.initialAge / 1000)) : undefined;
    this.#settle({
      kind: "shared",
      status,
      fieldList: withAge(head.fieldList, age),
      ownFields: withAge(ownFields, age),
      size,
      content,
      head,
      isPrivate: this.#isForOne(head),
    });
  }

  #isForOne(head: WobjectHead): boolean {
    return !couldBeShared(head, Math.max(0, head.storedAt - this.#requestTime));
  }

  /** Whether the response is the slice that was asked for. */
  #sliceAnswer(status: number, fieldList: readonly string[], size: number | undefined): SliceAnswer {
    const { slice } = this.#order;
    return slice === undefined ? { kind: "whole", status, fieldList } : judgeSlice(slice, status, fieldList, size);
  }

  contentCame(piece: Uint8Array): boolean {
    if (this.#isDropped) return true;
    const hasRoom = this.#content.add(piece);
    if (this.#content.size > (this.#expected ?? Infinity)) {
      this.abort();
      return true;
    }
    if (this.#head === undefined) return hasRoom;
    if (this.#content.size > this.#options.cacher().maxWobjectSize || this.#options.kept.isFull) {
      // Those who read it go on, and others can join no more.
      this.#head = undefined;
      this.#stopStoring();
      this.#over();
      this.#abortIfUnwanted();
      return this.#content.hasRoom;
    }
    this.#writer?.write(piece);
    return true;
  }

  room(): Promise<void> {
    return this.#content.room();
  }

  ended(): void {
    if (this.#expected !== undefined && this.#content.size !== this.#expected) {
      return this.broken(new ExchanError("HEMI_PEER_GONE", "the content of a slice was cut short"));
    }
    this.#content.end();
    // Its cacher, which a reload may have replaced, need not have heard of a purge.
    const head = this.#head === undefined || this.#wasPurged(this.#head) ? undefined : this.#head;
    const writer = this.#writer;
    this.#writer = undefined;
    if (head === undefined) writer?.abort();
    else {
      const committed = writer?.commit(head);
      // What cannot be stored is served all the same.
      if (committed instanceof Promise) {
        committed.catch(() => undefined).finally(() => this.#ends());
        return;
      }
    }
    this.#ends();
  }

  broken(error: ExchanError): void {
    const { stored, wishes } = this.#order;
    this.#content.fail(error);
    this.#stopStoring();
    const mayStandIn = stored !== undefined && mayReplaceFailure(stored.head, wishes, this.#options.now());
    this.#settle(
      mayStandIn
        ? { kind: "stale", wobject: stored, status: undefined }
        : { kind: "failed", status: error.code === "HEMI_TIMEOUT" ? 504 : 502 },
    );
    this.#ends();
  }

  /** What is not stored is for its clients alone. */
  #abortIfUnwanted(): void {
    if (this.#clients === 0 && this.#known?.kind === "shared" && this.#head === undefined) this.abort();
  }

  #notTaken(): void {
    this.#settle({ kind: "untaken" });
    this.abort();
  }

  #settle(outcome: Outcome): void {
    this.#known ??= outcome;
    this.#outcome.resolve(this.#known);
    // Nobody else gets anything out of it.
    if (outcome.kind === "private") this.#releaseLock();
  }

  #ends(): void {
    this.#isOver = true;
    this.#over();
    for (const writer of this.#laterWriters.splice(0)) writer.abort();
    this.#releaseLock();
    this.#releaseKept();
  }

  /** Clients may still read it. */
  #releaseKept(): void {
    if (this.#clients > 0) return;
    this.#kept?.[Symbol.dispose]();
    this.#kept = undefined;
  }

  #releaseLock(): void {
    const lock = this.#lock;
    this.#lock = undefined;
    void lock?.release();
  }

  /** Nothing of the response is wanted but that it came. */
  #drop(outcome: Outcome): void {
    this.#isDropped = true;
    this.#settle(outcome);
  }

  #stopStoring(): void {
    this.#writer?.abort();
    this.#writer = undefined;
    this.#content.keepWindow();
  }
}

/** `undefined`: it is not there any more. */
function opened(stored: Wobject | undefined): Disposable | undefined {
  try {
    return stored?.source.open();
  } catch {
    return undefined;
  }
}

function brokenBy(error: unknown): ExchanError {
  return error instanceof ExchanError ? error : new ExchanError("HEMI_BACKEND_BROKEN", String(error), { cause: error });
}
