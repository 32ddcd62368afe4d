// The way of a connection through the cases of its router, and through their dealets.
//
//  advance ── cases in order ──> a case matches ── its dealets in order ──> taken by one of them
//     ^           │                                      │ all leave it: the next case
//     │           v                                      v
//     └───── more bytes are needed                    no case is left: not taken

import type { Child } from "../component/context.ts";
import { more } from "../component/partial-condition.ts";
import type { ConnFacts } from "./facts.ts";
import type { CasePart, DealetPart } from "./kinds.ts";

/** A connection, or a session of datagrams, that is to be taken by a dealet. */
export interface WalkingConn extends ConnFacts {
  /** Nobody can take it any more. */
  readonly isOver: boolean;
  /** A condition needs bytes that have not come: `advance` follows when they have, or when they are given up. */
  waitForMore(): void;
  /** A case matches: no more bytes are waited for. */
  matched(): void;
  /** Lets a dealet take it. `undefined`: the dealet does not handle such connections. */
  offerTo(dealet: DealetPart): boolean | Promise<boolean> | undefined;
  /** No case is left. */
  notTaken(): void;
  /** A component has thrown. */
  failed(error: unknown): void;
}

/** The case and the dealet that have a connection. */
export interface Taker {
  readonly case: Child<CasePart>;
  readonly dealet: DealetPart;
}

export class CaseWalk {
  /** Who has the connection, or is asked at the moment. */
  taker: Taker | undefined;
  readonly #conn: WalkingConn;
  readonly #router: { readonly cases: readonly Child<CasePart>[] };
  /** The cases that are left, once one has left the connection. */
  #cases: readonly Child<CasePart>[] | undefined;
  #isDealing = false;

  constructor(conn: WalkingConn, router: { readonly cases: readonly Child<CasePart>[] }) {
    this.#conn = conn;
    this.#router = router;
  }

  /** The name of the case that has matched, or its place, such as `case.2`; "" for none. */
  get caseName(): string {
    const { name, path } = this.taker?.case ?? { name: "", path: "" };
    return name === "" ? path.slice(path.lastIndexOf("/") + 1) : name;
  }

  /**
   * Looks for the case. Results other than `more` never change, so that it can begin anew with each piece, but behind
   * the cases that have left the connection.
   */
  advance(): void {
    if (this.#isDealing || this.#conn.isOver) return;
    try {
      this.#advance();
    } catch (error) {
      this.#conn.failed(error);
    }
  }

  /** Gives it to the dealet that has a connection like it. What comes before that waits. */
  follow(taker: Taker): void {
    this.taker = taker;
    this.#isDealing = true;
    try {
      this.#conn.matched();
      const taken = this.#conn.offerTo(taker.dealet);
      if (taken instanceof Promise) this.#settleLater(taken, () => this.#conn.notTaken());
      else if (taken !== true && !this.#conn.isOver) this.#conn.notTaken();
    } catch (error) {
      this.#conn.failed(error);
    }
  }

  #advance(): void {
    const cases = this.#cases ?? this.#router.cases;
    for (const [i, { part }] of cases.entries()) {
      const answer = part.matches(this.#conn);
      if (answer === more) return this.#conn.waitForMore();
      if (answer) return this.#deal(cases, i, 0);
    }
    this.#conn.notTaken();
  }

  /** Tries the dealets of the case at `at`, from the one at `from` on, then the next cases. */
  #deal(cases: readonly Child<CasePart>[], at: number, from: number): void {
    this.#isDealing = true;
    this.#conn.matched();
    const matching = cases[at];
    if (matching === undefined) return this.#conn.notTaken();
    for (const [i, { part: dealet }] of matching.part.dealets.entries()) {
      if (i < from) continue;
      this.taker = { case: matching, dealet };
      const taken = this.#conn.offerTo(dealet);
      if (taken === true || this.#conn.isOver) return;
      if (taken instanceof Promise) return this.#settleLater(taken, () => this.#deal(cases, at, i + 1));
    }
    this.taker = undefined;
    this.#cases = cases.slice(at + 1);
    this.#isDealing = false;
    this.#advance();
  }

  #settleLater(taken: Promise<boolean>, goOn: () => void): void {
    const failed = (error: unknown): void => this.#conn.failed(error);
    taken.then((isTaken) => (isTaken || this.#conn.isOver ? undefined : goOn())).catch(failed);
  }
}
