// The way of a connection through the cases of its router, and through their dealets.
//
//  advance ── cases in order ──> a case matches ── its dealets in order ──> taken by one of them
//     ^           │                                      │ all leave it: the next case
//     │           v                                      v
//     └───── more bytes are needed                    no case is left: not taken

import type { OpenSpan, Trace } from "../operator/trace.ts";
import { more } from "../component/partial-condition.ts";
import type { ConnFacts } from "./facts.ts";
import type { DealetPart } from "./kinds.ts";
import type { RoutedCase, Taker } from "./routed-cases.ts";

/** A connection, or a session of datagrams, that is to be taken by a dealet. */
export interface WalkingConn extends ConnFacts {
  /** Nobody can take it any more. */
  readonly isOver: boolean;
  /** `undefined`: it is not traced. */
  readonly trace: Trace | undefined;
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

export class CaseWalk {
  #taker: Taker | undefined;
  readonly #conn: WalkingConn;
  readonly #router: { readonly cases: readonly RoutedCase[] };
  /** The cases that are left, once one has left the connection. */
  #cases: readonly RoutedCase[] | undefined;
  #isDealing = false;
  /** Of the case that has matched, in a connection that is traced. */
  #span: OpenSpan | undefined;

  constructor(conn: WalkingConn, router: { readonly cases: readonly RoutedCase[] }) {
    this.#conn = conn;
    this.#router = router;
  }

  /** Who has the connection, or is asked at the moment. */
  get taker(): Taker | undefined {
    return this.#taker;
  }

  /** The name of the case that has matched, or its place, such as `case.2`; "" for none. */
  get caseName(): string {
    const { name, path } = this.#taker?.case ?? { name: "", path: "" };
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
    this.#offeredTo(taker);
    this.#isDealing = true;
    try {
      this.#conn.matched();
      const taken = this.#offer(taker);
      if (taken instanceof Promise) this.#settleLater(taken, () => this.#conn.notTaken());
      else if (taken !== true && !this.#conn.isOver) this.#conn.notTaken();
    } catch (error) {
      this.#conn.failed(error);
    }
  }

  #advance(): void {
    const cases = this.#cases ?? this.#router.cases;
    for (const [i, { case: each }] of cases.entries()) {
      const answer = each.part.matches(this.#conn);
      // It may have been found out that nobody knows the client any more: no answer counts.
      if (this.#conn.isOver) return;
      if (answer === more) return this.#conn.waitForMore();
      if (!answer) continue;
      this.#span = this.#conn.trace?.enter(each.path);
      return this.#deal(cases, i, 0);
    }
    this.#conn.notTaken();
  }

  /** Tries the dealets of the case at `at`, from the one at `from` on, then the next cases. */
  #deal(cases: readonly RoutedCase[], at: number, from: number): void {
    this.#isDealing = true;
    this.#conn.matched();
    for (const [i, taker] of (cases[at]?.takers ?? []).entries()) {
      if (i < from) continue;
      this.#offeredTo(taker);
      const taken = this.#offer(taker);
      if (taken === true || this.#conn.isOver) return;
      if (taken instanceof Promise) return this.#settleLater(taken, () => this.#deal(cases, at, i + 1));
    }
    this.#offeredTo(undefined);
    if (this.#span !== undefined) this.#conn.trace?.leave(this.#span);
    this.#cases = cases.slice(at + 1);
    this.#isDealing = false;
    this.#advance();
  }

  #offer({ dealet, path }: Taker): ReturnType<WalkingConn["offerTo"]> {
    const { trace } = this.#conn;
    if (trace === undefined) return this.#conn.offerTo(dealet);
    return trace.run(path, () => this.#conn.offerTo(dealet) ?? false);
  }

  #offeredTo(taker: Taker | undefined): void {
    this.#taker?.counts.left();
    this.#taker = taker;
    taker?.counts.entered();
  }

  #settleLater(taken: Promise<boolean>, goOn: () => void): void {
    const failed = (error: unknown): void => this.#conn.failed(error);
    taken.then((isTaken) => (isTaken || this.#conn.isOver ? undefined : goOn())).catch(failed);
  }
}
