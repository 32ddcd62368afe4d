// Joins sessions of clients with the nodes of a backend: what the proxies of datagrams have in common.

import type { BackendFailure } from "../../backend/failure.ts";
import type { SelectionHint } from "../../backend/selection-hint.ts";
import { compileTemplate, type Template } from "../../component/template.ts";
import type { OpenSpan } from "../../operator/trace.ts";
import type { Context } from "../../stage/context.ts";
import { endAttempt } from "../conn-tracing.ts";
import type { DealetExplanation } from "../explain/conn-explanation.ts";
import { explainChoice } from "../explain/explain-choice.ts";
import type { ConnFacts } from "../facts.ts";
import type { DealetPart } from "../kinds.ts";
import { connVariables } from "../variables.ts";
import type { UdpsDealet, UdpsSession, UdpsSessionUser } from "./dealet.ts";
import type { UdpsBackend, UdpsNodeSession } from "./datagram-backend.ts";
import type { DatagramUser } from "./node-datagrams.ts";

/** A backend as a prop refers to it. */
interface BackendLink {
  readonly path: string;
  readonly current: UdpsBackend;
}

/** What such a proxy needs of its props. */
export interface DatagramProxySettings {
  /** The backend whose nodes get the datagrams. */
  readonly toBackend: BackendLink;
  /** The key of `balancer = "hash"`; `undefined`: the client's address. */
  readonly hashOn: Template | undefined;
  /** How many other nodes are tried if one cannot be reached. */
  readonly maxRetries: number;
  /** Default: 0, not known. */
  readonly expectedAnswers?: number;
  /** What happens to the sessions of a node that is found down. */
  readonly onNodeDown: "keep" | "close";
  /** Gets a copy of each datagram. Default: nobody. */
  readonly mirrorTo?: BackendLink | undefined;
}

/** Gives sessions to the nodes of a backend. */
export class DatagramProxy implements DealetPart, UdpsDealet {
  readonly #context: Context<DatagramProxySettings>;
  readonly #key: (session: ConnFacts) => string;

  constructor(context: Context<DatagramProxySettings>) {
    this.#context = context;
    const { hashOn } = context.props;
    this.#key = hashOn === undefined ? ({ srcHost }) => srcHost : compileTemplate<ConnFacts>(hashOn, connVariables);
  }

  /** Looked at whenever they are used: live. */
  get settings(): DatagramProxySettings {
    return this.#context.props;
  }

  takeSession(session: UdpsSession): true {
    const { toBackend, mirrorTo } = this.settings;
    const key = this.#key(session);
    const mirror = mirrorTo?.current.session({ key, stickTo: "", tried: [], from: session.source }, ignoring);
    mirror?.open();
    new ProxiedSession(session, this, toBackend.current, key, mirror).open();
    return true;
  }

  explain(session: ConnFacts): DealetExplanation {
    const { toBackend } = this.settings;
    const from = { address: session.srcHost, port: session.srcPort };
    const choice = toBackend.current.explain({ key: this.#key(session), stickTo: "", tried: [], from });
    return explainChoice("sends its datagrams to", toBackend.path, choice);
  }

  /** A node could not be reached, or none is there. */
  failed(failure: BackendFailure): void {
    this.#context.log.warn(failure.message);
  }
}

function wishOf({ source, onlyNode }: UdpsSession, key: string, tried: readonly string[]): SelectionHint {
  return { key, stickTo: "", tried, from: source, ...(onlyNode !== undefined && { only: onlyNode }) };
}

/** Of a mirror, nothing comes back. */
const ignoring: DatagramUser = { assigned() {}, answered() {}, failed() {}, nodeDown() {} };

/** One session, while a node is looked for and after that. */
class ProxiedSession implements DatagramUser, UdpsSessionUser {
  readonly #session: UdpsSession;
  readonly #proxy: DatagramProxy;
  readonly #backend: UdpsBackend;
  readonly #key: string;
  readonly #mirror: UdpsNodeSession | undefined;
  readonly #tried: string[] = [];
  #node: UdpsNodeSession | undefined;
  #hasBegun = false;
  /** Of the attempt that is under way, in a session that is traced. */
  #span: OpenSpan | undefined;
  /** What was sent before the first answer: it goes to another node if the first one cannot be reached. */
  #unanswered: Buffer[] | undefined = [];
  /** Answers that are expected. */
  #owed = 0;

  constructor(
    session: UdpsSession,
    proxy: DatagramProxy,
    backend: UdpsBackend,
    key: string,
    mirror: UdpsNodeSession | undefined,
  ) {
    this.#session = session;
    this.#proxy = proxy;
    this.#backend = backend;
    this.#key = key;
    this.#mirror = mirror;
    session.onClose(() => {
      this.#attempted("", "cancelled");
      this.#node?.close();
      this.#mirror?.close();
    });
  }

  open(): void {
    this.#span = this.#session.trace?.begin("attempt", "client");
    this.#node = this.#backend.session(wishOf(this.#session, this.#key, [...this.#tried]), this);
    this.#node.open();
  }

  assigned(node: string): void {
    this.#session.servedBy(node);
    this.#attempted(node);
    if (this.#hasBegun) {
      for (const datagram of this.#unanswered ?? []) this.#node?.send(datagram);
    } else {
      this.#hasBegun = true;
      this.#session.begin(this);
    }
  }

  received(datagram: Buffer): void {
    this.#owed += this.#proxy.settings.expectedAnswers ?? 0;
    if (this.#unanswered !== undefined && this.#unanswered.length < maxUnanswered) this.#unanswered.push(datagram);
    else this.#unanswered = undefined;
    this.#node?.send(datagram);
    this.#mirror?.send(datagram);
  }

  closed(): void {}

  answered(datagram: Buffer): void {
    this.#unanswered = undefined;
    this.#session.send(datagram);
    if (this.#owed > 0 && --this.#owed === 0) this.#session.close("complete");
  }

  failed(failure: BackendFailure): void {
    if (this.#session.isOver) return;
    this.#proxy.failed(failure);
    this.#attempted(failure.node, failure.code);
    if (failure.node !== "") this.#tried.push(failure.node);
    const isRepeatable = failure.node !== "" && this.#unanswered !== undefined;
    const mayRetry = isRepeatable && this.#tried.length <= this.#proxy.settings.maxRetries;
    if (mayRetry && this.#backend.whyNoRetry(this.#tried) === undefined) this.open();
    else this.#session.close(failure.node === "" ? "noNode" : "nodeAborted");
  }

  #attempted(node: string, error?: string): void {
    endAttempt(this.#session.trace, this.#span, node, error);
    this.#span = undefined;
  }

  nodeDown(): void {
    if (this.#proxy.settings.onNodeDown === "close") this.#session.close("nodeDown");
  }
}

/** The number of datagrams that are kept to be sent again. Not a prop: a client repeats what is lost. */
const maxUnanswered = 8;
